import type { DeviceBlock } from '../../src/wire/messages.ts';
import { between, type Random } from '../random.ts';
import type { Emit, Source } from '../source.ts';
import { WrappedSource } from '../wrapped-source.ts';

/** Of so many frames one is late. */
const LATE_ONE_IN = 10;
/** So late: some within the allowed lateness of 30 s, some beyond. Units: µs. */
const DELAY_US_MIN = 3_000_000;
const DELAY_US_MAX = 60_000_000;

interface Held {
  readonly atUs: number;
  readonly lane: number;
  readonly blocks: readonly DeviceBlock[];
}

/** Holds some of its frames back, as a sensor behind a slow radio does: they come out of order. */
export class LateSource extends WrappedSource {
  readonly #random: Random;
  /** By the time when they come. Bounds: what a minute brings. */
  #held: Held[] = [];

  constructor(inner: Source, random: Random) {
    super(inner);
    this.#random = random;
  }

  override get dueUs(): number {
    return Math.min(this.inner.dueUs, this.#held[0]?.atUs ?? Number.POSITIVE_INFINITY);
  }

  override take(nowUs: number, emit: Emit): void {
    this.inner.take(nowUs, (lane, blocks) => {
      if (this.#random() * LATE_ONE_IN >= 1) return emit(lane, blocks);
      const atUs = nowUs + between(this.#random, DELAY_US_MIN, DELAY_US_MAX);
      this.#held = [...this.#held, { atUs, lane, blocks }].sort((a, b) => a.atUs - b.atUs);
    });
    this.#release(nowUs, emit);
  }

  override stop(nowUs: number, emit: Emit): void {
    this.inner.stop(nowUs, emit);
    this.#release(Number.POSITIVE_INFINITY, emit);
  }

  #release(untilUs: number, emit: Emit): void {
    while ((this.#held[0]?.atUs ?? Number.POSITIVE_INFINITY) <= untilUs && this.#held[0]) {
      const { lane, blocks } = this.#held.shift() as Held;
      emit(lane, blocks);
    }
  }
}
