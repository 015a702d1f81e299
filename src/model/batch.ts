import type { DeadLetter, LogKind, SchemaRecord } from './record.ts';

const FIRST_BYTES = 64 * 1024;
const FIRST_ROWS = 256;

/** What a batch has room for before it has to grow. */
export interface BatchRoom {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Records to be appended together, in order. All bytes lie in one buffer and the bookkeeping in
 * typed arrays: an object per 40-byte frame would cost 350–950 bytes of heap.
 *
 * Shape: row r is `bytes[start[r] … start[r + 1])` = key (u8 length + bytes), tg (u16 LE length +
 * bytes), value: the tail of a record as the file log writes it, so that it is one copy.
 * Guarantee: rows of one (log, shard) are in the order of their offsets.
 */
export class RecordBatch {
  bytes: Uint8Array<ArrayBuffer>;
  log: Uint8Array<ArrayBuffer>;
  shard: Uint16Array<ArrayBuffer>;
  /** Shape: rows + 1 entries count. */
  start: Uint32Array<ArrayBuffer>;
  rows = 0;
  /** Set definitions that must be durable before any row of this batch. */
  readonly schemas: SchemaRecord[] = [];
  /** Dead letters that must be durable before the batch counts as durable. */
  readonly deadLetters: DeadLetter[] = [];

  /** `room`: what it will surely be filled with, which spares it growing there. */
  constructor(room: BatchRoom = { rows: FIRST_ROWS, bytes: FIRST_BYTES }) {
    this.bytes = new Uint8Array(room.bytes);
    this.log = new Uint8Array(room.rows);
    this.shard = new Uint16Array(room.rows);
    this.start = new Uint32Array(room.rows + 1);
  }

  /** How many bytes the rows take. */
  get size(): number {
    return this.start[this.rows] ?? 0;
  }

  /**
   * Opens a row and returns where its first byte goes; at most `bytesMax` bytes may be written
   * before `end`. Re-read `bytes` after this call: it may have been replaced by a larger buffer.
   */
  begin(log: LogKind, shard: number, bytesMax: number): number {
    if (this.rows === this.log.length) this.#growRows();
    const at = this.size;
    if (at + bytesMax > this.bytes.length) this.#growBytes(at + bytesMax);
    this.log[this.rows] = log;
    this.shard[this.rows] = shard;
    return at;
  }

  /** Closes the row opened by `begin`; `end` is one past its last byte. Returns the row's number. */
  end(end: number): number {
    this.rows += 1;
    this.start[this.rows] = end;
    return this.rows - 1;
  }

  /** Adds a whole record. Returns its row number. */
  add(log: LogKind, shard: number, key: Uint8Array, tg: Uint8Array, value: Uint8Array): number {
    let at = this.begin(log, shard, 3 + key.length + tg.length + value.length);
    const { bytes } = this;
    bytes[at] = key.length;
    bytes.set(key, at + 1);
    at += 1 + key.length;
    bytes[at] = tg.length & 0xff;
    bytes[at + 1] = tg.length >>> 8;
    bytes.set(tg, at + 2);
    at += 2 + tg.length;
    bytes.set(value, at);
    return this.end(at + value.length);
  }

  /** The key of row r, as a view. */
  key(row: number): Uint8Array {
    const at = this.start[row] as number;
    return this.bytes.subarray(at + 1, at + 1 + (this.bytes[at] as number));
  }

  /** The header of row r, as a view. */
  tg(row: number): Uint8Array {
    const at = this.tgAt(row);
    return this.bytes.subarray(at, at + this.#u16(at - 2));
  }

  /** Where in `bytes` the header of row r begins. */
  tgAt(row: number): number {
    const at = this.start[row] as number;
    return at + 3 + (this.bytes[at] as number);
  }

  /** The value of row r, as a view. */
  value(row: number): Uint8Array {
    const at = this.tgAt(row);
    return this.bytes.subarray(at + this.#u16(at - 2), this.start[row + 1]);
  }

  /** Empties the batch and keeps its buffers. */
  clear(): void {
    this.rows = 0;
    this.schemas.length = 0;
    this.deadLetters.length = 0;
  }

  #u16(at: number): number {
    return (this.bytes[at] as number) | ((this.bytes[at + 1] as number) << 8);
  }

  #growBytes(least: number): void {
    const larger = new Uint8Array(Math.max(least, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.size));
    this.bytes = larger;
  }

  #growRows(): void {
    const rows = this.log.length * 2;
    const log = new Uint8Array(rows);
    const shard = new Uint16Array(rows);
    const start = new Uint32Array(rows + 1);
    log.set(this.log);
    shard.set(this.shard);
    start.set(this.start);
    this.log = log;
    this.shard = shard;
    this.start = start;
  }
}
