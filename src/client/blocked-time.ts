/**
 * How long a sender has been without credit: since when, for the blocked `ping`, and in all, for
 * the figure shown next to ack latency.
 */
export class BlockedTime {
  #sinceMs = Number.NaN;
  #countedToMs = Number.NaN;
  #totalMs = 0;

  /** Since when nothing could be sent; NaN if not blocked. Units: ms. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Time blocked in all, up to `nowMs`. Units: ms. */
  totalMs(nowMs: number): number {
    return Number.isNaN(this.#countedToMs)
      ? this.#totalMs
      : this.#totalMs + nowMs - this.#countedToMs;
  }

  /** Takes note of how a round of sending ended. */
  note(isBlocked: boolean, hasSent: boolean, nowMs: number): void {
    this.#totalMs = this.totalMs(nowMs);
    this.#countedToMs = isBlocked ? nowMs : Number.NaN;
    if (!isBlocked) this.#sinceMs = Number.NaN;
    else if (hasSent || Number.isNaN(this.#sinceMs)) this.#sinceMs = nowMs;
  }
}
