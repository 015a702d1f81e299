import { COST_PER_MESSAGE } from '../model/limits.ts';

/** Flushes that may be unacknowledged at a time. Source: [R11.5-3]. */
const FLUSHES_UNACKED_MAX = 2;

/**
 * What the peer allows on one subscription: cumulative cost from 0 at `sub`, and the flushes that
 * it has not acknowledged. Without `lim` there is no limit and nothing to wait for.
 * Guarantee: `sent` never exceeds the limit; the limit never decreases. Source: PROTOCOL §7, §11.5.
 */
export class Credit {
  readonly isLimited: boolean;
  /** Number of the last `data` sent. */
  n = 0;
  #limit: number;
  #sent = 0;
  /** Last numbers of the flushes that are not acknowledged, oldest first. */
  #flushEnds: number[] = [];

  constructor(limit: number | null) {
    this.isLimited = limit !== null;
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
  }

  /** Payload that the next message may have. Units: bytes; negative if there is no credit. */
  get roomBytes(): number {
    return this.#limit - this.#sent - COST_PER_MESSAGE;
  }

  /** As many flushes as may be are unacknowledged. */
  get isAckAwaited(): boolean {
    return this.#flushEnds.length >= FLUSHES_UNACKED_MAX;
  }

  /** A `def` or `data` of this payload is sent. */
  spend(payloadBytes: number): void {
    this.#sent += payloadBytes + COST_PER_MESSAGE;
  }

  /** A flush ended that began after `n` was `before`. */
  endFlush(before: number): void {
    if (this.isLimited && this.n > before) this.#flushEnds.push(this.n);
  }

  /** Takes an entry of `flow`; false if it acknowledges what was never sent. [R11.5-6] */
  take(ack: number, limit: number): boolean {
    if (ack > this.n) return false;
    this.#flushEnds = this.#flushEnds.filter((end) => end > ack);
    if (this.isLimited) this.#limit = Math.max(this.#limit, limit);
    return true;
  }
}
