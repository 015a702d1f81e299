import type { Now } from '../model/time.ts';

/** After the first failure it is tried again so much later, doubling. Units: ms. */
const REST_MS = 50;
const REST_MS_MAX = 1000;

/** How long something that failed is left alone before it is tried again. */
export class Rest {
  /** When it is over. Units: monotonic ms. */
  untilMs = 0;
  #failures = 0;

  /** It failed. */
  begin(now: Now): void {
    this.untilMs = now.monoMs + Math.min(REST_MS_MAX, REST_MS * 2 ** this.#failures);
    this.#failures += 1;
  }

  /** It is tried again at once, as if it had never failed. */
  end(now: Now): void {
    this.untilMs = now.monoMs;
    this.#failures = 0;
  }
}
