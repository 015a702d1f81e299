import type { ShardLog } from '../../src/adapters/log/shard-log.ts';
import { RecordBatch } from '../../src/model/batch.ts';
import type { DeadLetter, LogKind, LogRecord, SchemaRecord } from '../../src/model/record.ts';

const utf8 = new TextEncoder();

/** A record as a test says it; the rest has defaults. */
export interface RowText {
  readonly log?: LogKind;
  readonly shard?: number;
  readonly key?: string;
  readonly tg?: Uint8Array;
  readonly value?: string | Uint8Array;
}

/** A batch of these rows. */
export function batchOf(...rows: readonly RowText[]): RecordBatch {
  const batch = new RecordBatch();
  for (const { log = 0, shard = 0, key = 'a/b', tg = Uint8Array.of(1, 2), value = 'v' } of rows) {
    const bytes = typeof value === 'string' ? utf8.encode(value) : value;
    batch.add(log, shard, utf8.encode(key), tg, bytes);
  }
  return batch;
}

/** A batch of `count` rows of `bytes` bytes of value each, spread over shards 0 … 3. */
export function fullBatch(count: number, bytes: number, first = 0): RecordBatch {
  const batch = new RecordBatch();
  const value = new Uint8Array(bytes);
  const view = new DataView(value.buffer);
  for (let row = 0; row < count; row += 1) {
    view.setUint32(0, first + row);
    batch.add(0, row % 4, utf8.encode('plant/line'), Uint8Array.of(1, 2, 3), value);
  }
  return batch;
}

/** A dead letter. */
export const letterOf = (text: Partial<DeadLetter>): DeadLetter => ({
  shard: 0,
  device: 'a/b',
  lane: 1,
  epoch: 1_761_962_400_000_001,
  n: 5,
  code: 4021,
  recv: 1_761_962_400_158_000,
  bytes: Uint8Array.of(0xa0),
  ...text,
});

/** A schema whose hash is 16 times this byte. */
export const schemaOf = (byte: number, text = 'schema'): SchemaRecord => ({
  hash: new Uint8Array(16).fill(byte),
  bytes: utf8.encode(text),
});

/** A record that was read, with bytes of its own. */
export interface ReadRow {
  readonly log: LogKind;
  readonly shard: number;
  readonly offset: number;
  readonly key: string;
  readonly tg: Uint8Array;
  readonly value: Uint8Array;
}

/** Copies a record out of the reader's buffer. */
export const rowOf = (record: LogRecord): ReadRow => ({
  log: record.log,
  shard: record.shard,
  offset: record.offset,
  key: new TextDecoder().decode(record.key),
  tg: record.tg.slice(),
  value: record.value.slice(),
});

/** The value of a row that was read, as text. */
export const textOf = (row: { readonly value: Uint8Array }): string =>
  new TextDecoder().decode(row.value);

/** Everything that is in a log. */
export async function readAll(log: ShardLog): Promise<ReadRow[]> {
  const rows: ReadRow[] = [];
  await log.read((record) => rows.push(rowOf(record)));
  return rows;
}

/** All set definitions of a log. */
export async function readAllSchemas(log: ShardLog): Promise<SchemaRecord[]> {
  const schemas: SchemaRecord[] = [];
  await log.readSchemas(({ hash, bytes }) => {
    schemas.push({ hash: hash.slice(), bytes: bytes.slice() });
  });
  return schemas;
}
