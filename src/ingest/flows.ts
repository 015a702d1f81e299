import { FLOW_PACE_MS } from '../model/limits.ts';
import { LANE } from '../model/reading.ts';
import type { Now } from '../model/time.ts';
import { WHY, type Why } from '../model/why.ts';
import { encode } from '../wire/encode.ts';
import type { FlowEntry } from '../wire/messages.ts';
import type { Channel } from './channel.ts';
import type { Credit } from './credit.ts';
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

/** Why limits of this session do not advance: the log first, then its own lanes. [R3.4-4] */
export function whyOf(session: Session, port: IngestPort, credit: Credit): Why {
  const why = port.why();
  return why === WHY.none ? credit.whyOf(session) : why;
}

/** What a flow says of the session besides its lanes. */
interface Told {
  readonly dur: number | undefined;
  readonly why: Why | undefined;
  readonly ln: number | undefined;
}

/**
 * Tells sessions what was settled: lane 0 at once, the others at most every 20 ms.
 * Source: [R6.3-3] to [R6.3-6].
 */
export class Flows {
  readonly #port: IngestPort;
  readonly #credit: Credit;
  readonly #waiting: Session[] = [];
  /** When the earliest waiting flow is due. */
  wakeAtMs = Number.POSITIVE_INFINITY;

  /** The batching interval that is suggested just now; 0: none. Units: ms. Source: CREDIT §5.8. */
  lingerMs = 0;

  constructor(port: IngestPort, credit: Credit) {
    this.#port = port;
    this.#credit = credit;
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

  /** `dur`, `why` and `ln`, where they are not what was told last. [R3.4-4] */
  #changesOf(session: Session): Told {
    if (!session.device) return { dur: undefined, why: undefined, ln: undefined };
    const { dur, why, lingerMsTold } = session;
    session.dur = this.#port.dur();
    session.why = whyOf(session, this.#port, this.#credit);
    if (isOther(this.lingerMs, lingerMsTold)) session.lingerMsTold = this.lingerMs;
    return {
      dur: dur === session.dur ? undefined : session.dur,
      why: why === session.why ? undefined : session.why,
      ln: lingerMsTold === session.lingerMsTold ? undefined : session.lingerMsTold,
    };
  }
}

/** A suggestion is told again when it has doubled or halved, or ends. */
const isOther = (ms: number, told: number): boolean =>
  ms === 0 || told === 0 ? ms !== told : ms >= 2 * told || ms <= told / 2;

/** The next point of the grid at or after `due`, or now if that has passed. */
const gridded = (due: number, nowMs: number): number =>
  due <= nowMs ? nowMs : Math.ceil(due / GRID_MS) * GRID_MS;
