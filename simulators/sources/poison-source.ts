import type { Emit } from '../source.ts';
import { WrappedSource } from '../wrapped-source.ts';

/** Of so many frames one is such that the gateway has to refuse it. */
const POISON_ONE_IN = 20;
/** A quality has to be at most 255: 4021. Source: [R5.2-11], [R5.2-12]. */
const BAD_QUALITY = 999;

/** Sends a frame now and then that is well formed and means nothing. */
export class PoisonSource extends WrappedSource {
  #frames = 0;

  override take(nowUs: number, emit: Emit): void {
    this.inner.take(nowUs, this.#poisoned(emit));
  }

  override stop(nowUs: number, emit: Emit): void {
    this.inner.stop(nowUs, this.#poisoned(emit));
  }

  #poisoned(emit: Emit): Emit {
    return (lane, blocks) => {
      this.#frames += 1;
      if (this.#frames % POISON_ONE_IN > 0) emit(lane, blocks);
      else
        emit(
          lane,
          blocks.map((block) => ({ ...block, q: BAD_QUALITY })),
        );
    };
  }
}
