import { FRAME_BYTES_MAX, LANE_0_SHARE } from '../../model/limits.ts';
import { LANE } from '../../model/reading.ts';
import { reserveOf } from './reserve.ts';

/** Of the budget, so much is set aside for sessions where their number is not given. */
const SET_ASIDE_PART = 4 / 5;

/** What a session with lanes 0 and 1 owns. Units: bytes. */
export const SESSION_BYTES =
  reserveOf(LANE.critical, FRAME_BYTES_MAX[LANE.critical] as number) +
  reserveOf(LANE.live, FRAME_BYTES_MAX[LANE.live] as number);

/** What is set aside, by how many sessions; a part of it is for lane 0 alone. Units: bytes. */
export const setAsideFor = (sessions: number): number =>
  Math.ceil((sessions * SESSION_BYTES) / (1 - LANE_0_SHARE));

/** For how many sessions this part of a budget is enough; absent: where nobody says how many. */
export const sessionsOf = (budgetBytes: number, part = SET_ASIDE_PART): number =>
  Math.floor((part * budgetBytes * (1 - LANE_0_SHARE)) / SESSION_BYTES);

/**
 * The memory promised to publishers: the reserves that open channels own, and a pool for exposure
 * beyond them and for what connections that are gone left in the pipeline.
 * Guarantee: reserved + used ≤ budget, as long as nothing is reserved that does not fit.
 * Units: bytes of memory. Source: CREDIT §5.4.
 */
export class Memory {
  readonly budget: number;
  /** What the pool lets channels have. */
  readonly size: number;
  readonly #pressedAt: number;
  readonly #forLane0: number;
  readonly #forSessions: number;
  /** Reserves of open channels. */
  reserved = 0;
  /** What is out of the pool; more than its size where sessions left their reserve to the log. */
  used = 0;

  constructor(budgetBytes: number, sessions: number, pressedPart: number) {
    const setAside = Math.min(budgetBytes, setAsideFor(sessions));
    this.budget = budgetBytes;
    this.size = budgetBytes - setAside;
    this.#pressedAt = this.size * pressedPart;
    this.#forLane0 = setAside * LANE_0_SHARE;
    // What is set aside is rounded up: as many sessions as were asked for are all of it.
    this.#forSessions = Math.min(setAside - this.#forLane0, sessions * SESSION_BYTES);
  }

  /** How much of what is set aside for sessions is theirs; 1: all. */
  get share(): number {
    return this.reserved / this.#forSessions;
  }

  /** How much of the pool is out; 1: all. */
  get poolShare(): number {
    return this.used / this.size;
  }

  /** A device may be let in: at least its alarms have room. */
  get hasRoom(): boolean {
    return this.fitsLane0(reserveOf(LANE.critical, FRAME_BYTES_MAX[LANE.critical] as number));
  }

  /** What the pool can still give. */
  get room(): number {
    return Math.max(0, this.size - this.used);
  }

  /** Windows shrink to what is needed. */
  get isPressed(): boolean {
    return this.used > this.#pressedAt;
  }

  /** So much more can be reserved for lane 0; `freed` is given back before. */
  fitsLane0(bytes: number, freed = 0): boolean {
    return this.reserved - freed + bytes <= this.budget - Math.max(this.used, this.size);
  }

  /** The same for whatever a session asks: a part is left for lane 0. Source: [R2.1-22]. */
  fits(bytes: number, freed = 0): boolean {
    return this.fitsLane0(bytes + this.#forLane0, freed);
  }
}
