import type { Identity } from '../model/identity.ts';
import {
  HEARTBEAT_MS,
  IDLE_MS,
  JSON_GROWTH,
  PINGS_BURST,
  PINGS_PER_SECOND,
} from '../model/limits.ts';
import type { Codec, SessionId } from '../model/machine.ts';
import { LANE, type Schema } from '../model/reading.ts';
import type { MonoMs } from '../model/time.ts';
import { WHY, type Why } from '../model/why.ts';
import type { Hello } from '../wire/messages.ts';
import type { Channel } from './channel.ts';
import type { Device } from './device.ts';
import { TokenBucket } from './token-bucket.ts';

/** A set as this connection defined it. */
export interface SetDefinition {
  readonly lane: number;
  readonly schema: Schema;
}

/** A connection that was just opened. */
export interface Newcomer {
  readonly session: SessionId;
  readonly codec: Codec;
  /** From the credential of the upgrade; null if it carried none. */
  readonly identity: Identity | null;
  /** Absent: no. */
  readonly isLocal?: boolean;
}

/** One WebSocket connection, seen from the protocol. Source: PROTOCOL §4. */
export class Session {
  readonly id: SessionId;
  readonly codec: Codec;
  /** From the credential of the upgrade, or from that of `hello`; null as long as there is none. */
  identity: Identity | null;
  /** The `hello` whose token is being verified. Bounds: 4 KiB. */
  unproven: Hello | null = null;
  /** It was told that its credential expires, or came when that was too near to tell. */
  isToldOfExpiry = false;
  /** It was told to go within some time, and is served until then. [R10.1-2] */
  isToldToGo = false;
  /** The device as which it wanted to publish, whether it may or not; empty if it did not. */
  path = '';
  /** Its peer is on this machine, where many may share an address. [R14-16] */
  readonly isLocal: boolean;
  /** The batching interval told last; 0: none. Units: ms. */
  lingerMsTold = 0;
  readonly openedAtMs: MonoMs;
  /** Null until `hello`, and for sessions that only subscribe. */
  device: Device | null = null;
  epoch = 0;
  isWelcomed = false;
  channels: readonly (Channel | undefined)[] = [];
  readonly sets = new Map<number, SetDefinition>();
  readonly pings = new TokenBucket(PINGS_PER_SECOND, PINGS_BURST);
  heartbeatMs = HEARTBEAT_MS;
  receiveBytesMax = 0;
  lastHeardMs: MonoMs;
  lastFlowMs = Number.NEGATIVE_INFINITY;
  /** When a flow told all lanes. */
  lastFullFlowMs = Number.NEGATIVE_INFINITY;
  lastProbeMs: number;
  /** The reason told last. */
  why: Why = WHY.none;
  /** What an ack is worth, as told last. */
  dur = 0;
  /** When the next flow is due; Infinity if nothing is to be told. */
  flowDueMs = Number.POSITIVE_INFINITY;

  /** What a byte of cost is in memory at most. */
  get growth(): number {
    return this.codec === 'json' ? JSON_GROWTH : 1;
  }

  constructor(newcomer: Newcomer, nowMs: MonoMs) {
    const { session: id, codec, identity, isLocal = false } = newcomer;
    this.id = id;
    this.codec = codec;
    this.identity = identity;
    this.isLocal = isLocal;
    this.openedAtMs = nowMs;
    this.lastHeardMs = nowMs;
    this.lastProbeMs = nowMs;
  }

  /**
   * Its silence means that it has nothing to say: no lane has told a backlog, and as far as its
   * client knows none has lacked credit for as long as a class has to be silent. So nobody is idle
   * at once after `welcome`, or after the flow that ends a wait for credit. Source: [R9.2-4].
   */
  isUnblocked(nowMs: number): boolean {
    return this.channels.every((channel) => {
      if (!channel) return true;
      if (channel.backlog > 0) return false;
      return channel.lane === LANE.backfill || channel.openMs(nowMs) >= IDLE_MS;
    });
  }
}
