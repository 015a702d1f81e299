import { type Breach, breach } from '../model/errors.ts';
import type { Settlement } from '../model/frame.ts';
import type { Identity } from '../model/identity.ts';
import { SharedFault } from '../model/invariant.ts';
import type { SessionId } from '../model/machine.ts';
import type { ClassId } from '../model/reading.ts';
import { type LogRecord, RECORD } from '../model/record.ts';
import type { Rung } from '../model/rung.ts';
import type { Now } from '../model/time.ts';
import { WHY } from '../model/why.ts';
import type { Head } from '../wire/cbor-head.ts';
import { encode } from '../wire/encode.ts';
import type { Away } from '../wire/messages.ts';
import type { RecordHeader } from '../wire/record-header.ts';
import { Conducts, tooMany } from './conduct.ts';
import { Credit } from './credit.ts';
import { type Device, DeviceRegistry } from './device.ts';
import { Dispatcher } from './dispatcher.ts';
import { Drain } from './drain.ts';
import { Flows } from './flows.ts';
import { Keeper } from './keeper.ts';
import { Ladder } from './ladder.ts';
import { IngestLedger } from './ledger.ts';
import { Opener } from './opening.ts';
import type { IngestOptions } from './options.ts';
import type { IngestPort } from './port.ts';
import { type Newcomer, Session } from './session.ts';
import { Sweep } from './sweep.ts';
import { noRoom, waitOf } from './waits.ts';

/**
 * All sessions of a node, as one synchronous machine: bytes in, messages and admitted rows out.
 * Guarantee: a fault of ours in what one session does ends that session and nothing else.
 * Source: PROTOCOL §2, §4–§8.
 */
export class Ingest {
  readonly ledger = new IngestLedger();
  readonly devices: DeviceRegistry;
  readonly credit: Credit;
  readonly conducts = new Conducts();
  readonly #options: IngestOptions;
  readonly #port: IngestPort;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #dispatcher: Dispatcher;
  readonly #flows: Flows;
  readonly #keeper: Keeper;
  readonly #sweep = new Sweep();
  readonly #ladder = new Ladder();
  #drain: Drain | null = null;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#port = options.port;
    this.devices = new DeviceRegistry(options.shards);
    this.credit = new Credit({
      ...options,
      advanced: (session, lane, now) => this.#flows.touch(session, lane, now),
    });
    this.#flows = new Flows(options.port, this.credit);
    const { credit, conducts, devices, ledger } = this;
    const shared = { options, credit, conducts, devices, ledger, flows: this.#flows };
    const opener = new Opener({
      ...shared,
      departing: () => this.#drain?.refusal ?? null,
      fence: (id, now) => this.breachById(id, breach(4104), now),
      reservedBy: (id) => {
        const session = this.#sessions.get(id);
        return session ? this.credit.reservedBy(session) : 0;
      },
    });
    const end = (session: Session, why: Breach, now: Now, about?: Partial<Head>): void =>
      this.breach(session, why, now, about);
    this.#dispatcher = new Dispatcher({ ...shared, opener, breach: end });
    this.#keeper = new Keeper({ ...shared, port: options.port, breach: end });
  }

  /** How bad it is. Source: DESIGN §9. */
  get rung(): Rung {
    return this.#ladder.rung;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** When `tick` is wanted. Units: monotonic ms. */
  get wakeAtMs(): number {
    const drainedMs = this.#drain?.endsAtMs ?? Number.POSITIVE_INFINITY;
    const { credit } = this;
    return Math.min(this.#flows.wakeAtMs, this.#sweep.nextMs, drainedMs, credit.wakeAtMs);
  }

  /** Why a publisher's upgrade is refused, or null. Source: [R2.1-22], [R14-16]. */
  refusalOf(path: string, isLocal: boolean, now: Now): Breach | null {
    const conduct = isLocal ? undefined : this.conducts.find(path);
    const held = conduct ? tooMany(conduct, now) : null;
    if (held) return held;
    return this.credit.memory.hasRoom ? null : noRoom(this.#options.random);
  }

  /** A socket opened. In open mode there is nobody but this machine. */
  connected(newcomer: Newcomer, now: Now): void {
    const isLocal = newcomer.isLocal || this.#options.isOpen;
    this.#sessions.set(newcomer.session, new Session({ ...newcomer, isLocal }, now.monoMs));
  }

  /** Who stands behind the token that `verify` asked about, or why that is nobody. */
  verified(id: SessionId, verdict: Identity | Breach, now: Now): void {
    this.#with(id, now, (session) => this.#dispatcher.verified(session, verdict, now));
  }

  /** A socket is gone. */
  disconnected(id: SessionId, now: Now): void {
    const session = this.#sessions.get(id);
    if (session) this.#forget(session, 0, now);
  }

  /** A Pong, or anything else that shows the peer is there. */
  heard(id: SessionId, now: Now): void {
    const session = this.#sessions.get(id);
    if (session) session.lastHeardMs = now.monoMs;
  }

  /** A Pong came, so long after its Ping. */
  pong(id: SessionId, tookMs: number, now: Now): void {
    this.heard(id, now);
    const session = this.#sessions.get(id);
    if (session) this.credit.pong(session, tookMs);
  }

  /** A message arrived. */
  message(id: SessionId, payload: Uint8Array, isBinary: boolean, now: Now): void {
    this.#with(id, now, (session) => {
      session.lastHeardMs = now.monoMs;
      this.#dispatcher.message(session, payload, isBinary, now);
    });
  }

  /** A session is closed for what its peer did: last words, then the close. */
  breach(session: Session, why: Breach, now: Now, about?: Partial<Head>): void {
    const { code: e, message: m } = why;
    this.#leave(session, { k: 'away', c: about?.c, n: about?.n, e, m, w: waitOf(why) }, now);
  }

  /** Breach by number, for the subscriber's half. */
  breachById(id: SessionId, why: Breach, now: Now): void {
    const session = this.#sessions.get(id);
    if (session) this.breach(session, why, now);
  }

  /** A fault of ours in what was done for a session: it ends, and nothing else. */
  fault(id: SessionId, error: unknown, now: Now): void {
    const session = this.#sessions.get(id);
    if (session) this.#breakOff(session, error, now);
  }

  /** Every session is sent away at once. */
  leaveAll(code: 4103 | 4203, spreadMs: number, now: Now): void {
    for (const session of [...this.#sessions.values()]) {
      this.#leave(session, { k: 'away', e: code, w: spreadMs }, now);
    }
  }

  /** Every session is told to go and served until it does; nobody is let in. [R10.1-9] */
  drain(now: Now): void {
    if (this.#drain) return;
    const drain = new Drain(this.#sessions.size, now.monoMs);
    this.#drain = drain;
    for (const session of [...this.#sessions.values()]) {
      if (!session.isWelcomed) this.breach(session, drain.refusal, now);
      else {
        session.isToldToGo = true;
        this.#port.send(session.id, encode(session.codec, drain.farewell));
      }
    }
  }

  /** `dur`, or why limits do not advance, changed: every publisher is told. [R6.3-4] */
  tellWhy(now: Now): void {
    this.credit.turn(this.#port.why());
    for (const session of this.#sessions.values()) {
      if (session.device) this.#flows.send(session, now);
    }
  }

  /** Sends what is due: flows, heartbeats, time-outs. */
  tick(now: Now): void {
    this.credit.serve(now);
    this.#flows.tick(now);
    if (this.#drain && now.monoMs >= this.#drain.endsAtMs) this.#endDrain(now);
    else if (this.#drain && now.monoMs >= this.#drain.grantsUntilMs) this.credit.turn(WHY.draining);
    if (now.monoMs >= this.#sweep.nextMs) this.#look(now);
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
    if (state.epoch === row.epoch) state.settled(row.n);
    const session = this.#sessions.get(device.session);
    const channel = session?.channels[row.lane];
    this.credit.settled(device, row.lane, channel, row.cost);
    if (session && channel) this.#flows.touch(session, row.lane, now);
  }

  /** A record read at the start tells what its device has sent. */
  recovered({ key }: LogRecord, header: RecordHeader): void {
    if (header.kind !== RECORD.frame && header.kind !== RECORD.stub) return;
    const device = this.devices.get(new TextDecoder().decode(key));
    device.recover(header);
  }

  /** The logs are ours: every device counts as disconnected from now on. Source: [R9.2-4]. */
  disconnectAll(now: Now): void {
    this.devices.disconnectAll(now.wallUs);
  }

  /** Nothing of this class is on its way, and its device could have sent more. [R9.2-4] */
  isUnblocked(device: Device, classId: ClassId, { monoMs }: Now): boolean {
    if (device.isUnderWay(classId)) return false;
    return this.#sessions.get(device.session)?.isUnblocked(monoMs) === true;
  }

  /** The `reject` of a stub that became durable, before the flow that passes it. [R6.5-3] */
  #tellRejected(row: Settlement, why: Breach): void {
    this.ledger.reject(why.code);
    const session = this.#sessions.get(row.session);
    if (!session) return;
    const reject = { k: 'reject', c: row.lane, n: row.n, e: why.code, m: why.message } as const;
    this.#port.send(session.id, encode(session.codec, reject));
  }

  /** Does what is due for sessions whose peers cause nothing, and looks how the node is. */
  #look(now: Now): void {
    if (this.#sweep.isAtStart) {
      const isLogDown = this.#port.why() === WHY.logDown;
      this.#flows.lingerMs = this.#ladder.climb(this.credit, isLogDown, now.monoMs);
      this.#keeper.forget(now);
    }
    for (const { id } of this.#sweep.take(this.#sessions, now.monoMs)) {
      this.#with(id, now, (session) => this.#keeper.look(session, now));
    }
  }

  /** Does something for one session. A fault of ours ends it, unless it concerns everybody. */
  #with(id: SessionId, now: Now, act: (session: Session) => void): void {
    const session = this.#sessions.get(id);
    if (!session) return;
    try {
      act(session);
    } catch (error) {
      if (error instanceof SharedFault) throw error;
      this.#breakOff(session, error, now);
    }
  }

  /** An invariant broke in this session: it ends, and its device is kept away. [R10.1-8] */
  #breakOff(session: Session, error: unknown, now: Now): void {
    this.ledger.broken += 1;
    if (session.path !== '') this.conducts.of(session.path).quarantine(now.monoMs);
    this.#options.onFault?.({ session: session.id, device: session.path, error });
    if (this.#sessions.has(session.id)) this.breach(session, breach(1011), now);
  }

  /** The time of a drain is over. Its sessions have had their last words. [R10.1-3] */
  #endDrain(now: Now): void {
    for (const session of [...this.#sessions.values()]) {
      this.#port.close(session.id, 4201, 'this node is going down');
      this.#forget(session, 4201, now);
    }
  }

  #leave(session: Session, away: Away, now: Now): void {
    this.#port.send(session.id, encode(session.codec, away));
    this.#port.close(session.id, away.e, away.m ?? '');
    this.#forget(session, away.e, now);
  }

  /** `code`: with what we closed it; 0 if we did not. */
  #forget(session: Session, code: number, now: Now): void {
    this.#sessions.delete(session.id);
    session.flowDueMs = Number.POSITIVE_INFINITY;
    if (session.isWelcomed) this.#port.subscribers.close(session.id);
    this.conducts.ended(session, code, now.monoMs);
    const { device } = session;
    if (!device || device.session !== session.id) return;
    device.session = 0;
    device.disconnectedSince = now.wallUs;
    this.credit.close(session, now);
    this.devices.drop(device);
  }
}
