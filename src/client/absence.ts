/** After so long without a session, what is measured is no live reading any more. [R5.3-5] */
const LONG_MS = 2000;

/** How long a device has been without a session. Units: ms. */
export class Absence {
  #sinceMs = Number.NaN;

  /** There is no session: since now, unless there was none before. */
  goesOn(nowMs: number): void {
    if (Number.isNaN(this.#sinceMs)) this.#sinceMs = nowMs;
  }

  /** There is a session. */
  ended(): void {
    this.#sinceMs = Number.NaN;
  }

  isLong(nowMs: number): boolean {
    return nowMs - this.#sinceMs > LONG_MS;
  }
}
