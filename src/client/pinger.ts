import { LANE } from '../model/reading.ts';
import type { Now } from '../model/time.ts';
import type { Ping } from '../wire/messages.ts';
import type { DeviceMemory } from './device-memory.ts';
import { Prober } from './prober.ts';
import type { Pumped } from './pump.ts';

/** A blocked sender speaks up after this. Units: ms. Source: [R7-18]. */
const BLOCKED_PING_MS = 1000;
const NEVER_MS = Number.POSITIVE_INFINITY;

/**
 * When a connection has something to say by `ping`, and what: silence, a sender without credit, the
 * backlog of lane 2, the last watermarks. Source: PROTOCOL §7, §8.
 */
export class Pinger {
  readonly prober: Prober;
  readonly #memory: DeviceMemory;
  #isBackfillBlocked = false;

  constructor(memory: DeviceMemory, nowMs: number) {
    this.#memory = memory;
    this.prober = new Prober(nowMs);
  }

  /** Takes note of how a round of sending ended. */
  note(pumped: Pumped, hasSent: boolean, nowMs: number): void {
    this.#isBackfillBlocked = pumped.isBackfillBlocked;
    this.#memory.blocked.note(pumped.isBlocked, hasSent, nowMs);
  }

  /** When to send one, if nothing changes. */
  get dueMs(): number {
    const { blocked, mark, ring } = this.#memory;
    const isMarkDue = mark.isDue && ring.backlog === 0;
    const blockedMs = Number.isNaN(blocked.sinceMs) ? NEVER_MS : blocked.sinceMs + BLOCKED_PING_MS;
    const wantedMs = Math.min(this.prober.silentAtMs, blockedMs, isMarkDue ? 0 : NEVER_MS);
    return Math.min(this.#backfillDueMs, Math.max(wantedMs, this.prober.pingFromMs));
  }

  /** The ping that is due. */
  ping(now: Now): Ping {
    const { ring, mark } = this.#memory;
    const waiting = ring.lanes.filter((queue) => queue.isGranted && queue.backlog > 0);
    for (const queue of waiting) queue.backlogTold = queue.backlog;
    const wm = ring.backlog === 0 ? mark.untold : null;
    if (wm) mark.asked();
    this.prober.pinged(now);
    return {
      k: 'ping',
      bl: waiting.length > 0 ? waiting.map((q) => [q.lane, q.backlog] as const) : undefined,
      wm: wm ?? undefined,
      now: now.wallUs,
    };
  }

  /**
   * Lane 2 gets credit only after its backlog was told: at once when there is one of which the
   * server does not know, even behind an unanswered ping. Once told, the server has it in its queue
   * for as long as that takes; thousands of devices that come back must not ask every second.
   */
  get #backfillDueMs(): number {
    if (!this.#isBackfillBlocked) return NEVER_MS;
    const isTold = (this.#memory.ring.lane(LANE.backfill)?.backlogTold ?? 0) > 0;
    const { pacedFromMs, retellFromMs, pingFromMs } = this.prober;
    return isTold ? Math.max(retellFromMs, pingFromMs) : pacedFromMs;
  }
}
