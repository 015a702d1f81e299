import { FRAME_BYTES_MAX, JSON_GROWTH, LANE_0_SHARE } from '../model/limits.ts';
import type { Codec } from '../model/machine.ts';
import { windowOf } from './channel.ts';

/** What a cost of a session is in memory at most. */
export const growthOf = (codec: Codec): number => (codec === 'json' ? JSON_GROWTH : 1);

/** Window of a lane with its largest frame. */
export const laneWindow = (lane: number): number => windowOf(FRAME_BYTES_MAX[lane] ?? 0);

/**
 * Memory promised to publishers: their windows, and what left connections have in the pipeline. A
 * share is for lane 0 alone, so that alarms still get in when there is no room for bulk.
 * Guarantee: Σ(limit − settled), with JSON at what it may become in CBOR, stays within the budget.
 * Source: [R7-9], [R2.1-22].
 */
export class Budget {
  readonly #bytes: number;
  readonly #bulkBytes: number;
  /** Windows of the sessions that are open. Units: bytes. */
  #promised = 0;
  /** Pipeline of devices that have no session. Units: bytes. */
  #orphaned = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
    this.#bulkBytes = Math.floor(bytes * (1 - LANE_0_SHARE));
  }

  /** So many bytes more would fit; `freed` are given back before. */
  fits(bytes: number, freed = 0): boolean {
    return this.#used - freed + bytes <= this.#bulkBytes;
  }

  /** The same for lane 0 by itself. */
  fitsLane0(bytes: number, freed = 0): boolean {
    return this.#used - freed + bytes <= this.#bytes;
  }

  /** Pipeline of devices without a session, as memory. Units: bytes. */
  get orphanCost(): number {
    return this.#orphaned;
  }

  /** A device may be let in: at least its alarms have room. */
  get hasRoom(): boolean {
    return this.fitsLane0(laneWindow(0));
  }

  /** Windows were promised, or given back (< 0). */
  promise(bytes: number): void {
    this.#promised += bytes;
  }

  /** The pipeline of devices without a session grew, or shrank (< 0). */
  orphan(bytes: number): void {
    this.#orphaned += bytes;
  }

  get #used(): number {
    return this.#promised + this.#orphaned;
  }
}
