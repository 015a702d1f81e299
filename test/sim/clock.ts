import { monoMs, type Now, wallUs } from '../../src/model/time.ts';
import type { Timeline } from './timeline.ts';

/** The true wall clock when the world begins. Units: µs. */
const START_US = 1_761_962_400_000_000;

/** How a clock is wrong. */
export interface Wrongness {
  /** Its wall clock is ahead by this. Units: ms. */
  readonly skewMs: number;
  /** Both its clocks run fast by this part: 1e-4 gains 100 µs a second. */
  readonly drift: number;
}

/** The clock of one machine: wrong from the start, and perhaps stepped later. */
export class SimClock {
  readonly #timeline: Timeline;
  readonly #drift: number;
  readonly #bornMs: number;
  #skewMs: number;

  constructor(timeline: Timeline, { skewMs, drift }: Wrongness) {
    this.#timeline = timeline;
    this.#drift = drift;
    this.#skewMs = skewMs;
    this.#bornMs = timeline.ms;
  }

  now(): Now {
    const elapsedMs = (this.#timeline.ms - this.#bornMs) * (1 + this.#drift);
    const wallMs = this.#bornMs + elapsedMs + this.#skewMs;
    return { monoMs: monoMs(elapsedMs), wallUs: wallUs(START_US + Math.round(wallMs * 1000)) };
  }

  /** An operator, or NTP, sets the wall clock. */
  step(ms: number): void {
    this.#skewMs += ms;
  }

  /** How long it takes, in true time, until this monotonic clock shows `mono`. Units: ms. */
  trueMsUntil(mono: number): number {
    return Math.max(0, (mono - this.now().monoMs) / (1 + this.#drift));
  }
}
