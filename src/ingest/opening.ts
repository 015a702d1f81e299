import { type Breach, breach } from '../model/errors.ts';
import { ANYBODY, type Identity, openIdentity } from '../model/identity.ts';
import {
  EXPIRY_NOTICE_MS,
  FRAME_BYTES_MAX,
  HEARTBEAT_MS,
  HEARTBEAT_MS_MAX,
  HEARTBEAT_MS_MIN,
  RECEIVE_BYTES_DEFAULT,
  SUBSCRIBER_BYTES_MAX,
} from '../model/limits.ts';
import type { SessionId } from '../model/machine.ts';
import { LANE } from '../model/reading.ts';
import type { Now } from '../model/time.ts';
import { WHY } from '../model/why.ts';
import { encode } from '../wire/encode.ts';
import type { Hello, LaneTriple, Welcome } from '../wire/messages.ts';
import { Channel } from './channel.ts';
import { type Conducts, tooMany } from './conduct.ts';
import { type Credit, reservesOf } from './credit.ts';
import type { Device, DeviceRegistry, LaneState } from './device.ts';
import { chooseEpoch, EpochMint } from './epochs.ts';
import { entryOf, whyOf } from './flows.ts';
import type { IngestOptions } from './options.ts';
import type { IngestPort } from './port.ts';
import type { Session } from './session.ts';
import { noRoom } from './waits.ts';

/** Lanes that a client may be granted: all but that of sources. */
const GRANTABLE = LANE.source;
/** Who says this `hello`, where that needs no proof; null: its token has to be verified. */
function unprovenPeer({ tok }: Hello, isOpen: boolean): Identity | Breach | null {
  if (!isOpen) return tok === undefined ? breach(4003, 'a token is needed here') : null;
  if (tok === undefined) return ANYBODY;
  const identity = openIdentity(tok);
  if (identity !== null) return identity;
  return breach(4003, 'in open mode the token is the device path, and this one is no path');
}

/** Why this peer may not publish. */
const mayNotPublish = (isOpen: boolean): Breach =>
  isOpen
    ? breach(4004, 'to publish, name the device: Authorization: Bearer PATH, or tok')
    : breach(4004, 'this token has no publish scope, or its subject is no device path');

/** Checks what `hello` says by itself. */
export function checkHello(hello: Hello): Breach | null {
  if (hello.rx !== undefined && hello.rx < RECEIVE_BYTES_DEFAULT) {
    return breach(4009, `rx must be at least ${RECEIVE_BYTES_DEFAULT}`);
  }
  const asked = hello.ch ?? [];
  const lanes = new Set(asked.map(([lane]) => lane));
  if (lanes.size !== asked.length) return breach(4001, 'hello names a lane twice');
  if (hello.ep === undefined && asked.some(([, , first]) => first !== 1)) {
    return breach(4001, 'without ep every lane starts at first = 1');
  }
  return null;
}

/** The heartbeat of a session: the client's wish, within bounds. Source: [R8-1]. */
export const heartbeatOf = (wish: number | undefined): number =>
  Math.min(HEARTBEAT_MS_MAX, Math.max(HEARTBEAT_MS_MIN, wish ?? HEARTBEAT_MS));

/** Opens one lane in this epoch. Source: [R4.1-13], [R4.1-18], [R4.1-19]. */
function openLane(state: LaneState, triple: LaneTriple, epoch: number): Channel {
  const [lane, qosAsked, first] = triple;
  const isKnown = state.epoch === epoch;
  const qos = Math.min(1, qosAsked);
  if ((isKnown && state.qos === 0 && qos === 1) || (!isKnown && first > 1)) {
    state.uncertainEpoch = epoch;
  }
  if (isKnown) {
    state.qos = qos;
    if (qos === 0) state.adm = Math.max(state.adm, first - 1);
    state.process();
  }
  return new Channel({
    lane,
    qos,
    mf: FRAME_BYTES_MAX[lane] as number,
    adm: isKnown ? Math.max(state.adm, first - 1) : first - 1,
    baseAck: isKnown ? 0 : first - 1,
    carry: state.unsettled,
  });
}

/** Opens these lanes; indexed by lane. */
export function openLanes(
  device: Device,
  asked: readonly LaneTriple[],
  epoch: number,
): (Channel | undefined)[] {
  const channels: (Channel | undefined)[] = [];
  for (const triple of asked) {
    channels[triple[0]] = openLane(device.lanes[triple[0]] as LaneState, triple, epoch);
  }
  return channels;
}

/** What the opener works with. */
export interface OpenerParts {
  readonly options: IngestOptions;
  readonly devices: DeviceRegistry;
  readonly credit: Credit;
  readonly conducts: Conducts;
  /** Why nobody is let in any more, or null. */
  readonly departing: () => Breach | null;
  /** Sends an earlier session of the same device away. */
  readonly fence: (older: SessionId, now: Now) => void;
  /** What the lanes of a session own. Units: bytes. */
  readonly reservedBy: (session: SessionId) => number;
}

/** Answers `hello`. Source: PROTOCOL §4.1. */
export class Opener {
  readonly #parts: OpenerParts;
  readonly #options: IngestOptions;
  readonly #mint: EpochMint;
  #welcomed = 0;

  constructor(parts: OpenerParts) {
    this.#parts = parts;
    this.#options = parts.options;
    this.#mint = new EpochMint(parts.options.random);
  }

  /** Welcomes the session, says why not, or has its token verified: then `admit` follows. */
  hello(session: Session, hello: Hello, now: Now): Breach | null {
    const why = checkHello(hello);
    if (why) return why;
    session.heartbeatMs = heartbeatOf(hello.hb);
    session.receiveBytesMax = Math.min(hello.rx ?? SUBSCRIBER_BYTES_MAX, SUBSCRIBER_BYTES_MAX);
    const peer = session.identity ?? unprovenPeer(hello, this.#options.isOpen);
    if (peer !== null) return this.admit(session, peer, hello, now);
    session.unproven = hello;
    this.#options.port.verify(session.id, hello.tok ?? '');
    return null;
  }

  /** It is known who says this `hello`, or why that is nobody. Source: [R4.1-5], [R2.1-10]. */
  admit(session: Session, peer: Identity | Breach, hello: Hello, now: Now): Breach | null {
    if ('code' in peer) return peer;
    const leftMs = (peer.expiresUs - now.wallUs) / 1000;
    if (leftMs <= 0) return breach(4003, 'the token has expired');
    const departing = this.#parts.departing();
    if (departing) return departing;
    session.identity = peer;
    session.isToldOfExpiry = leftMs <= EXPIRY_NOTICE_MS;
    if (hello.ch !== undefined) {
      if (!peer.isPublisher) return mayNotPublish(this.#options.isOpen);
      return this.#publish(session, peer.subject, hello, now);
    }
    if (!peer.isPublisher && peer.reads.length === 0) {
      return breach(4004, 'this token may neither publish nor read');
    }
    this.#welcome(session, now);
    return null;
  }

  /** The steps of [R4.1-8], in their order. */
  #publish(session: Session, path: string, hello: Hello, now: Now): Breach | null {
    session.path = path;
    const { devices } = this.#parts;
    const held = this.#heldAgainst(session, now) ?? this.#misplaced(path);
    if (held) return held;
    const asked = (hello.ch ?? []).filter(([lane]) => lane < GRANTABLE);
    if (asked.length === 0) return breach(4005, 'none of these lanes can be granted');
    const before = devices.get(path);
    const epoch = this.#epochFor(before, hello, now);
    const room = this.#roomFor(session, before, asked);
    const full = room === 'none' ? noRoom(this.#options.random) : null;
    const why = typeof epoch === 'number' ? full : epoch;
    if (why) {
      devices.drop(before);
      return why;
    }
    if (before.session !== 0) this.#parts.fence(before.session, now);
    // The older session may have been all that was known of the device: then it was dropped.
    const device = devices.get(path);
    session.device = device;
    session.epoch = epoch as number;
    session.channels = openLanes(device, asked, session.epoch);
    device.session = session.id;
    this.#parts.credit.open(session, room === 'all', now);
    this.#parts.credit.serve(now);
    if (hello.now !== undefined) device.clockOffset.tell(hello.now, now);
    this.#welcome(session, now);
    return null;
  }

  /** What earlier sessions of the device bring upon this one. Source: [R10.1-8], [R14-16]. */
  #heldAgainst(session: Session, now: Now): Breach | null {
    const conduct = this.#parts.conducts.find(session.path);
    if (!conduct) return null;
    const quarantineMs = Math.ceil(conduct.quarantinedUntilMs - now.monoMs);
    if (quarantineMs > 0) {
      const detail = 'this device is in quarantine after a fault of ours in one of its sessions';
      return { ...breach(4100, detail), waitMs: quarantineMs };
    }
    return session.isLocal ? null : tooMany(conduct, now);
  }

  #misplaced(path: string): Breach | null {
    if (!this.#parts.devices.isTangled(path)) return null;
    return breach(4004, 'this path extends, or is extended by, that of another device');
  }

  /**
   * For which lanes there is room, once what an earlier session of the device was promised is given
   * back. With room for lane 0 alone the others own nothing and wait for room. [R2.1-22], [R7-16]
   */
  #roomFor(
    session: Session,
    { session: older }: Device,
    asked: readonly LaneTriple[],
  ): 'all' | 'lane 0' | 'none' {
    const { credit, reservedBy } = this.#parts;
    const freed = older === 0 ? 0 : reservedBy(older);
    const lanes = asked.map(([lane]) => lane);
    if (credit.memory.fits(reservesOf(lanes) * session.growth, freed)) return 'all';
    const hasCritical = lanes.includes(LANE.critical);
    const lane0 = reservesOf([LANE.critical]) * session.growth;
    return hasCritical && credit.memory.fitsLane0(lane0, freed) ? 'lane 0' : 'none';
  }

  /** The epoch of this device's session, or why there is none. */
  #epochFor(device: Device, hello: Hello, now: Now): number | Breach {
    const refusal = this.#options.port.refusalOf(device.shard);
    return refusal ?? chooseEpoch(device, hello.ep, this.#mint, now.wallUs / 1000);
  }

  #welcome(session: Session, now: Now): void {
    const { port } = this.#options;
    session.isWelcomed = true;
    session.lastFlowMs = now.monoMs;
    session.lastFullFlowMs = now.monoMs;
    this.#welcomed += 1;
    port.subscribers.open(session.id, {
      codec: session.codec,
      messageBytesMax: session.receiveBytesMax,
      heartbeatMs: session.heartbeatMs,
      reads: session.identity?.reads ?? [],
    });
    const welcome = {
      k: 'welcome',
      now: now.wallUs,
      hb: session.heartbeatMs,
      sid: this.#welcomed.toString(36),
      ...(session.device ? publisherHalf(session, port, this.#parts.credit, now) : {}),
    } as const;
    port.send(session.id, encode(session.codec, welcome));
  }
}

/** What `welcome` says to a publisher besides. Source: [R4.1-14]. */
function publisherHalf(
  session: Session,
  port: IngestPort,
  credit: Credit,
  now: Now,
): Pick<Welcome, 'ep' | 'f' | 'ch' | 'dur' | 'why'> {
  session.why = whyOf(session, port, credit);
  session.dur = port.dur();
  const channels = session.channels.filter((channel) => channel !== undefined);
  return {
    ep: session.epoch,
    f: channels.map((channel) => entryOf(session, channel, now)),
    ch: channels.map(({ lane, qos, mf }) => [lane, qos, mf] as const),
    dur: session.dur,
    why: session.why === WHY.none ? undefined : session.why,
  };
}
