import type { Rung } from '../model/rung.ts';
import type { Credit } from './credit.ts';

/** How full a node is. Source: CREDIT §5.8. */
export interface Load {
  /** What waits before the log, as time, in multiples of the target delay. */
  readonly delayShare: number;
  /** How much of the pool is promised. */
  readonly poolShare: number;
  /** How many of the sessions a node takes are there. */
  readonly sessionShare: number;
  /** The log takes nothing. */
  readonly isLogDown: boolean;
}

/** Waits long enough to be sure, both ways: what flickers around a bound changes nothing. */
class Switch {
  readonly #enter: number;
  readonly #leave: number;
  readonly #enterMs: number;
  readonly #leaveMs: number;
  #isOn = false;
  /** Since when the figure has been on the other side; NaN if it is not. */
  #sinceMs = Number.NaN;

  constructor(enter: number, leave: number, enterMs: number, leaveMs: number) {
    this.#enter = enter;
    this.#leave = leave;
    this.#enterMs = enterMs;
    this.#leaveMs = leaveMs;
  }

  /** Takes the figure of this moment; true if the rung holds. */
  look(figure: number, nowMs: number): boolean {
    const isOther = this.#isOn ? figure < this.#leave : figure >= this.#enter;
    if (!isOther) this.#sinceMs = Number.NaN;
    else if (Number.isNaN(this.#sinceMs)) this.#sinceMs = nowMs;
    const waitMs = this.#isOn ? this.#leaveMs : this.#enterMs;
    if (isOther && nowMs - this.#sinceMs >= waitMs) {
      this.#isOn = !this.#isOn;
      this.#sinceMs = Number.NaN;
    }
    return this.#isOn;
  }
}

/** Bounds of the batching interval that is suggested. Units: ms. */
const LN_MS_MIN = 20;
const LN_MS_MAX = 1000;
/** How long a figure has to stay beyond its bound, and back within it. Units: ms. */
const ENTER_MS = 1000;
const LEAVE_MS = 5000;

/**
 * When it is too much: which rung of the ladder the node stands on, with hysteresis.
 * Source: DESIGN §9, CREDIT §5.8.
 */
export class Ladder {
  readonly #delay = new Switch(2, 1.2, ENTER_MS, LEAVE_MS);
  readonly #pool = new Switch(0.5, 0.3, ENTER_MS, LEAVE_MS);
  readonly #sessions = new Switch(1, 0.98, 0, 0);
  #rung: Rung = 0;

  /** Where the node stands, as of the last look. */
  get rung(): Rung {
    return this.#rung;
  }

  /**
   * Looks where a node with this credit stands; returns the batching interval that is suggested to
   * devices then, 0: none. Units: ms. Source: CREDIT §5.8 `ln`.
   */
  climb(credit: Credit, isLogDown: boolean, nowMs: number): number {
    const { delayShare, memory, roundMs } = credit;
    const { poolShare } = memory;
    this.look({ delayShare, poolShare, sessionShare: memory.share, isLogDown }, nowMs);
    if (this.#rung === 0) return 0;
    return Math.round(Math.min(LN_MS_MAX, Math.max(LN_MS_MIN, roundMs)));
  }

  /** Takes the load of this moment; true if the rung changed. */
  look(load: Load, nowMs: number): boolean {
    const before = this.#rung;
    const isDelayed = this.#delay.look(load.delayShare, nowMs);
    const isPressed = this.#pool.look(load.poolShare, nowMs);
    const isFull = this.#sessions.look(load.sessionShare, nowMs);
    if (load.isLogDown) this.#rung = 4;
    else if (isFull) this.#rung = 3;
    else if (isPressed) this.#rung = 2;
    else this.#rung = isDelayed ? 1 : 0;
    return this.#rung !== before;
  }
}
