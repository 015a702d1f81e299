import type { Breach } from '../model/errors.ts';
import { type Column, type Schema, topicOf } from '../model/reading.ts';
import type { LogRecord } from '../model/record.ts';
import { decodeCbor } from '../wire/decode.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import type { ColumnValues } from '../wire/messages.ts';
import type { RecordHeader } from '../wire/record-header.ts';
import { textOf } from '../wire/utf8.ts';
import { HASH_BYTES, type SchemaCache } from './schema-cache.ts';

/**
 * Values of a series, one per row. Numbers are a Float64Array, NaN for no value; text and the
 * integers that float64 cannot hold (bigint) make it a list, null for no value.
 */
export type PhysicalValues = Float64Array | readonly (string | number | bigint | null)[];

/** One series in a block. */
export interface DecodedColumn {
  readonly topic: string;
  /** Empty text when there is none. */
  readonly unit: string;
  /** Physical values: raw × scale + offset in float64. */
  readonly v: PhysicalValues;
}

/** A block of a frame, by column. */
export interface DecodedBlock {
  /** Event time of each row. Units: µs. */
  readonly t: Float64Array;
  /** Quality: one number if all rows have the same, else one per row. */
  readonly q: number | Uint8Array;
  /** How many raw samples each row stands for. */
  readonly fid: number;
  /** Columns that are in the frame; one that is absent (null) is left out. */
  readonly cols: readonly DecodedColumn[];
}

/** A frame as values. */
export interface DecodedFrame {
  readonly blocks: readonly DecodedBlock[];
  /** No later reading of this lane's class has time < wm; undefined if the frame does not say. */
  readonly wm: number | undefined;
}

/** A frame that is no good, or whose definitions are not known: what is wrong, in a sentence. */
export interface Undecodable {
  readonly fault: string;
  /** A definition is not known: perhaps it is to be had, and then the record can be decoded. */
  readonly isSetUnknown: boolean;
}

/** One value of one series at one time. */
export interface DecodedReading {
  readonly topic: string;
  readonly unit: string;
  readonly t: number;
  /** null: no value. */
  readonly v: string | number | bigint | null;
  readonly q: number;
  readonly fid: number;
}

/** The first integer that has a neighbour float64 cannot tell it from. */
const EXACT_BELOW = 2 ** 53;

/** Turns frame records back into readings, by column. */
export class FrameDecoder {
  readonly #reader = new FrameReader();
  readonly #schemas: SchemaCache;

  constructor(schemas: SchemaCache) {
    this.#schemas = schemas;
  }

  /** Decodes a record of kind frame. The result keeps nothing of the record's bytes. */
  decode(record: LogRecord, header: RecordHeader): DecodedFrame | Undecodable {
    const reader = this.#reader;
    const broken = reader.read(record.value);
    if (broken !== null) return faultOf(broken);
    const device = textOf(record.key, 0, record.key.length);
    const sets = new SetOrder();
    const blocks: DecodedBlock[] = [];
    for (let i = 0; i < reader.blockCount; i += 1) {
      const schema = this.#schemaOf(header, sets.indexOf(reader.set(i)));
      if (schema === undefined) return unknownSet(reader.set(i));
      const misshapen = reader.shape(i, schema.columns.length);
      if (misshapen !== null) return faultOf(misshapen);
      blocks.push(this.#block(i, device, schema, record.value));
    }
    return { blocks, wm: Number.isNaN(reader.wm) ? undefined : reader.wm };
  }

  #schemaOf({ hashes }: RecordHeader, index: number): Schema | undefined {
    const at = index * HASH_BYTES;
    return at + HASH_BYTES > hashes.length ? undefined : this.#schemas.find(hashes, at);
  }

  #block(i: number, device: string, schema: Schema, value: Uint8Array): DecodedBlock {
    const reader = this.#reader;
    const t = new Float64Array(reader.rows(i));
    reader.times(i, t);
    const cols: DecodedColumn[] = [];
    for (const [c, column] of schema.columns.entries()) {
      if (reader.kind(i, c) === 'absent') continue;
      const topic = topicOf(device, schema.of, column.name);
      cols.push({ topic, unit: column.unit, v: this.#values(i, c, column, value) });
    }
    return { t, q: this.#quality(i), fid: reader.fid(i), cols };
  }

  #quality(i: number): number | Uint8Array {
    const q = new Uint8Array(this.#reader.rows(i));
    this.#reader.qualities(i, q);
    const first = q[0] as number;
    return q.every((quality) => quality === first) ? first : q;
  }

  #values(i: number, c: number, { scale, offset }: Column, value: Uint8Array): PhysicalValues {
    if (this.#reader.kind(i, c) === 'text') return this.#reader.texts(i, c);
    const v = new Float64Array(this.#reader.rows(i));
    this.#reader.numbers(i, c, v);
    if (scale === 1 && offset === 0 && v.some((raw) => Math.abs(raw) >= EXACT_BELOW)) {
      const exact = exactIntegers(value, i, c);
      if (exact !== null) return exact;
    }
    for (let row = 0; row < v.length; row += 1) v[row] = (v[row] as number) * scale + offset;
    return v;
  }
}

/** Numbers the sets of a frame in order of first appearance, as the header's hashes are. */
class SetOrder {
  readonly #sets: number[] = [];

  indexOf(set: number): number {
    const known = this.#sets.indexOf(set);
    return known >= 0 ? known : this.#sets.push(set) - 1;
  }
}

/**
 * The values of a column of 64-bit integers, those beyond 2⁵³ as bigint; null if it is none. Rare,
 * so the frame is simply decoded once more.
 */
function exactIntegers(value: Uint8Array, block: number, column: number): PhysicalValues | null {
  const decoded = decodeCbor(value, 'client');
  if (!('message' in decoded) || decoded.message.k !== 'data') return null;
  const values = decoded.message.b[block]?.v[column];
  if (!isWide(values)) return null;
  const isExact = (raw: bigint): boolean => raw < BigInt(EXACT_BELOW) && raw > -BigInt(EXACT_BELOW);
  return Array.from(values, (raw) => (isExact(raw) ? Number(raw) : raw));
}

const isWide = (values: ColumnValues | undefined): values is BigInt64Array | BigUint64Array =>
  values instanceof BigInt64Array || values instanceof BigUint64Array;

const faultOf = ({ message }: Breach): Undecodable => ({
  fault: `the frame is damaged: ${message}`,
  isSetUnknown: false,
});

const unknownSet = (set: number): Undecodable => ({
  fault: `the definition of set ${set} is not in the log`,
  isSetUnknown: true,
});

/** The readings of decoded blocks, row by row: one per row and column. */
export function* readingsOf(blocks: readonly DecodedBlock[]): Generator<DecodedReading> {
  for (const { t, q, fid, cols } of blocks) {
    for (const [row, time] of t.entries()) {
      for (const { topic, unit, v } of cols) {
        const quality = typeof q === 'number' ? q : (q[row] as number);
        yield { topic, unit, t: time, v: valueAt(v, row), q: quality, fid };
      }
    }
  }
}

function valueAt(values: PhysicalValues, row: number): string | number | bigint | null {
  const value = values[row] as string | number | bigint | null;
  return Number.isNaN(value) ? null : value;
}
