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
import type { Now } from '../model/time.ts';
import { WHY } from '../model/why.ts';
import { encode } from '../wire/encode.ts';
import type { Hello, LaneTriple, Welcome } from '../wire/messages.ts';
import type { Budget } from './budget.ts';
import { Channel } from './channel.ts';
import type { Device, DeviceRegistry, LaneState } from './device.ts';
import { entryOf } from './flows.ts';
import type { IngestOptions } from './options.ts';
import type { IngestPort } from './port.ts';
import type { Session } from './session.ts';

/** Lanes that a client may be granted today: critical and live. */
const GRANTABLE = 2;
const DAY_MS = 86_400_000;

/** Largest epoch that is not from the future. Source: [R4.1-17]. */
const epochMax = (unixMs: number): number => (unixMs + DAY_MS) * 1024;

/** Mints epochs that no other of this node equals. Source: [R4.1-16]. */
export class EpochMint {
  readonly #random: () => number;
  #minted = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** A new epoch, above `known` and above every epoch minted here before. */
  mint(known: number, unixMs: number): number {
    const byClock = Math.floor(unixMs) * 1024 + Math.floor(this.#random() * 1024);
    this.#minted = Math.max(known + 1, this.#minted + 1, byClock);
    return this.#minted;
  }
}

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

/** Chooses the epoch of a publishing session. Source: [R4.1-10], [R4.1-11], [R4.1-17]. */
export function chooseEpoch(
  device: Device,
  asked: number | undefined,
  mint: EpochMint,
  unixMs: number,
): number | Breach {
  if (asked === undefined) return mint.mint(device.known, unixMs);
  if (device.known > asked) return breach(4007);
  if (asked !== device.known && asked > epochMax(unixMs)) {
    return breach(4007, 'this epoch lies in the future');
  }
  return asked;
}

/** Opens one lane in this epoch. Source: [R4.1-13], [R4.1-18], [R4.1-19]. */
function openLane(state: LaneState, epoch: number, [lane, qosAsked, first]: LaneTriple): Channel {
  const isKnown = state.epoch === epoch;
  const qos = Math.min(1, qosAsked);
  if ((isKnown && state.qos === 0 && qos === 1) || (!isKnown && first > 1)) {
    state.uncertainEpoch = epoch;
  }
  if (isKnown) state.qos = qos;
  return new Channel({
    lane,
    qos,
    mf: FRAME_BYTES_MAX[lane] as number,
    adm: isKnown ? Math.max(state.adm, first - 1) : first - 1,
    baseAck: isKnown ? 0 : first - 1,
    carry: state.unsettled,
  });
}

/** Opens the lanes that were asked for and can be granted; indexed by lane. */
export function openLanes(
  device: Device,
  epoch: number,
  asked: readonly LaneTriple[],
): (Channel | undefined)[] {
  const channels: (Channel | undefined)[] = [];
  for (const triple of asked) {
    const state = triple[0] < GRANTABLE ? device.lanes[triple[0]] : undefined;
    if (state) channels[triple[0]] = openLane(state, epoch, triple);
  }
  return channels;
}

/** Answers `hello`. Source: PROTOCOL §4.1. */
export class Opener {
  readonly #options: IngestOptions;
  readonly #devices: DeviceRegistry;
  readonly #budget: Budget;
  readonly #fence: (older: SessionId, now: Now) => void;
  readonly #mint: EpochMint;
  #welcomed = 0;

  /** `fence` sends an earlier session of the same device away. */
  constructor(
    options: IngestOptions,
    devices: DeviceRegistry,
    budget: Budget,
    fence: (older: SessionId, now: Now) => void,
  ) {
    this.#options = options;
    this.#devices = devices;
    this.#budget = budget;
    this.#fence = fence;
    this.#mint = new EpochMint(options.random);
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
    if (this.#devices.isTangled(path)) {
      return breach(4004, 'this path extends, or is extended by, that of another device');
    }
    const asked = hello.ch ?? [];
    if (!asked.some(([lane]) => lane < GRANTABLE)) {
      return breach(4005, 'none of these lanes can be granted');
    }
    const before = this.#devices.get(path);
    const epoch = this.#epochFor(before, hello, now);
    if (typeof epoch !== 'number') {
      this.#devices.drop(before);
      return epoch;
    }
    if (before.session !== 0) this.#fence(before.session, now);
    // The older session may have been all that was known of the device: then it was dropped.
    const device = this.#devices.get(path);
    session.device = device;
    session.epoch = epoch;
    session.channels = openLanes(device, epoch, asked);
    device.session = session.id;
    this.#budget.reserve(device);
    if (hello.now !== undefined) device.clockOffset.tell(hello.now, now.wallUs);
    this.#welcome(session, now);
    return null;
  }

  /** The epoch of this device's session, or why there is none. */
  #epochFor(device: Device, hello: Hello, now: Now): number | Breach {
    const refusal = this.#options.port.refusalOf(device.shard);
    if (refusal) return refusal;
    const epoch = chooseEpoch(device, hello.ep, this.#mint, now.wallUs / 1000);
    if (typeof epoch !== 'number') return epoch;
    return device.session === 0 && !this.#budget.hasRoom ? breach(4100) : epoch;
  }

  #welcome(session: Session, now: Now): void {
    const { port } = this.#options;
    session.isWelcomed = true;
    session.lastFlowMs = now.monoMs;
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
      ...(session.device ? publisherHalf(session, port) : {}),
    } as const;
    port.send(session.id, encode(session.codec, welcome));
  }
}

/** What `welcome` says to a publisher besides. Source: [R4.1-14]. */
function publisherHalf(
  session: Session,
  port: IngestPort,
): Pick<Welcome, 'ep' | 'f' | 'ch' | 'dur' | 'why'> {
  session.why = port.why();
  const channels = session.channels.filter((channel) => channel !== undefined);
  return {
    ep: session.epoch,
    f: channels.map((channel) => entryOf(session, channel)),
    ch: channels.map(({ lane, qos, mf }) => [lane, qos, mf] as const),
    dur: port.dur(),
    why: session.why === WHY.none ? undefined : session.why,
  };
}
