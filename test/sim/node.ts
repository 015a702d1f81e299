import { createHash } from 'node:crypto';
import type { Effect, Input } from '../../src/gateway/io.ts';
import { Gateway } from '../../src/gateway.ts';
import { openIdentity } from '../../src/model/identity.ts';
import type { SessionId } from '../../src/model/machine.ts';
import { type Head, peekHead } from '../../src/wire/cbor-head.ts';
import { encode } from '../../src/wire/encode.ts';
import { jsonToCbor } from '../../src/wire/json.ts';
import { type ClientMessage, KIND, type LaneTriple } from '../../src/wire/messages.ts';
import { decodeServerMessage } from '../support/dashboard-client.ts';
import type { SimClock } from './clock.ts';
import type { Fate, Tell } from './facts.ts';
import type { LogClient } from './log-client.ts';
import type { Link, Parcel, ServerEnd } from './network.ts';
import type { Dice } from './random.ts';
import type { Timeline } from './timeline.ts';
import { nameOf } from './truth.ts';

const OWN_BYTES = 8;
/** A timer is never set for less. Units: ms. */
const TIMER_MS_LEAST = 1;

/** What a node is made of. */
export interface NodeParts {
  readonly name: string;
  readonly shards: number;
  readonly budgetBytes: number;
  /** Sessions for which a part of the budget is set aside. */
  readonly sessions: number;
  readonly unitsPerStep: number;
  /** `mf` of bulk lanes is told to be at most this. */
  readonly bulkBytesMax: number;
  /** After a failed append the start path may be taken again. */
  readonly isRecoverable: boolean;
  readonly timeline: Timeline;
  readonly clock: SimClock;
  readonly dice: Dice;
  readonly connectLog: (answer: (input: Input) => void) => LogClient;
  readonly tell: Tell;
  /** Told of every message that a gateway sends, for the digest. */
  readonly onBytes: (bytes: Uint8Array) => void;
  readonly onGone: (node: SimNode) => void;
}

/** A gateway process: the real core, a clock of its own, sockets, and a way to the shared log. */
export class SimNode implements ServerEnd {
  readonly name: string;
  readonly gateway: Gateway;
  readonly clock: SimClock;
  /** The name under which its records stand in the log. */
  readonly owner: string;
  readonly links = new Map<SessionId, Link>();
  readonly budgetBytes: number;
  isOwner = false;
  isLeaving = false;
  isGone = false;
  readonly #parts: NodeParts;
  readonly #log: LogClient;
  readonly #head: Head = { k: 0, c: 0, n: 0, lost: 0 };
  #armedForMs = Number.POSITIVE_INFINITY;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.clock = parts.clock;
    this.budgetBytes = parts.budgetBytes;
    const own = Uint8Array.from({ length: OWN_BYTES }, () => parts.dice.below(256));
    this.owner = nameOf(own);
    this.#log = parts.connectLog((input) => this.input(input));
    this.gateway = new Gateway({
      node: parts.name,
      shards: parts.shards,
      budgetBytes: parts.budgetBytes,
      sessions: parts.sessions,
      unitsPerStep: parts.unitsPerStep,
      isOpen: true,
      lingerMs: parts.isRecoverable ? 10 : 2,
      isRecoverable: () => parts.isRecoverable,
      dur: () => (parts.isRecoverable ? 2 : 1),
      own,
      random: parts.dice.random,
      sha256: (bytes) => createHash('sha256').update(bytes).digest(),
      unsentBytes: (session) => this.links.get(session)?.unsentBytes ?? 0,
    });
    this.#overhear();
    this.#log.start();
  }

  /** SIGTERM: sends everybody away, lets the log finish, and ends. */
  drain(): void {
    if (this.isGone || this.isLeaving) return;
    this.isLeaving = true;
    this.input({ kind: 'leave' });
  }

  /** kill -9. Returns how many appends were under way. */
  crash(why = 'crash'): number {
    if (this.isGone) return 0;
    const underWay = this.#log.crash();
    this.#end(why);
    return underWay;
  }

  connected(link: Link): void {
    if (this.isGone) return link.serverGone();
    this.links.set(link.session, link);
    const identity = link.isDevice ? openIdentity(link.party) : null;
    const { session, codec } = link;
    this.input({ kind: 'connected', session, codec, identity });
  }

  heard({ session }: Link): void {
    this.input({ kind: 'heard', session });
  }

  disconnected({ session }: Link): void {
    this.links.delete(session);
    this.input({ kind: 'disconnected', session });
  }

  message(link: Link, { bytes, message }: Parcel<ClientMessage | null>): void {
    if (this.isGone) return;
    if (message) this.#parts.tell({ kind: 'arrived', link, message });
    else if (this.#isFrame(link, bytes)) return this.#frame(link, bytes);
    this.#step(link, bytes);
  }

  /** One step of the core, and what it wants done. */
  input(input: Input): void {
    if (this.isGone) return;
    for (const effect of this.gateway.step(input, this.clock.now())) this.#perform(effect);
    this.#parts.tell({ kind: 'stepped', node: this, input });
    if (this.isLeaving && this.gateway.isDrained) this.#end('drained');
    else this.#arm();
  }

  /** True, with its head in `#head`, if these bytes have the head of a frame. */
  #isFrame({ codec }: Link, bytes: Uint8Array): boolean {
    const transcoded = codec === 'json' ? jsonToCbor(bytes, 'client') : { bytes };
    if (!('bytes' in transcoded)) return false;
    return peekHead(transcoded.bytes, this.#head) && this.#head.k === KIND.data;
  }

  #step({ session, codec }: Link, payload: Uint8Array): void {
    this.input({ kind: 'message', session, payload, isBinary: codec === 'cbor' });
  }

  /** What became of a frame shows in the counters that the core keeps for everybody to see. */
  #frame(link: Link, payload: Uint8Array): void {
    const { ledger } = this.gateway.ingest;
    const { c: lane, n, lost } = this.#head;
    this.#parts.tell({ kind: 'reached', link, lane, n });
    const { received, duplicate } = ledger;
    const closed = sumOf(ledger.closed);
    this.#step(link, payload);
    let fate: Fate = 'admitted';
    if (ledger.received === received) fate = 'ignored';
    else if (ledger.duplicate > duplicate) fate = 'duplicate';
    else if (sumOf(ledger.closed) > closed) fate = 'closed';
    this.#parts.tell({ kind: 'judged', link, lane, n, lost, bytes: payload.length, fate });
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        return this.#send(effect.session, effect.bytes);
      case 'close': {
        const link = this.links.get(effect.session);
        if (!link) return;
        this.#parts.tell({ kind: 'closed', link, code: effect.code });
        return link.closeByServer(effect.code, effect.reason);
      }
      case 'probe':
        return this.links.get(effect.session)?.probe();
      case 'append':
        return this.#log.append(effect.log, effect.batch);
      case 'read':
        return this.#log.read(effect.log, effect.gaps);
      case 'owned':
        this.isOwner = true;
        return this.#parts.tell({ kind: 'owned', node: this });
      case 'broken':
        return void this.#parts.timeline.after(1, () => this.crash(effect.cause));
      case 'renew':
      case 'verify':
        return;
    }
  }

  /** Tells what is judged when it is: the record may be appended much later, and again and again. */
  #overhear(): void {
    const { aggregation } = this.gateway;
    const dueMarks = aggregation.dueMarks.bind(aggregation);
    aggregation.dueMarks = (nowUs, presenceOf) => {
      const due = dueMarks(nowUs, presenceOf);
      for (const { entries } of due) {
        for (const entry of entries) this.#parts.tell({ kind: 'marked', node: this, entry });
      }
      return due;
    };
  }

  #send(session: SessionId, told: Uint8Array): void {
    const link = this.links.get(session);
    if (!link) return;
    let bytes = told;
    let message = decodeServerMessage(link.codec, bytes);
    if (
      message.k === 'welcome' &&
      message.ch &&
      this.#parts.bulkBytesMax < Number.POSITIVE_INFINITY
    ) {
      message = { ...message, ch: message.ch.map((grant) => this.#lowered(grant)) };
      bytes = encode(link.codec, message);
    }
    this.#parts.onBytes(bytes);
    this.#parts.tell({ kind: 'told', link, message, bytes: bytes.length });
    link.toClient(bytes, message);
  }

  /** The operator has lowered `mf`: what clients retain may be too long now. */
  #lowered([lane, qos, mf]: LaneTriple): LaneTriple {
    return [lane, qos, lane > 0 ? Math.min(mf, this.#parts.bulkBytesMax) : mf];
  }

  #end(why: string): void {
    this.isGone = true;
    for (const link of this.links.values()) link.serverGone();
    this.links.clear();
    this.#parts.tell({ kind: 'gone', node: this, why });
    this.#parts.onGone(this);
  }

  #arm(): void {
    const wakeAtMs = this.gateway.wakeAtMs;
    if (this.isGone || wakeAtMs >= this.#armedForMs) return;
    this.#armedForMs = wakeAtMs;
    const delay = Math.max(TIMER_MS_LEAST, this.clock.trueMsUntil(wakeAtMs));
    if (!Number.isFinite(delay)) return;
    this.#parts.timeline.after(delay, () => {
      if (this.#armedForMs !== wakeAtMs) return;
      this.#armedForMs = Number.POSITIVE_INFINITY;
      this.input({ kind: 'tick' });
    });
  }
}

const sumOf = (counts: ReadonlyMap<number, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);
