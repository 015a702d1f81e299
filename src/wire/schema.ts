import { type Breach, breach } from '../model/errors.ts';
import {
  COLUMNS_MAX,
  LEVELS_MAX,
  PATH_BYTES_MAX,
  TOPIC_BYTES_MAX,
  UNIT_CHARS_MAX,
} from '../model/limits.ts';
import { isPath } from '../model/pattern.ts';
import { type Column, type Schema, topicOf } from '../model/reading.ts';
import { CborCursor, ITEM } from './cbor-cursor.ts';
import { CborWriter } from './cbor-writer.ts';
import type { ColumnEntry, Def } from './messages.ts';
import { textOf } from './utf8.ts';

/** SHA-256, injected: the core has no crypto. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Of a SHA-256 so many bytes name a schema. */
const HASH_BYTES = 16;
const UNIT = new RegExp(`^[!-~]{0,${UNIT_CHARS_MAX}}$`);

const NO_COLUMNS = breach(4000, 'a definition needs a set and columns');
const TOO_MANY = breach(4009, `more than ${COLUMNS_MAX} columns in a set`);
const BAD_OF = breach(4000, 'of is not a path');
const BAD_NAME = breach(4000, 'a column name is not a path');
const TWICE = breach(4000, 'a column stands twice');
const BAD_TOPIC = breach(4000, 'a topic is longer than a topic may be');
const BAD_UNIT = breach(4000, 'a unit is not printable ASCII or too long');
const NOT_FINITE = breach(4000, 'scale or offset is not finite');

const OUT = new CborWriter();

/**
 * The schema that a `def` of this device defines. Defaults are filled in, −0 is 0.
 * Rejects: 4000 for what §2.2 and §5.1 forbid, 4009 for more than 64 columns.
 */
export function schemaOf(
  def: Def,
  device: string,
  sha256: Sha256,
): { readonly schema: Schema } | { readonly breach: Breach } {
  const columns = (def.cols ?? []).map(columnOf);
  const of = def.of ?? '';
  const fault = faultOf(def, device, columns);
  if (fault !== null) return { breach: fault };
  const bytes = schemaBytes(of, columns);
  const hash = new Uint8Array(sha256(bytes).subarray(0, HASH_BYTES));
  return { schema: { of, columns, bytes, hash } };
}

/** `+ 0` turns −0 into 0. */
const columnOf = ([name, unit = '', scale = 1, offset = 0]: ColumnEntry): Column => ({
  name,
  unit,
  scale: scale + 0,
  offset: offset + 0,
});

function faultOf(def: Def, device: string, columns: readonly Column[]): Breach | null {
  if (columns.length === 0) return NO_COLUMNS;
  if (columns.length > COLUMNS_MAX) return TOO_MANY;
  if (def.of !== undefined && !isPath(def.of, PATH_BYTES_MAX)) return BAD_OF;
  if (new Set(columns.map(({ name }) => name)).size < columns.length) return TWICE;
  for (const column of columns) {
    const fault = faultOfColumn(column, device, def.of ?? '');
    if (fault !== null) return fault;
  }
  return null;
}

function faultOfColumn(column: Column, device: string, of: string): Breach | null {
  if (!isPath(column.name, PATH_BYTES_MAX)) return BAD_NAME;
  if (!UNIT.test(column.unit)) return BAD_UNIT;
  if (!Number.isFinite(column.scale) || !Number.isFinite(column.offset)) return NOT_FINITE;
  const topic = topicOf(device, of, column.name);
  const isTopic = topic.length <= TOPIC_BYTES_MAX && topic.split('/').length <= LEVELS_MAX;
  return isTopic ? null : BAD_TOPIC;
}

/** Deterministic CBOR of `[of, [+ [name, unit, scale, offset]]]`. Source: [RD-17]. */
function schemaBytes(of: string, columns: readonly Column[]): Uint8Array {
  OUT.at = 0;
  OUT.head(4, 2);
  OUT.text(of);
  OUT.head(4, columns.length);
  for (const { name, unit, scale, offset } of columns) {
    OUT.head(4, 4);
    OUT.text(name);
    OUT.text(unit);
    OUT.float64(scale);
    OUT.float64(offset);
  }
  return OUT.take();
}

const CURSOR = new CborCursor();

/** The schema that a schema log keeps under `hash`, in copies; null if it is malformed. */
export function decodeSchema(bytes: Uint8Array, hash: Uint8Array): Schema | null {
  CURSOR.open(bytes);
  if (!isArrayOf(2)) return null;
  const of = readText();
  if (of === null || CURSOR.item() !== ITEM.array) return null;
  const count = CURSOR.value;
  if (count < 1 || count > COLUMNS_MAX) return null;
  const columns: Column[] = [];
  for (let i = 0; i < count; i += 1) {
    const column = readColumn();
    if (column === null) return null;
    columns.push(column);
  }
  if (!CURSOR.atEnd()) return null;
  return { of, columns, hash: new Uint8Array(hash), bytes: new Uint8Array(bytes) };
}

function readColumn(): Column | null {
  if (!isArrayOf(4)) return null;
  const name = readText();
  const unit = readText();
  if (name === null || unit === null || CURSOR.item() !== ITEM.float) return null;
  const scale = CURSOR.value;
  return CURSOR.item() === ITEM.float ? { name, unit, scale, offset: CURSOR.value } : null;
}

const isArrayOf = (count: number): boolean =>
  CURSOR.item() === ITEM.array && CURSOR.value === count;

function readText(): string | null {
  if (CURSOR.item() !== ITEM.text) return null;
  const from = CURSOR.at;
  return CURSOR.passText() ? textOf(CURSOR.bytes, from, CURSOR.at) : null;
}
