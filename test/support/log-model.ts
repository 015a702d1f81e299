import { type FileLog, openFileLog } from '../../src/adapters/log/file-log.ts';
import { LogReader } from '../../src/adapters/log/log-reader.ts';
import { RecordBatch } from '../../src/model/batch.ts';
import type { DeadLetter, LogKind, SchemaRecord } from '../../src/model/record.ts';
import type { FaultyFiles } from './faulty-files.ts';

/** Shards of the log under test. */
export const SHARDS = 3;
/** Segments so small that every run rotates them. */
export const SEGMENT_BYTES = 6 * 1024;

/** One append call, as a property draws it. */
export interface Call {
  readonly rows: readonly { log: number; shard: number; size: number; isZeros: boolean }[];
  readonly letters: number;
  readonly schemas: number;
  readonly isAwaited: boolean;
}

interface Row {
  readonly log: LogKind;
  readonly shard: number;
  readonly value: Uint8Array;
  /** How many letters and schemas were to be durable before it. */
  readonly letters: number;
  readonly schemas: number;
}

/**
 * What was asked of a log, in order, and what it acknowledged; compared with what it has after a
 * crash. A checker: it knows nothing of files.
 */
export class LogModel {
  #rows: Row[] = [];
  #letters: DeadLetter[] = [];
  #schemas: SchemaRecord[] = [];
  #acked = { rows: 0, letters: 0, schemas: 0 };
  #next = 1;

  /** Appends what `call` says and notes whether it was acknowledged. Resolves in either case. */
  async append(log: FileLog, call: Call): Promise<void> {
    const batch = this.#batch(call);
    const first = this.#rows.length - batch.rows;
    const asked = {
      rows: this.#rows.length,
      letters: this.#letters.length,
      schemas: this.#schemas.length,
    };
    let offsets: Float64Array;
    try {
      ({ offsets } = await log.append(batch));
    } catch {
      return;
    }
    for (const [row, offset] of offsets.entries()) {
      const index = first + row;
      if (offset !== this.#offsetOf(index)) throw new Error(`row ${index} was given ${offset}`);
    }
    // Calls are served in order, so an acknowledged one covers those before it.
    this.#acked = asked;
  }

  /** Compares with what the log has now; what it has is the truth from here on. */
  async check(log: FileLog, files: FaultyFiles, directory: string): Promise<void> {
    const rows = await this.#checkRows(log);
    const reader = await LogReader.open(directory, files);
    let letters = 0;
    for await (const letter of reader.deadLetters()) {
      sameOrThrow('dead letter', letters, letter.bytes, this.#letters[letters]?.bytes);
      letters += 1;
    }
    let schemas = 0;
    await log.readSchemas((schema) => {
      sameOrThrow('schema', schemas, schema.bytes, this.#schemas[schemas]?.bytes);
      schemas += 1;
    });
    const last = rows === 0 ? { letters: 0, schemas: 0 } : (this.#rows[rows - 1] as Row);
    atLeastOrThrow('rows', rows, this.#acked.rows);
    atLeastOrThrow('dead letters', letters, Math.max(this.#acked.letters, last.letters));
    atLeastOrThrow('schemas', schemas, Math.max(this.#acked.schemas, last.schemas));
    this.#rows.length = rows;
    this.#letters.length = letters;
    this.#schemas.length = schemas;
    this.#acked = { rows, letters, schemas };
  }

  async #checkRows(log: FileLog): Promise<number> {
    let rows = 0;
    await log.read((record) => {
      const asked = this.#rows[rows];
      sameOrThrow('row', rows, record.value, asked?.value);
      if (record.log !== asked?.log || record.shard !== asked.shard) throw new Error('misplaced');
      if (record.offset !== this.#offsetOf(rows))
        throw new Error(`row ${rows} at ${record.offset}`);
      rows += 1;
    });
    return rows;
  }

  #batch(call: Call): RecordBatch {
    const batch = new RecordBatch();
    for (let letter = 0; letter < call.letters; letter += 1) {
      const bytes = this.#bytes(600, false);
      const value = {
        shard: 1,
        device: 'a/b',
        lane: 1,
        epoch: 5,
        n: 6,
        code: 4021,
        recv: 7,
        bytes,
      };
      batch.deadLetters.push(value);
      this.#letters.push(value);
    }
    for (let schema = 0; schema < call.schemas; schema += 1) {
      const bytes = this.#bytes(500, false);
      const value = { hash: bytes.slice(0, 16), bytes };
      batch.schemas.push(value);
      this.#schemas.push(value);
    }
    for (const { log, shard, size, isZeros } of call.rows) {
      const value = this.#bytes(size, isZeros);
      const before = { letters: this.#letters.length, schemas: this.#schemas.length };
      batch.add(log as LogKind, shard, Uint8Array.of(97), Uint8Array.of(1, 2, 3), value);
      this.#rows.push({ log: log as LogKind, shard, value, ...before });
    }
    return batch;
  }

  /** Bytes that occur only once. */
  #bytes(size: number, isZeros: boolean): Uint8Array {
    const bytes = new Uint8Array(Math.max(4, size));
    if (!isZeros)
      for (let at = 4; at < bytes.length; at += 1) bytes[at] = (at * 7 + this.#next) | 1;
    new DataView(bytes.buffer).setUint32(0, this.#next);
    this.#next += 1;
    return bytes;
  }

  #offsetOf(index: number): number {
    const { log, shard } = this.#rows[index] as Row;
    const before = this.#rows.slice(0, index);
    return before.filter((row) => row.log === log && row.shard === shard).length;
  }
}

/** Opens the log under test on `files`; whenever it waits for room, somebody makes some. */
export function openModelled(files: FaultyFiles, directory: string): Promise<FileLog> {
  return openFileLog({
    directory,
    shards: SHARDS,
    segmentBytes: SEGMENT_BYTES,
    files,
    warn: () => {},
    sleep: async () => {
      files.faults.freeBytes += 1024;
      await Promise.resolve();
    },
  });
}

function sameOrThrow(
  what: string,
  index: number,
  found: Uint8Array,
  asked: Uint8Array | undefined,
): void {
  if (asked !== undefined && Buffer.compare(found, asked) === 0) return;
  throw new Error(`${what} ${index} is not what was appended there`);
}

function atLeastOrThrow(what: string, found: number, needed: number): void {
  if (found < needed)
    throw new Error(`${found} ${what} found, ${needed} were acknowledged or used`);
}
