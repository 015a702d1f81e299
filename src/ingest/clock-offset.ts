const HALF_US = 5 * 60 * 1_000_000;

/**
 * Server clock − device clock: the smallest `arrival − now` over the messages of the last 10 min.
 * Two halves of five minutes each, so between 5 and 10 minutes are remembered.
 * Units: µs; 0 = unknown. Source: [R4.3-2].
 */
export class ClockOffset {
  #since = 0;
  #current = Number.POSITIVE_INFINITY;
  #previous = Number.POSITIVE_INFINITY;

  /** Takes the sender's clock of a message that arrived at `arrivalUs`. */
  tell(senderUs: number, arrivalUs: number): void {
    const age = arrivalUs - this.#since;
    if (age >= HALF_US) {
      this.#previous = age < 2 * HALF_US ? this.#current : Number.POSITIVE_INFINITY;
      this.#current = Number.POSITIVE_INFINITY;
      this.#since = arrivalUs;
    }
    this.#current = Math.min(this.#current, arrivalUs - senderUs);
  }

  /** The offset as records carry it. */
  get us(): number {
    const least = Math.min(this.#current, this.#previous);
    return Number.isFinite(least) ? least : 0;
  }
}
