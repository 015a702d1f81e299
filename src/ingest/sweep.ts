import type { SessionId } from '../model/machine.ts';
import type { Session } from './session.ts';

/** Every session is looked at so often. Units: ms. */
export const SWEEP_MS = 500;
/**
 * Sessions in a part. After a reconnect storm the pings and heartbeats of all fall due in the same
 * second: 5 000 at once would keep the event loop from everything else for a tenth of a second.
 */
const PART_SESSIONS = 128;
/** A round has at most so many parts. */
const PARTS_MAX = 32;

/** A part that is due by less than this is due: or it would be waited for, for no time, for ever. */
const ROUNDING = 1e-6;

/** Whose turn it is to be looked at: all within a round, some at a time. */
export class Sweep {
  /** When the next part is due. Units: monotonic ms. */
  nextMs = 0;
  #rest: Iterator<Session> | null = null;
  #startMs = 0;
  #parts = 1;
  #partSessions = 0;
  #taken = 0;

  /** The next part begins a round. */
  get isAtStart(): boolean {
    return this.#rest === null;
  }

  /** The sessions that are due now. One that came since the round began is among them, too. */
  take(sessions: ReadonlyMap<SessionId, Session>, nowMs: number): readonly Session[] {
    const rest = this.#rest ?? this.#begin(sessions, nowMs);
    const partMs = SWEEP_MS / this.#parts;
    // Parts that a late timer left out are made up for, so that a round is never longer.
    const part = Math.floor((nowMs - this.#startMs) / partMs + ROUNDING) + 1;
    const upTo = part >= this.#parts ? Number.POSITIVE_INFINITY : part * this.#partSessions;
    const due: Session[] = [];
    while (this.#taken < upTo) {
      const { value, done } = rest.next();
      if (done) {
        this.#rest = null;
        break;
      }
      this.#taken += 1;
      due.push(value);
    }
    this.nextMs = this.#startMs + (this.#rest ? part * partMs : SWEEP_MS);
    return due;
  }

  #begin(sessions: ReadonlyMap<SessionId, Session>, nowMs: number): Iterator<Session> {
    const { size } = sessions;
    this.#parts = Math.max(1, Math.min(PARTS_MAX, Math.ceil(size / PART_SESSIONS)));
    this.#partSessions = Math.ceil(size / this.#parts);
    this.#startMs = nowMs;
    this.#taken = 0;
    this.#rest = sessions.values();
    return this.#rest;
  }
}
