import { referenceDecode, type Value } from '../support/cbor-reference.ts';
import type { TopicRecord } from '../support/kafka/read-topic.ts';
import type { ReadFrame } from './record.ts';

/** What a frame says: times, and values by column; null where there is none. */
export interface Content {
  readonly t: readonly number[];
  readonly v: readonly (readonly (number | null)[])[];
}

type Fields = ReadonlyMap<number | string, Value>;

/** Factor and summand by column, from raw to physical values. */
type Scales = readonly (readonly [scale: number, offset: number])[];

/** Keys of `data` and of its blocks. Source: PROTOCOL §3.4. */
const KEY = { b: 3, t: 1, dt: 2, d: 3, v: 4 } as const;
/** A top-level item stands on level 1. */
const TOP_LEVEL = 1;

/** Reads frames with the definitions of the schemas topic, as the page says and with nothing of src. */
export class ContentReader {
  readonly #scales = new Map<string, Scales>();

  constructor(schemas: readonly TopicRecord[]) {
    for (const { key, value } of schemas) {
      if (key && value) this.#scales.set(key.toString('hex'), scalesOf(value));
    }
  }

  /** What this frame says. All its blocks are of one set. */
  read({ head, value }: ReadFrame): Content {
    const [hash = ''] = head.hashes;
    const scales = this.#scales.get(hash);
    if (!scales) throw new Error(`no definition ${hash}, and a record uses it`);
    const blocks = (decoded(value) as Fields).get(KEY.b) as readonly Fields[];
    const parts = blocks.map((block) => blockContent(block, scales));
    return {
      t: parts.flatMap(({ t }) => t),
      v: scales.map((_, i) => parts.flatMap(({ v }) => v[i] ?? [])),
    };
  }
}

function decoded(bytes: Buffer): Value {
  const item = referenceDecode(bytes, TOP_LEVEL);
  if (!item) throw new Error(`a record whose value is no CBOR: ${bytes.toString('hex')}`);
  return item.value;
}

/** `[of, [+ [name, unit, scale, offset]]]` */
function scalesOf(bytes: Buffer): Scales {
  const [, columns] = decoded(bytes) as readonly [Value, readonly Value[]];
  return columns.map((column) => {
    const [, , scale, offset] = column as readonly [Value, Value, number, number];
    return [scale, offset];
  });
}

function blockContent(block: Fields, scales: Scales): Content {
  const columns = (block.get(KEY.v) as readonly Value[]).map(listOf);
  const deltas = block.has(KEY.d) ? (listOf(block.get(KEY.d) ?? null) as number[]) : undefined;
  const rows = columns.find(Array.isArray)?.length ?? (deltas ? deltas.length + 1 : 1);
  const t = times(block, rows, deltas);
  const v = columns.map((column, i) =>
    Array.from({ length: rows }, (_, row) =>
      physical(Array.isArray(column) ? column[row] : column, scales[i] ?? [1, 0]),
    ),
  );
  return { t, v };
}

function times(block: Fields, rows: number, deltas: readonly number[] | undefined): number[] {
  const first = block.get(KEY.t) as number;
  const step = (block.get(KEY.dt) ?? 0) as number;
  if (!deltas) return Array.from({ length: rows }, (_, row) => first + Math.floor(row * step));
  let t = first;
  return [first, ...deltas.map((delta) => (t += delta))];
}

function physical(raw: unknown, [scale, offset]: readonly [number, number]): number | null {
  if (raw === null || raw === undefined) return null;
  const value = Number(raw) * scale + offset;
  return Number.isFinite(value) ? value : null;
}

const VIEWS: Readonly<Record<number, (bytes: DataView, at: number) => number>> = {
  64: (bytes, at) => bytes.getUint8(at),
  69: (bytes, at) => bytes.getUint16(at, true),
  70: (bytes, at) => bytes.getUint32(at, true),
  71: (bytes, at) => Number(bytes.getBigUint64(at, true)),
  72: (bytes, at) => bytes.getInt8(at),
  77: (bytes, at) => bytes.getInt16(at, true),
  78: (bytes, at) => bytes.getInt32(at, true),
  79: (bytes, at) => Number(bytes.getBigInt64(at, true)),
  85: (bytes, at) => bytes.getFloat32(at, true),
  86: (bytes, at) => bytes.getFloat64(at, true),
};

const WIDTHS: Readonly<Record<number, number>> = {
  64: 1,
  69: 2,
  70: 4,
  71: 8,
  72: 1,
  77: 2,
  78: 4,
  79: 8,
  85: 4,
  86: 8,
};

/** A typed array as a list, everything else as it is. */
function listOf(value: Value): unknown {
  if (value === null || typeof value !== 'object' || !('tag' in value)) return value;
  const { tag, bytes } = value;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const width = WIDTHS[tag] ?? 1;
  const read = VIEWS[tag];
  if (!read) throw new Error(`a column with tag ${tag}`);
  return Array.from({ length: bytes.length / width }, (_, i) => read(view, i * width));
}
