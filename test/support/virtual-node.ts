import { createHash } from 'node:crypto';
import type { Gap } from '../../src/delivery/continuity.ts';
import type { Effect, GatewayOptions, Input } from '../../src/gateway/io.ts';
import { Gateway } from '../../src/gateway.ts';
import type { RecordBatch } from '../../src/model/batch.ts';
import { type Identity, openIdentity } from '../../src/model/identity.ts';
import type { Codec, SessionId } from '../../src/model/machine.ts';
import { LOG, type LogKind, type LogRecord, type SchemaRecord } from '../../src/model/record.ts';
import { monoMs, type Now, wallUs } from '../../src/model/time.ts';
import { decodeCbor } from '../../src/wire/decode.ts';
import { encode, encodeBlocks, encodeData } from '../../src/wire/encode.ts';
import { jsonToCbor } from '../../src/wire/json.ts';
import type { DeviceBlock, Message } from '../../src/wire/messages.ts';

const START_US = 1_761_962_400_000_000;
const SHARDS = 4;

/** What a log keeps, as a crash leaves it. Several nodes may write it. */
export interface Disk {
  readonly records: LogRecord[];
  readonly schemas: SchemaRecord[];
}

/** A disk with nothing on it. */
export const emptyDisk = (): Disk => ({ records: [], schemas: [] });

/** The rows of a batch onto the disk; returns their offsets. */
export function writeTo(disk: Disk, log: LogKind, batch: RecordBatch): Float64Array {
  disk.schemas.push(...batch.schemas.map(({ hash, bytes }) => ({ hash, bytes })));
  const offsets = new Float64Array(batch.rows);
  const next = new Map<number, number>();
  for (const record of disk.records) {
    if (record.log === log) next.set(record.shard, record.offset + 1);
  }
  for (let row = 0; row < batch.rows; row += 1) {
    const shard = batch.shard[row] as number;
    const offset = next.get(shard) ?? 0;
    next.set(shard, offset + 1);
    offsets[row] = offset;
    const key = batch.key(row).slice();
    const tg = batch.tg(row).slice();
    disk.records.push({ log, shard, offset, key, tg, value: batch.value(row).slice() });
  }
  return offsets;
}

let owners = 0;

/** Eight bytes that no other node of this process has. */
function newOwner(): Uint8Array {
  owners += 1;
  return new Uint8Array(createHash('sha256').update(`owner ${owners}`).digest().subarray(0, 8));
}

/** What a session was told. */
export interface Heard {
  readonly messages: Message[];
  closed: number | null;
}

interface Flight {
  readonly log: LogKind;
  readonly batch: RecordBatch;
}

/**
 * The real core under a virtual clock, with a log whose appends land when the test says so.
 * Nothing here waits: time is a number that the test moves.
 */
export class VirtualNode {
  readonly disk: Disk;
  readonly gateway: Gateway;
  readonly heard = new Map<SessionId, Heard>();
  readonly flights: Flight[] = [];
  /** Gaps that the core asked for and that nobody has read yet. */
  readonly reads: { readonly log: LogKind; readonly gaps: readonly Gap[] }[] = [];
  renewals = 0;
  /** Tokens that the core wants to know about; the test answers by `verified`. */
  readonly asked: { readonly session: SessionId; readonly token: string }[] = [];
  broken: string | null = null;
  /** The name under which its records stand on the disk. */
  readonly own = newOwner();
  /** While true, appends land by themselves within the step that made them. */
  isPrompt = true;
  #ms = 0;
  #sessions = 0;
  readonly #codecs = new Map<SessionId, Codec>();

  constructor(
    disk: Disk = { records: [], schemas: [] },
    options: Partial<
      Pick<
        GatewayOptions,
        | 'budgetBytes'
        | 'sessions'
        | 'quota'
        | 'isOpen'
        | 'dur'
        | 'onFault'
        | 'unitsPerStep'
        | 'isLogBusy'
      > & { isRecoverable: boolean }
    > = {},
  ) {
    this.disk = disk;
    this.gateway = new Gateway({
      node: 'test',
      shards: SHARDS,
      budgetBytes: options.budgetBytes ?? 1 << 28,
      sessions: options.sessions,
      quota: options.quota,
      lingerMs: 0,
      isRecoverable: () => options.isRecoverable ?? false,
      isOpen: options.isOpen ?? true,
      dur: options.dur ?? (() => 1),
      onFault: options.onFault,
      isLogBusy: options.isLogBusy ?? (() => false),
      unitsPerStep: options.unitsPerStep,
      own: this.own,
      random: () => 0.5,
      sha256: (bytes) => createHash('sha256').update(bytes).digest(),
      unsentBytes: () => 0,
    });
  }

  /** Time now. */
  get now(): Now {
    return { monoMs: monoMs(this.#ms), wallUs: wallUs(START_US + Math.round(this.#ms * 1000)) };
  }

  /** Reads the disk, fences, and is ready. */
  start(): this {
    for (const schema of this.disk.schemas) this.step({ kind: 'schema', schema });
    for (const record of [...this.disk.records]) this.step({ kind: 'record', record });
    this.step({ kind: 'readEnd', log: null });
    return this;
  }

  /** Moves time, waking the core whenever it wants to be woken. */
  pass(ms: number): void {
    const end = this.#ms + ms;
    while (this.#ms < end) {
      const wakeAt = Math.max(this.gateway.wakeAtMs, this.#ms + 0.5);
      this.#ms = Math.min(end, wakeAt);
      this.step({ kind: 'tick' });
    }
  }

  step(input: Input): void {
    this.#take(input);
    if (this.isPrompt) this.land();
  }

  /** Reads the gaps that the core asked for. */
  readGaps(): void {
    for (let read = this.reads.shift(); read; read = this.reads.shift()) {
      const { log, gaps } = read;
      for (const record of [...this.disk.records]) {
        const isIn = gaps.some(
          ({ shard, from, to }) =>
            record.shard === shard && from <= record.offset && record.offset <= to,
        );
        if (record.log === log && isIn) this.#take({ kind: 'record', record });
      }
      this.#take({ kind: 'readEnd', log });
    }
  }

  #take(input: Input): void {
    for (const effect of this.gateway.step(input, this.now)) this.#perform(effect);
  }

  /** Lets every append in flight land, and what follows from that. */
  land(): void {
    for (let flight = this.flights.shift(); flight; flight = this.flights.shift()) {
      const { log, batch } = flight;
      this.#take({ kind: 'appended', log, offsets: writeTo(this.disk, log, batch) });
    }
  }

  /** `who`: the device path that open mode takes for a token, or what a token says. */
  connect(codec: Codec = 'cbor', who: string | Identity | null = null): SessionId {
    this.#sessions += 1;
    this.#codecs.set(this.#sessions, codec);
    this.heard.set(this.#sessions, { messages: [], closed: null });
    const identity = typeof who === 'string' ? openIdentity(who) : who;
    this.step({ kind: 'connected', session: this.#sessions, codec, identity });
    return this.#sessions;
  }

  disconnect(session: SessionId): void {
    this.step({ kind: 'disconnected', session });
  }

  send(session: SessionId, message: Message): void {
    this.sendBytes(session, encode(this.#codecs.get(session) ?? 'cbor', message));
  }

  sendBytes(session: SessionId, payload: Uint8Array, isBinary?: boolean): void {
    const binary = isBinary ?? this.#codecs.get(session) === 'cbor';
    this.step({ kind: 'message', session, payload, isBinary: binary });
  }

  /** Sends a frame; returns its payload length. */
  frame(
    session: SessionId,
    head: { c?: number; n: number; lost?: number; bl?: number; wm?: number },
    blocks: readonly DeviceBlock[] = [this.block()],
  ): number {
    const codec = this.#codecs.get(session) ?? 'cbor';
    const full = { c: 1, lost: 0, ...head };
    const bytes = encodeData(codec, full, encodeBlocks(codec, blocks));
    this.sendBytes(session, bytes);
    return bytes.length;
  }

  /** One row of one column, at the time now. */
  block(t: number = this.now.wallUs, value = 1.5): DeviceBlock {
    return { s: 1, t, v: [Float64Array.of(value)] };
  }

  /** A publisher on lanes 0 and 1 that has said hello and defined set 1 on lane 1. */
  publisher(path: string, hello: { ep?: number; first?: number; qos?: number } = {}): SessionId {
    const session = this.connect('cbor', path);
    const { ep, first = 1, qos = 1 } = hello;
    this.send(session, {
      k: 'hello',
      ep,
      ch: [
        [0, 1, 1],
        [1, qos, first],
      ],
    });
    this.send(session, { k: 'def', c: 1, s: 1, cols: [['temp', 'Cel']] });
    return session;
  }

  /** The messages of one kind that a session heard. */
  told<K extends Message['k']>(session: SessionId, k: K): Extract<Message, { readonly k: K }>[] {
    const messages = this.heard.get(session)?.messages ?? [];
    return messages.filter(
      (message): message is Extract<Message, { readonly k: K }> => message.k === k,
    );
  }

  closed(session: SessionId): number | null {
    return this.heard.get(session)?.closed ?? null;
  }

  /** The newest ack and limit that a session heard for a lane. */
  flow(session: SessionId, lane: number): { ack: number; lim: number } {
    let found = { ack: -1, lim: -1 };
    for (const message of this.heard.get(session)?.messages ?? []) {
      if (message.k !== 'flow' && message.k !== 'welcome') continue;
      for (const [c, ack, lim] of message.f ?? []) if (c === lane) found = { ack, lim };
    }
    return found;
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        this.#hear(effect.session, effect.bytes);
        return;
      case 'close': {
        const heard = this.heard.get(effect.session);
        if (heard) heard.closed = effect.code;
        return;
      }
      case 'append':
        this.flights.push({ log: effect.log, batch: effect.batch });
        return;
      case 'broken':
        this.broken = effect.reason;
        return;
      case 'read':
        this.reads.push({ log: effect.log, gaps: effect.gaps });
        return;
      case 'renew':
        this.renewals += 1;
        return;
      case 'verify':
        this.asked.push({ session: effect.session, token: effect.token });
        return;
      case 'probe':
      case 'owned':
        return;
    }
  }

  #hear(session: SessionId, bytes: Uint8Array): void {
    const isJson = this.#codecs.get(session) === 'json';
    const cbor = isJson ? transcoded(bytes) : bytes;
    const decoded = decodeCbor(cbor, 'server');
    if ('breach' in decoded)
      throw new Error(`the server sent what does not decode: ${decoded.breach.message}`);
    this.heard.get(session)?.messages.push(decoded.message);
  }
}

function transcoded(bytes: Uint8Array): Uint8Array {
  const result = jsonToCbor(bytes, 'server');
  if ('breach' in result) throw new Error(`the server sent bad JSON: ${result.breach.message}`);
  return result.bytes;
}

/** The aggregates records of a disk, as results. */
export const resultsOf = (disk: Disk): unknown[] =>
  disk.records
    .filter(({ log }) => log === LOG.aggregates)
    .map(({ value }) => JSON.parse(new TextDecoder().decode(value)));
