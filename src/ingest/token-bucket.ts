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
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** How long until `take` gives one: 0 if it would now. Units: ms. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return Math.ceil(Math.max(0, 1 - this.#tokens) / this.#perMs);
  }

  /** Nothing has been taken that did not come back. */
  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens >= this.#burst;
  }

  #refill(nowMs: number): void {
    if (this.#atMs !== Number.NEGATIVE_INFINITY) {
      const refilled = this.#tokens + (nowMs - this.#atMs) * this.#perMs;
      this.#tokens = Math.min(this.#burst, refilled);
    }
    this.#atMs = nowMs;
  }
}
