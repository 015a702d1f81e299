import { createHash } from 'node:crypto';
import { Aggregation, type AggregationOptions } from '../../src/aggregation/aggregation.ts';
import type { Cause } from '../../src/aggregation/sink.ts';
import type { Schema } from '../../src/model/reading.ts';
import { LOG, type LogRecord, RECORD } from '../../src/model/record.ts';
import type { Series, WindowResult } from '../../src/model/window.ts';
import { encodeBlocks, encodeData } from '../../src/wire/encode.ts';
import { encodeMark, type MarkEntry } from '../../src/wire/mark.ts';
import type { ColumnEntry, DeviceBlock } from '../../src/wire/messages.ts';
import { emptyHeader, type RecordHeader } from '../../src/wire/record-header.ts';
import { schemaOf } from '../../src/wire/schema.ts';
import type { TailLine, TailValue } from './brute-force.ts';

/** A record as aggregation gets it, and as a reader of `tail` sees it. */
export interface Entry {
  readonly record: LogRecord;
  readonly header: RecordHeader;
  readonly line: TailLine;
}

/** A set definition of a test. */
export interface TestSet {
  readonly of?: string;
  readonly cols: readonly ColumnEntry[];
}

/** A block of a test: event times one by one, raw values by column, null for an absent column. */
export interface TestBlock {
  readonly set: TestSet;
  readonly t: readonly number[];
  readonly v: readonly (readonly TailValue[] | null)[];
  readonly q?: number | readonly number[];
  readonly fid?: number;
}

/** What a test says of a frame. Units: µs. */
export interface TestFrame {
  readonly device?: string;
  readonly lane?: number;
  readonly shard?: number;
  readonly recv: number;
  readonly wm?: number;
  readonly blocks: readonly TestBlock[];
}

const utf8 = new TextEncoder();
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** Writes records of frames, marks, stubs and fences by their meaning, with offsets as a log would. */
export class EventLog {
  readonly entries: Entry[] = [];
  readonly #schemas = new Map<string, Schema>();
  readonly #offsets = new Map<string, number>();

  /** The definition that a hash stands for. */
  readonly schemas = (hash: Uint8Array): Schema | undefined => this.#schemas.get(hex(hash));

  frame(frame: TestFrame): Entry {
    const { device = 'plant/press', lane = 1, recv, wm, blocks } = frame;
    const sets = [...new Set(blocks.map(({ set }) => set))];
    const encoded = blocks.map((block) => wireBlock(block, sets.indexOf(block.set) + 1));
    const head = { c: lane, n: 1, lost: 0, wm };
    const value = encodeData('cbor', head, encodeBlocks('cbor', encoded));
    const hashes = Buffer.concat(sets.map((set) => this.#define(set, device).hash));
    const kind = 'frame';
    const tailBlocks = blocks.map((block) => tailBlock(block, device));
    const more = { blocks: tailBlocks, ...(wm === undefined ? {} : { wm }) };
    return this.#add({ kind, device, lane, recv, shard: frame.shard, value, hashes, more });
  }

  mark(recv: number, marks: readonly MarkEntry[], lane = 1, shard = 0): Entry {
    const value = encodeMark(marks);
    return this.#add({ kind: 'mark', lane, recv, shard, value, more: { marks } });
  }

  stub(recv: number, device: string, lane = 1, shard = 0): Entry {
    return this.#add({ kind: 'stub', device, lane, recv, shard });
  }

  fence(recv: number, lane = 1, shard = 0): Entry {
    return this.#add({ kind: 'fence', lane, recv, shard, value: utf8.encode('node') });
  }

  #define(set: TestSet, device: string): Schema {
    const def = { k: 'def', c: 1, s: 1, cols: set.cols, of: set.of } as const;
    const made = schemaOf(def, device, sha256);
    if ('breach' in made) throw new Error(made.breach.message);
    this.#schemas.set(hex(made.schema.hash), made.schema);
    return made.schema;
  }

  #add(what: {
    readonly kind: TailLine['kind'];
    readonly device?: string;
    readonly lane: number;
    readonly recv: number;
    readonly shard?: number | undefined;
    readonly value?: Uint8Array;
    readonly hashes?: Uint8Array;
    readonly more?: Partial<TailLine>;
  }): Entry {
    const { kind, device = '', lane, recv, shard = 0 } = what;
    const topic = lane === 0 ? 'alarms' : 'readings';
    const key = `${topic} ${shard}`;
    const offset = this.#offsets.get(key) ?? 0;
    this.#offsets.set(key, offset + 1);
    const { value = new Uint8Array(0), hashes = new Uint8Array(0) } = what;
    const tg = new Uint8Array(0);
    const record = { log: LOG[topic], shard, offset, key: utf8.encode(device), tg, value };
    const header = { ...emptyHeader(), kind: RECORD[kind], lane, recv, hashes };
    const line = { topic, shard, offset, kind, device, lane, recv, ...what.more } as const;
    const entry = { record, header, line };
    this.entries.push(entry);
    return entry;
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function wireBlock({ t, v, q, fid }: TestBlock, s: number): DeviceBlock {
  const d = t.slice(1).map((time, i) => time - (t[i] as number));
  return { s, t: t[0] as number, v, q, fid, ...(d.length === 0 ? {} : { d }) };
}

function tailBlock(block: TestBlock, device: string): NonNullable<TailLine['blocks']>[number] {
  const { set, t, v, q = 0, fid = 1 } = block;
  const path = set.of === undefined ? device : `${device}/${set.of}`;
  const cols = set.cols.flatMap(([name, unit = '', scale = 1, offset = 0], c) => {
    const values = v[c];
    if (values === null || values === undefined) return [];
    const physical = values.map((value) =>
      typeof value === 'string' || value === null ? value : Number(value) * scale + offset,
    );
    return [{ topic: `${path}/${name}`, unit, v: physical }];
  });
  return { t, q, fid, cols };
}

/** What an aggregation said, in order. */
export interface Heard {
  readonly results: { readonly cause: Cause; readonly result: WindowResult }[];
  readonly changed: { readonly topic: string; readonly classId: number; readonly start: number }[];
  readonly appeared: Series[];
}

/** An aggregation over the schemas of a log, and what it says. */
export function listening(
  log: EventLog,
  options: Partial<AggregationOptions> = {},
): { readonly aggregation: Aggregation; readonly heard: Heard } {
  const heard: Heard = { results: [], changed: [], appeared: [] };
  const aggregation = new Aggregation({
    shards: 2,
    schemas: log.schemas,
    sink: {
      result: (cause, result) => heard.results.push({ cause, result }),
      changed: ({ series: { topic }, classId }, start) =>
        heard.changed.push({ topic, classId, start }),
      appeared: (series) => heard.appeared.push(series),
    },
    ...options,
  });
  return { aggregation, heard };
}

/** Feeds entries to an aggregation. */
export function feed(aggregation: Aggregation, entries: readonly Entry[]): void {
  for (const { record, header } of entries) aggregation.apply(record, header);
}
