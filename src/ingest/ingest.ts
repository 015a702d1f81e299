import { type Breach, breach } from '../model/errors.ts';
import type { Settlement } from '../model/frame.ts';
import type { Identity } from '../model/identity.ts';
import {
  EXPIRY_NOTICE_MS,
  EXPIRY_SPREAD_MS,
  HEARTBEATS_SILENT_MAX,
  HELLO_TIMEOUT_MS,
} from '../model/limits.ts';
import type { Codec, SessionId } from '../model/machine.ts';
import { type LogRecord, RECORD } from '../model/record.ts';
import type { Now } from '../model/time.ts';
import type { Head } from '../wire/cbor-head.ts';
import { encode } from '../wire/encode.ts';
import type { Away } from '../wire/messages.ts';
import type { RecordHeader } from '../wire/record-header.ts';
import { Budget } from './budget.ts';
import { type Device, DeviceRegistry } from './device.ts';
import { Dispatcher } from './dispatcher.ts';
import { Flows } from './flows.ts';
import { IngestLedger } from './ledger.ts';
import { Opener } from './opening.ts';
import type { IngestOptions } from './options.ts';
import type { IngestPort } from './port.ts';
import { Session } from './session.ts';

/** How often silence and heartbeats are looked at. Units: ms. */
const SWEEP_MS = 500;
/** How long an overloaded node asks a client to stay away. Units: ms. */
const OVERLOADED_WAIT_MS = 5000;
/** How long a client waits at most while the log is being read. Units: ms. */
const NO_OWNER_WAIT_MS = 1000;

/**
 * All sessions of a node, as one synchronous machine: bytes in, messages and admitted rows out.
 * Source: PROTOCOL §2, §4–§8.
 */
export class Ingest {
  readonly ledger = new IngestLedger();
  readonly devices: DeviceRegistry;
  readonly budget: Budget;
  readonly #port: IngestPort;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #dispatcher: Dispatcher;
  readonly #flows: Flows;
  #nextSweepMs = 0;

  constructor(options: IngestOptions) {
    this.#port = options.port;
    this.devices = new DeviceRegistry(options.shards);
    this.budget = new Budget(options.budgetBytes);
    this.#flows = new Flows(options.port);
    const opener = new Opener(options, this.devices, this.budget, (id, now) => {
      this.breachById(id, breach(4104), now);
    });
    this.#dispatcher = new Dispatcher({
      options,
      opener,
      ledger: this.ledger,
      flows: this.#flows,
      breach: (session, why, now, about) => this.breach(session, why, now, about),
    });
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Σ(limit − settled) over all lanes. Units: bytes of cost. */
  get creditOutstanding(): number {
    let sum = 0;
    for (const { channels } of this.#sessions.values()) {
      for (const channel of channels) if (channel) sum += channel.limit - channel.settled;
    }
    return sum;
  }

  /** When `tick` is wanted. Units: monotonic ms. */
  get wakeAtMs(): number {
    return Math.min(this.#flows.wakeAtMs, this.#nextSweepMs);
  }

  /** A socket opened. `identity` is from the credential of its upgrade, or null. */
  connected(id: SessionId, codec: Codec, identity: Identity | null, now: Now): void {
    this.#sessions.set(id, new Session(id, codec, identity, now.monoMs));
  }

  /** Who stands behind the token that `verify` asked about, or why that is nobody. */
  verified(id: SessionId, verdict: Identity | Breach, now: Now): void {
    const session = this.#sessions.get(id);
    if (session) this.#dispatcher.verified(session, verdict, now);
  }

  /** A socket is gone. */
  disconnected(id: SessionId, now: Now): void {
    const session = this.#sessions.get(id);
    if (session) this.#forget(session, now);
  }

  /** A Pong, or anything else that shows the peer is there. */
  heard(id: SessionId, now: Now): void {
    const session = this.#sessions.get(id);
    if (session) session.lastHeardMs = now.monoMs;
  }

  /** A message arrived. */
  message(id: SessionId, payload: Uint8Array, isBinary: boolean, now: Now): void {
    const session = this.#sessions.get(id);
    if (!session) return;
    session.lastHeardMs = now.monoMs;
    this.#dispatcher.message(session, payload, isBinary, now);
  }

  /** A session is closed for what its peer did: last words, then the close. */
  breach(session: Session, { code, message }: Breach, now: Now, about?: Partial<Head>): void {
    const away = { k: 'away', c: about?.c, n: about?.n, e: code, m: message } as const;
    this.#leave(session, { ...away, w: waitOf(code) }, now);
  }

  /** Breach by number, for the subscriber's half. */
  breachById(id: SessionId, why: Breach, now: Now): void {
    const session = this.#sessions.get(id);
    if (session) this.breach(session, why, now);
  }

  /** Every session is told to go. */
  leaveAll(code: 4201 | 4103 | 4203, spreadMs: number, now: Now): void {
    for (const session of [...this.#sessions.values()]) {
      this.#leave(session, { k: 'away', e: code, w: spreadMs }, now);
    }
  }

  /** The reason why limits do not advance changed: every publisher is told. [R6.3-4] */
  tellWhy(now: Now): void {
    for (const session of this.#sessions.values()) {
      if (session.device) this.#flows.send(session, now);
    }
  }

  /** Sends what is due: flows, heartbeats, time-outs. */
  tick(now: Now): void {
    this.#flows.tick(now);
    if (now.monoMs < this.#nextSweepMs) return;
    this.#nextSweepMs = now.monoMs + SWEEP_MS;
    for (const session of this.#sessions.values()) this.#sweep(session, now);
  }

  /** A row is durable: credit and acks follow. */
  settle(row: Settlement, now: Now): void {
    this.ledger.inFlight -= 1;
    if (row.refusal) this.#tellRejected(row, row.refusal);
    else {
      this.ledger.durable += 1;
      this.ledger.readingsDurable += row.readings;
    }
    const device = this.devices.byId(row.deviceId);
    const state = device.lanes[row.lane];
    if (!state) return;
    state.unsettled -= row.cost;
    if (state.epoch === row.epoch && row.n > state.ack) state.ack = row.n;
    const session = this.#sessions.get(device.session);
    if (!session) {
      this.budget.orphanCost -= row.cost;
      return;
    }
    const channel = session.channels[row.lane];
    if (!channel) return;
    channel.settle(row.cost);
    this.#flows.touch(session, row.lane, now);
  }

  /** A record read at the start tells what its device has sent. */
  recovered({ key }: LogRecord, header: RecordHeader): void {
    if (header.kind !== RECORD.frame && header.kind !== RECORD.stub) return;
    const device = this.devices.get(new TextDecoder().decode(key));
    device.recover(header.lane, header.epoch, header.n);
  }

  /** The logs are ours: every device counts as disconnected from now on. Source: [R9.2-4]. */
  disconnectAll(now: Now): void {
    this.devices.disconnectAll(now.wallUs);
  }

  /** The lane of the device may send and has said that it has nothing waiting. Source: [R9.2-4]. */
  isUnblocked(device: Device): boolean {
    const session = this.#sessions.get(device.session);
    if (!session) return false;
    return session.channels.every(
      (channel) => !channel || (channel.isOpen && channel.backlog === 0),
    );
  }

  /** The `reject` of a stub that became durable, before the flow that passes it. [R6.5-3] */
  #tellRejected(row: Settlement, why: Breach): void {
    this.ledger.reject(why.code);
    const session = this.#sessions.get(row.session);
    if (!session) return;
    const reject = { k: 'reject', c: row.lane, n: row.n, e: why.code, m: why.message } as const;
    this.#port.send(session.id, encode(session.codec, reject));
  }

  #sweep(session: Session, now: Now): void {
    const silentMs = now.monoMs - session.lastHeardMs;
    if (!session.isWelcomed) {
      const isLate = now.monoMs - session.openedAtMs > HELLO_TIMEOUT_MS;
      if (isLate) this.breach(session, breach(4102, 'no hello within 5 s'), now);
      return;
    }
    if (silentMs > HEARTBEATS_SILENT_MAX * session.heartbeatMs) {
      this.breach(session, breach(4102, 'no sign of life'), now);
      return;
    }
    if (this.#isExpired(session, now)) return;
    if (now.monoMs - session.lastProbeMs >= session.heartbeatMs) this.#probe(session, now);
    if (!session.device && this.#port.subscribers.subscriptions(session.id) > 0) return;
    const isQuiet = now.monoMs - session.lastFlowMs >= session.heartbeatMs - 2 * SWEEP_MS;
    if (isQuiet) this.#flows.send(session, now, { echo: undefined });
  }

  /** Ends a session whose credential ended, and tells it one minute before. [R2.1-14] */
  #isExpired(session: Session, now: Now): boolean {
    const expiresUs = session.identity?.expiresUs ?? Number.POSITIVE_INFINITY;
    const leftMs = (expiresUs - now.wallUs) / 1000;
    if (leftMs <= 0) {
      this.breach(session, breach(4003, 'the token has expired'), now);
      return true;
    }
    // One sweep early, so that the `dl` promised never reaches beyond the end.
    if (session.isToldOfExpiry || leftMs > EXPIRY_NOTICE_MS + SWEEP_MS) return false;
    session.isToldOfExpiry = true;
    const { code: e, message: m } = breach(4202);
    const away: Away = { k: 'away', e, m, w: EXPIRY_SPREAD_MS, dl: EXPIRY_NOTICE_MS };
    this.#port.send(session.id, encode(session.codec, away));
    return false;
  }

  #probe(session: Session, now: Now): void {
    session.lastProbeMs = now.monoMs;
    this.#port.probe(session.id);
  }

  #leave(session: Session, away: Away, now: Now): void {
    this.#port.send(session.id, encode(session.codec, away));
    this.#port.close(session.id, away.e, away.m ?? '');
    this.#forget(session, now);
  }

  #forget(session: Session, now: Now): void {
    this.#sessions.delete(session.id);
    session.flowDueMs = Number.POSITIVE_INFINITY;
    if (session.isWelcomed) this.#port.subscribers.close(session.id);
    const { device } = session;
    if (!device || device.session !== session.id) return;
    device.session = 0;
    device.disconnectedSince = now.wallUs;
    this.budget.release(device);
    this.devices.drop(device);
  }
}

/** How long the client stays away, where the code asks for it. */
const waitOf = (code: number): number | undefined => {
  if (code === 4100 || code === 4101) return OVERLOADED_WAIT_MS;
  return code === 4203 ? NO_OWNER_WAIT_MS : undefined;
};
