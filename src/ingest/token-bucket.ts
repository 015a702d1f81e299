/** A rate with a burst. Time is handed in; a bucket that was never touched is full. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(ratePerSecond: number, burst: number) {
    this.#perMs = ratePerSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes one token; false if there is none. */
  take(nowMs: number): boolean {
    if (this.#atMs !== Number.NEGATIVE_INFINITY) {
      const refilled = this.#tokens + (nowMs - this.#atMs) * this.#perMs;
      this.#tokens = Math.min(this.#burst, refilled);
    }
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
