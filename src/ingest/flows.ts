import { FLOW_PACE_MS } from '../model/limits.ts';
import { LANE } from '../model/reading.ts';
import type { Now } from '../model/time.ts';
import type { Why } from '../model/why.ts';
import { encode } from '../wire/encode.ts';
import type { FlowEntry } from '../wire/messages.ts';
import type { Channel } from './channel.ts';
import { whyOf } from './held-lanes.ts';
import type { IngestPort } from './port.ts';
import type { Session } from './session.ts';

/** Flows wait on a grid, so that thousands of sessions need few wake-ups. Units: ms. */
const GRID_MS = 4;

/** ack of a lane as this connection sees it. */
const ackOf = (session: Session, channel: Channel): number => {
  const state = session.device?.lanes[channel.lane];
  return state?.epoch === session.epoch ? Math.max(state.ack, channel.baseAck) : channel.baseAck;
};

/** The entry `[c, ack, lim, ?dropped]` of a lane, which is sent now. */
export function entryOf(session: Session, channel: Channel, { monoMs }: Now): FlowEntry {
  channel.tell(monoMs);
  const { lane, limit, dropped } = channel;
  const ack = ackOf(session, channel);
  return dropped > 0 ? [lane, ack, limit, dropped] : [lane, ack, limit];
}

/**
 * Tells sessions what was settled: lane 0 at once, the others at most every 20 ms.
 * Source: [R6.3-3] to [R6.3-6].
 */
export class Flows {
  readonly #port: IngestPort;
  readonly #waiting: Session[] = [];
  /** When the earliest waiting flow is due. */
  wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(port: IngestPort) {
    this.#port = port;
  }

  /** A lane of the session changed; its flow becomes due. */
  touch(session: Session, lane: number, now: Now): void {
    const isUrgent = lane === LANE.critical;
    const due = isUrgent ? now.monoMs : gridded(session.lastFlowMs + FLOW_PACE_MS, now.monoMs);
    if (due >= session.flowDueMs) return;
    if (session.flowDueMs === Number.POSITIVE_INFINITY) this.#waiting.push(session);
    session.flowDueMs = due;
    this.wakeAtMs = Math.min(this.wakeAtMs, due);
  }

  /** Sends every flow that is due. */
  tick(now: Now): void {
    if (now.monoMs < this.wakeAtMs) return;
    const waiting = this.#waiting;
    let kept = 0;
    let wakeAtMs = Number.POSITIVE_INFINITY;
    for (const session of waiting) {
      if (session.flowDueMs <= now.monoMs) this.send(session, now);
      if (session.flowDueMs === Number.POSITIVE_INFINITY) continue;
      waiting[kept] = session;
      kept += 1;
      wakeAtMs = Math.min(wakeAtMs, session.flowDueMs);
    }
    waiting.length = kept;
    this.wakeAtMs = wakeAtMs;
  }

  /** Sends the lanes that changed, or all of them. */
  send(session: Session, now: Now, all?: { readonly echo: number | undefined }): void {
    const f: FlowEntry[] = [];
    for (const channel of session.channels) {
      if (!channel || !(all || channel.isChanged)) continue;
      channel.isChanged = false;
      f.push(entryOf(session, channel, now));
    }
    session.flowDueMs = Number.POSITIVE_INFINITY;
    session.lastFlowMs = now.monoMs;
    if (all) session.lastFullFlowMs = now.monoMs;
    const told = this.#changesOf(session);
    const message = { k: 'flow', f, now: now.wallUs, echo: all?.echo, ...told } as const;
    this.#port.send(session.id, encode(session.codec, message));
  }

  /** `dur` and `why`, where they are not what was told last. [R3.4-4] */
  #changesOf(session: Session): { dur: number | undefined; why: Why | undefined } {
    if (!session.device) return { dur: undefined, why: undefined };
    const { dur, why } = session;
    session.dur = this.#port.dur();
    session.why = whyOf(session, this.#port);
    return {
      dur: dur === session.dur ? undefined : session.dur,
      why: why === session.why ? undefined : session.why,
    };
  }
}

/** The next point of the grid at or after `due`, or now if that has passed. */
const gridded = (due: number, nowMs: number): number =>
  due <= nowMs ? nowMs : Math.ceil(due / GRID_MS) * GRID_MS;
