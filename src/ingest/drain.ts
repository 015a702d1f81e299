import { type Breach, breach } from '../model/errors.ts';
import { DRAIN_MS_LEAST, DRAIN_SPREAD_MS_LEAST, RECONNECTS_PER_SECOND } from '../model/limits.ts';
import type { MonoMs } from '../model/time.ts';
import type { Away } from '../wire/messages.ts';

/** The last of a drain, in which nothing is granted. Units: ms. Source: CREDIT §5.7. */
const DRAIN_LAST_MS = 1000;

/** A node on its way down: who is there may finish, nobody is let in. Source: [R10.1-9]. */
export class Drain {
  /** Within this the sessions leave. Units: ms. */
  readonly spreadMs: number;
  /** How long the node serves on. Units: ms. */
  readonly lastsMs: number;
  readonly endsAtMs: number;
  /** From then on nothing more is granted: what comes still has to become durable. */
  readonly grantsUntilMs: number;

  constructor(sessions: number, nowMs: MonoMs) {
    const spreadMs = Math.ceil((sessions * 1000) / RECONNECTS_PER_SECOND);
    this.spreadMs = Math.max(DRAIN_SPREAD_MS_LEAST, spreadMs);
    this.lastsMs = Math.max(DRAIN_MS_LEAST, 2 * this.spreadMs);
    this.endsAtMs = nowMs + this.lastsMs;
    this.grantsUntilMs = this.endsAtMs - DRAIN_LAST_MS;
  }

  /** What a session is told when the drain begins. */
  get farewell(): Away {
    const { code: e, message: m } = breach(4201);
    return { k: 'away', e, m, w: this.spreadMs, dl: this.lastsMs };
  }

  /** What whoever comes later is told. */
  get refusal(): Breach {
    return { ...breach(4201), waitMs: this.spreadMs };
  }
}
