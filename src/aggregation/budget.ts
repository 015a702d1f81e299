/**
 * How much aggregation may still do in this step for the logs of one kind. Without a limit, as it
 * is at first, everything is done at once.
 * Units: about a microsecond each: a window placed, a series' figures given, a record, 64 bytes of it.
 */
export class Budget {
  #limit = Number.POSITIVE_INFINITY;
  #left = Number.POSITIVE_INFINITY;

  /** A new step: it may do so much. */
  allow(units: number): void {
    this.#limit = units;
    this.#left = units;
  }

  /** Takes off what was done; the last piece of a step may be larger than what was left. */
  spend(units: number): void {
    this.#left -= units;
  }

  /** Steps have a limit. */
  get isLimited(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY;
  }

  /** Nothing more in this step. */
  get isSpent(): boolean {
    return this.#left <= 0;
  }

  /** True if a piece of so many units fits; one that fits no step is done in a step of its own. */
  hasRoomFor(units: number): boolean {
    return this.#left > 0 && (units <= this.#left || this.#left === this.#limit);
  }
}
