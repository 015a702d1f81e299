import { monoMs, type Now, wallUs } from '../../model/time.ts';

/** How long the wall clock is extrapolated before it is read again. Units: ms. */
const RESYNC_MS = 1000;

/**
 * The one clock of the process: monotonic milliseconds, and wall time in microseconds. The system
 * tells wall time in whole milliseconds, so the monotonic clock fills in between; once a second
 * both are brought together, so that a step of the system's clock is followed.
 */
export class Clock {
  #anchorMs = Number.NEGATIVE_INFINITY;
  #anchorUs = 0;

  /** The time now. */
  now(): Now {
    const mono = performance.now();
    if (mono - this.#anchorMs > RESYNC_MS) {
      this.#anchorMs = mono;
      this.#anchorUs = Date.now() * 1000;
    }
    const wall = this.#anchorUs + Math.floor((mono - this.#anchorMs) * 1000);
    return { monoMs: monoMs(mono), wallUs: wallUs(wall) };
  }
}
