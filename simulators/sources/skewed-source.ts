import type { Emit, Source } from '../source.ts';
import { WrappedSource } from '../wrapped-source.ts';

/** Stamps its readings by a clock that is wrong. */
export class SkewedSource extends WrappedSource {
  readonly #skewUs: number;

  constructor(inner: Source, skewUs: number) {
    super(inner);
    this.#skewUs = skewUs;
  }

  override get skewUs(): number {
    return this.#skewUs;
  }

  override get newest(): ReadonlyMap<number, number> {
    return new Map([...this.inner.newest].map(([lane, t]) => [lane, t + this.#skewUs]));
  }

  override take(nowUs: number, emit: Emit): void {
    this.inner.take(nowUs, this.#skewed(emit));
  }

  override stop(nowUs: number, emit: Emit): void {
    this.inner.stop(nowUs, this.#skewed(emit));
  }

  #skewed(emit: Emit): Emit {
    return (lane, blocks) => {
      emit(
        lane,
        blocks.map((block) => ({ ...block, t: block.t + this.#skewUs })),
      );
    };
  }
}
