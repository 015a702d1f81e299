import type { Codec } from '../../src/model/machine.ts';
import { decodeCbor } from '../../src/wire/decode.ts';
import type {
  ColumnValues,
  Data,
  Def,
  FlowEntry,
  ServerBlock,
  ServerMessage,
  State,
} from '../../src/wire/messages.ts';

/** A value as a dashboard holds it. NaN of a typed array is null. */
export type HeldValue = number | string | boolean | null;

/** The whole current value of one (series, class, window). */
export interface HeldWindow {
  readonly st: number;
  readonly values: readonly HeldValue[];
}

/** Windows by start in µs. */
export type HeldWindows = Map<number, HeldWindow>;

/** Decodes what a server sent; throws if it is malformed. */
export function decodeServerMessage(codec: Codec, bytes: Uint8Array): ServerMessage {
  if (codec === 'json') {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as ServerMessage;
  }
  const decoded = decodeCbor(bytes, 'server');
  if ('breach' in decoded) throw new Error(`${decoded.breach.code}: ${decoded.breach.message}`);
  return decoded.message as ServerMessage;
}

/** What one row of a block says. */
export interface BlockRow {
  readonly number: number;
  readonly start: number;
  readonly values: readonly HeldValue[];
}

/** The rows of a block of windows. Source: PROTOCOL §11.2, [R11.2-7], [R11.2-8], [R11.2-15]. */
export function rowsOf(block: ServerBlock): BlockRow[] {
  const numbers = typeof block.i === 'number' ? null : block.i;
  const array = block.v.find((column) => typeof column === 'object' && column !== null);
  const ofColumns = (array as ArrayLike<unknown> | undefined)?.length;
  const count = numbers?.length ?? ofColumns ?? (block.d?.length ?? 0) + 1;
  const rows: BlockRow[] = [];
  let start = block.t;
  for (let r = 0; r < count; r += 1) {
    if (numbers === null && r > 0) start += block.d?.[r - 1] ?? block.dt ?? 0;
    const values = block.v.map((column) => entryOf(column, r));
    rows.push({ number: numbers?.[r] ?? (block.i as number), start, values });
  }
  return rows;
}

function entryOf(column: ColumnValues, row: number): HeldValue {
  if (typeof column !== 'object' || column === null) return column;
  const value = (column as ArrayLike<HeldValue | bigint>)[row];
  if (value === undefined) throw new Error('a column is shorter than its block');
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' && Number.isNaN(value) ? null : value;
}

/**
 * The reference for what a dashboard shows: one subscription of one connection, pure. Feed it what
 * the server sends and compare `view` with the store. It throws where the server breaks a rule that
 * a client can see.
 */
export class DashboardClient {
  readonly codec: Codec;
  readonly c: number;
  /** Where `n` stands among the aggregates asked for; −1 if it was not asked for. */
  readonly #nColumn: number;
  /** By topic and class, as `topic|class`. Survives reconnects. */
  readonly view = new Map<string, HeldWindows>();
  names = new Map<number, { readonly topic: string; readonly unit: string }>();
  /** `lim` as this client grants it; what was processed so far is in it. */
  limit: number;
  readonly #limit: number;
  n = 0;
  lost = 0;
  /** Rows that were older than what is held. The server of a connection never sends any. */
  stale = 0;
  over = 0;
  isLive = false;
  lastState: State | null = null;
  /** Every number this connection was told, with its topic. */
  #everNamed = new Map<number, string>();

  constructor(codec: Codec, c: number, aggregates: readonly string[], limit = 65_536) {
    this.codec = codec;
    this.c = c;
    this.#nColumn = aggregates.indexOf('n');
    this.limit = limit;
    this.#limit = limit;
  }

  /** A new connection: what is shown stays. */
  reconnect(): void {
    this.names = new Map();
    this.#everNamed = new Map();
    this.restart();
  }

  /** A new `sub` on the channel of the old one, after its `state` 4. */
  restart(): void {
    this.limit = this.#limit;
    this.n = 0;
    this.isLive = false;
  }

  /** Decodes one message and applies it. */
  receive(bytes: Uint8Array): ServerMessage {
    const message = decodeServerMessage(this.codec, bytes);
    this.apply(message, bytes.length);
    return message;
  }

  /** Applies one message; those of other channels are left alone. */
  apply(message: ServerMessage, payloadBytes: number): void {
    if (!('c' in message) || message.c !== this.c) return;
    if (message.k === 'state') {
      this.#state(message);
    } else if (message.k === 'def' || message.k === 'data') {
      if (message.k === 'def') this.#def(message);
      else this.#data(message as Data<ServerBlock>);
      this.limit += payloadBytes + 64;
    }
  }

  /** The entry of `flow` that acknowledges and grants what was processed. */
  flowEntry(): FlowEntry {
    return [this.c, this.n, this.limit];
  }

  /** The windows held of a topic and class. */
  windows(topic: string, classId = 0): HeldWindows {
    const key = `${topic}|${classId}`;
    const held = this.view.get(key) ?? new Map<number, HeldWindow>();
    this.view.set(key, held);
    return held;
  }

  #state(state: State): void {
    this.lastState = state;
    this.over = state.over ?? 0;
    if (state.st === 0) {
      this.names.clear();
      this.isLive = false;
    }
    if (state.st !== 2) return;
    if (this.isLive) throw new Error('live is said twice after one reset');
    this.isLive = true;
    const named = new Set([...this.names.values()].map(({ topic }) => topic));
    for (const key of this.view.keys()) {
      if (!named.has(key.slice(0, key.lastIndexOf('|')))) this.view.delete(key);
    }
  }

  #def({ ser = [], gone = [] }: Def): void {
    for (const [number, topic, unit = ''] of ser) {
      const known = this.#everNamed.get(number);
      if (known !== undefined && known !== topic) throw new Error(`number ${number} used again`);
      this.#everNamed.set(number, topic);
      this.names.set(number, { topic, unit });
    }
    for (const number of gone) {
      const topic = this.names.get(number)?.topic;
      if (topic === undefined) throw new Error(`gone says ${number}, which has no name`);
      this.names.delete(number);
      for (const classId of [0, 1, 2]) this.view.delete(`${topic}|${classId}`);
    }
  }

  #data({ n, lost = 0, b }: Data<ServerBlock>): void {
    if (n !== this.n + 1) throw new Error(`data ${n} follows ${this.n}`);
    this.n = n;
    this.lost += lost;
    for (const block of b) {
      for (const { number, start, values } of rowsOf(block)) {
        const name = this.names.get(number);
        if (name === undefined) throw new Error(`data of ${number}, which has no name`);
        this.#hold(this.windows(name.topic, block.cl ?? 0), start, { st: block.st ?? 0, values });
      }
    }
  }

  /** Overwrites, unless a larger `n`, or an equal one with a larger status, is held. [R11.2-1] */
  #hold(windows: HeldWindows, start: number, window: HeldWindow): void {
    const held = windows.get(start);
    if (held !== undefined && this.#nColumn >= 0) {
      const heldN = Number(held.values[this.#nColumn] ?? 0);
      const n = Number(window.values[this.#nColumn] ?? 0);
      if (heldN > n || (heldN === n && held.st > window.st)) {
        this.stale += 1;
        return;
      }
    }
    windows.set(start, window);
  }
}
