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
  /** When it was stepped, and by how much; the newest first. Units: ms. */
  readonly #steps: { readonly atMs: number; readonly byMs: number }[] = [];

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
    this.#steps.unshift({ atMs: this.#timeline.ms, byMs: ms });
  }

  /** How long this really took, if this clock says that it took `ms`. Units: ms. */
  trueMs(ms: number): number {
    return ms / (1 + this.#drift);
  }

  /** How long ago it really showed this wall time. Units: ms. */
  agoMs(wall: number): number {
    const trueOf = (skewMs: number): number =>
      this.#bornMs + this.trueMs((wall - START_US) / 1000 - this.#bornMs - skewMs);
    let skewMs = this.#skewMs;
    for (const { atMs, byMs } of this.#steps) {
      if (trueOf(skewMs) >= atMs) break;
      skewMs -= byMs;
    }
    return this.#timeline.ms - trueOf(skewMs);
  }

  /** How long it takes, in true time, until this monotonic clock shows `mono`. Units: ms. */
  trueMsUntil(mono: number): number {
    return Math.max(0, this.trueMs(mono - this.now().monoMs));
  }
}
