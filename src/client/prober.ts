import { HEARTBEAT_MS } from '../model/limits.ts';
import type { Now } from '../model/time.ts';

/** Silence, in heartbeats, after which the client closes. Source: [R8-2]. */
const SILENT_HEARTBEATS_MAX = 2.5;
/** Least time between two pings. Units: ms. Source: [R7-18], [R8-5]. */
const PING_PACE_MS = 1000;

/**
 * Who spoke last, and when a ping may or must be sent: the client's side of liveness.
 * Guarantee: never two pings within a second, and no second one before the answer unless the
 * server stays silent for a whole heartbeat more. Source: PROTOCOL §8.
 */
export class Prober {
  #heartbeatMs = HEARTBEAT_MS;
  #heardMs: number;
  #pingedMs = Number.NEGATIVE_INFINITY;
  /** `now` of the ping that is not answered yet. Units: µs. */
  #askedUs: number | null = null;

  /** A connection was opened just now. */
  constructor(nowMs: number) {
    this.#heardMs = nowMs;
  }

  /** The server decided on a heartbeat. */
  agree(heartbeatMs: number): void {
    this.#heartbeatMs = heartbeatMs;
  }

  /** Any message came. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  /** A flow told which ping it answers. Returns true if it was the one waited for. */
  answered(echoUs: number): boolean {
    if (echoUs !== this.#askedUs) return false;
    this.#askedUs = null;
    return true;
  }

  /** A ping that carries `now` was sent. */
  pinged(now: Now): void {
    this.#pingedMs = now.monoMs;
    this.#askedUs = now.wallUs;
  }

  /** From when on a ping may be sent even if the last one is not answered. [R7-18] */
  get pacedFromMs(): number {
    return this.#pingedMs + PING_PACE_MS;
  }

  /** When a backlog that was told already may be told again, though nothing came of it. */
  get retellFromMs(): number {
    return this.#pingedMs + this.#heartbeatMs;
  }

  /** From when on a ping may be sent. */
  get pingFromMs(): number {
    const paced = this.pacedFromMs;
    if (this.#askedUs === null) return paced;
    return Math.max(paced, Math.max(this.#heardMs, this.#pingedMs) + this.#heartbeatMs);
  }

  /** When silence calls for a ping. */
  get silentAtMs(): number {
    return Math.max(this.#heardMs, this.#pingedMs) + this.#heartbeatMs;
  }

  /** When silence means that the connection is dead. */
  get deadAtMs(): number {
    return this.#heardMs + SILENT_HEARTBEATS_MAX * this.#heartbeatMs;
  }
}
