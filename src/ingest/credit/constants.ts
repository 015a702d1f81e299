import { JSON_GROWTH } from '../../model/limits.ts';

const KIB = 1024;

/** Every number of the allocator. Units: bytes and seconds. Source: CREDIT §6, which says why. */
export interface CreditConstants {
  /** The queue that saturation keeps before the log. A log cannot be filled with less. */
  readonly targetS: number;
  /** The target is at least so many small appends: below that a slow log starves itself. */
  readonly targetAppends: number;
  /** Memory of the drain rate, in busy time: follows a drop, not one slow append. */
  readonly memoryS: number;
  /** One completion counts for at most so much busy time: a stall is no rate. */
  readonly stallS: number;
  /** Queue of the first guess of the drain, over `targetS`. */
  readonly startBytes: number;
  /** Bytes in play are never less: several turns, whatever the drain. */
  readonly leastBytes: number;
  /** A completion tells the drain if this part of the wanted queue stood before it. */
  readonly fullPart: number;
  /** Completions this far apart, twice in a row, tell the drain whatever stood before them. */
  readonly slowS: number;
  /** An append up to this size tells what an append costs by itself. */
  readonly smallBytes: number;
  /** Under saturation a small append is forced when there was none for so long. */
  readonly probeS: number;
  /** A window is so many times what its channel used in its last round. */
  readonly gain: number;
  /** Of the first grant of a new channel, so much is expected: it may have data or none. */
  readonly freshPart: number;
  /** Backfill alone keeps the queue at this part of the target. */
  readonly backfillPart: number;
  /** While live waits, backfill is granted this part of what live is granted. */
  readonly backfillTrickle: number;
  /** The trickle is saved up to this much. */
  readonly backfillSavedBytes: number;
  /** Of the pool, so much is for lane 2 alone: two largest frames. Without it it is never served. */
  readonly poolKeptBytes: number;
  /** Beyond this part of the pool windows shrink to what is needed. */
  readonly pressedPart: number;
  /** Event-loop delay that is ordinary. */
  readonly lagFreeS: number;
  /** Round trip until the first Pong. */
  readonly firstRoundTripS: number;
  /** Longest round trip that is believed. */
  readonly longestRoundTripS: number;
  /** Lane 0 of a device: sustained rate. Source: [R7-23]. */
  readonly criticalPerSecond: number;
  /** Lane 0 of the node: part of the drain. */
  readonly criticalPart: number;
  /** The same, at once, besides that part of a target's worth. */
  readonly criticalBurstBytes: number;
  /** Channels that are passed over in one serve because the pool has no byte for them. */
  readonly inVainMax: number;
}

/** What a node runs with. */
export const CREDIT: CreditConstants = {
  targetS: 0.15,
  targetAppends: 4,
  memoryS: 0.5,
  stallS: 1,
  startBytes: 1024 * KIB,
  leastBytes: 64 * KIB,
  fullPart: 1 / 4,
  slowS: 0.05,
  smallBytes: 8 * KIB,
  probeS: 10,
  gain: 2,
  freshPart: 1 / 2,
  backfillPart: 1 / 2,
  backfillTrickle: 1 / 50,
  backfillSavedBytes: 64 * KIB,
  poolKeptBytes: 2 * 8256 * JSON_GROWTH,
  pressedPart: 1 / 2,
  lagFreeS: 0.05,
  firstRoundTripS: 0.1,
  longestRoundTripS: 1.5,
  criticalPerSecond: 16 * KIB,
  criticalPart: 1 / 2,
  criticalBurstBytes: 64 * KIB,
  inVainMax: 8,
};

/** The wheels: so many slots of so long, more in all than the longest round trip. */
export const WHEEL_SLOTS = 128;
/** Units: seconds. */
export const SLOT_S = 0.016;

/** The slot of a time. */
export const slotOf = (nowS: number): number => Math.floor(nowS / SLOT_S);
