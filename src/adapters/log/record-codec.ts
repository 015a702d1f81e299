import type { RecordBatch } from '../../model/batch.ts';
import { LOG_NAMES, type LogKind, type LogRecord } from '../../model/record.ts';
import { ENTRY_HEAD_BYTES, type EntryBytes, getU64, putU64, sealEntry } from './entry.ts';

/**
 * A record of the log in a segment: an entry (see `entry.ts`: length, crc32, sequence) whose body,
 * integers little-endian, is
 * ```
 *  0  u8   log: 0 readings, 1 alarms, 2 aggregates
 *  1  u16  shard
 *  3  u64  offset in (log, shard), from 0, +1 per record
 * 11  u8   length of the key, then the key
 *     u16  length of tg, then tg
 *          value: the rest
 * ```
 * The part from the key on is a row of a `RecordBatch` as it is. Source: INTERFACE, Data directory.
 */
export const RECORD_HEAD_BYTES = ENTRY_HEAD_BYTES + 11;
/** Key and tg are empty at least. */
const RECORD_BYTES_MIN = RECORD_HEAD_BYTES + 3;

/** What the log adds to a row when it becomes a record. */
export interface RecordPlace {
  sequence: number;
  offset: number;
}

/** Writes row `row` of a batch as a record at `at`; returns the end. */
export function writeRecord(
  into: { readonly bytes: Uint8Array; readonly view: DataView; readonly at: number },
  batch: RecordBatch,
  row: number,
  place: RecordPlace,
): number {
  const { bytes, view, at } = into;
  const body = at + ENTRY_HEAD_BYTES;
  view.setUint8(body, batch.log[row] as number);
  view.setUint16(body + 1, batch.shard[row] as number, true);
  putU64(view, body + 3, place.offset);
  const from = batch.start[row] as number;
  const to = batch.start[row + 1] as number;
  bytes.set(batch.bytes.subarray(from, to), body + 11);
  const end = body + 11 + to - from;
  sealEntry(view, at, end, place.sequence);
  return end;
}

/** How many bytes a row takes as a record. */
export function recordBytes(batch: RecordBatch, row: number): number {
  return RECORD_HEAD_BYTES + (batch.start[row + 1] as number) - (batch.start[row] as number);
}

/** What the rows from this one on take in a log. */
export function rowsBytes(batch: RecordBatch, from: number): number {
  return (batch.rows - from) * RECORD_HEAD_BYTES + batch.size - (batch.start[from] as number);
}

/**
 * The record in the entry at which a scan stands, as views into the scan's buffer. Null if the
 * lengths in it do not fit: an entry with a good checksum that this code did not write.
 */
export function readRecord(scan: EntryBytes): LogRecord | null {
  const { view, end } = scan;
  const body = scan.at + ENTRY_HEAD_BYTES;
  if (end - scan.at < RECORD_BYTES_MIN) return null;
  const log = view.getUint8(body);
  const key = body + 12;
  const tgLength = key + view.getUint8(body + 11);
  const tg = tgLength + 2;
  if (log >= LOG_NAMES.length || tg > end) return null;
  const value = tg + view.getUint16(tgLength, true);
  if (value > end) return null;
  return {
    log: log as LogKind,
    shard: view.getUint16(body + 1, true),
    offset: getU64(view, body + 3),
    key: scan.bytes.subarray(key, tgLength),
    tg: scan.bytes.subarray(tg, value),
    value: scan.bytes.subarray(value, end),
  };
}
