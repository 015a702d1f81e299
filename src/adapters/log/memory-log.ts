import { RecordBatch } from '../../model/batch.ts';
import { InvariantError } from '../../model/invariant.ts';
import { LOG_NAMES, type LogKind, type LogRecord, type SchemaRecord } from '../../model/record.ts';
import { within } from './ranges.ts';
import type { Appended, LogState, Range, ShardLog } from './shard-log.ts';

interface Kept {
  readonly batch: RecordBatch;
  readonly offsets: Float64Array;
}

/**
 * The log without a disk, for tests and trials: gone with the process, hence `dur` 0.
 * Bounds: none. It keeps every record for as long as it lives: its memory is what was appended.
 */
export class MemoryLog implements ShardLog {
  readonly kind = 'memory';
  readonly dur = 0;
  readonly isRecoverable = false;
  readonly shards: number;
  readonly state: LogState = { kind: 'ok' };
  /** Never called: nothing here waits or fails. */
  onState: ((state: LogState) => void) | null = null;
  readonly #kept: Kept[] = [];
  readonly #schemas = new Map<string, SchemaRecord>();
  readonly #offsets: Float64Array;
  #isClosed = false;

  constructor(shards: number) {
    this.shards = shards;
    this.#offsets = new Float64Array(LOG_NAMES.length * shards);
  }

  async readSchemas(onSchema: (schema: SchemaRecord) => void): Promise<void> {
    const schemas = [...this.#schemas.values()];
    await Promise.resolve();
    for (const schema of schemas) onSchema(schema);
  }

  async read(onRecord: (record: LogRecord) => void, ranges?: readonly Range[]): Promise<void> {
    const kept = this.#kept.slice();
    await Promise.resolve();
    for (const { batch, offsets } of kept) readRows(batch, offsets, within(onRecord, ranges));
  }

  /** Dead letters are only counted by their caller: nobody could read them here. */
  append(batch: RecordBatch): Promise<Appended> {
    if (this.#isClosed) return Promise.reject(new InvariantError('the log is closed'));
    if (batch.shard.subarray(0, batch.rows).some((shard) => shard >= this.shards)) {
      return Promise.reject(new InvariantError('a row of an unknown shard'));
    }
    const offsets = Float64Array.from({ length: batch.rows }, (_, row) => this.#take(batch, row));
    for (const schema of batch.schemas) this.#define(schema);
    this.#kept.push({ batch: copyOf(batch), offsets });
    return Promise.resolve({ offsets });
  }

  /** Nothing is under way anywhere else. */
  renew(): void {
    return;
  }

  nextOffset(log: LogKind, shard: number): number {
    return this.#offsets[log * this.shards + shard] as number;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  #take(batch: RecordBatch, row: number): number {
    const index = (batch.log[row] as number) * this.shards + (batch.shard[row] as number);
    const offset = this.#offsets[index] as number;
    this.#offsets[index] = offset + 1;
    return offset;
  }

  #define(schema: SchemaRecord): void {
    const name = Buffer.from(schema.hash).toString('latin1');
    if (this.#schemas.has(name)) return;
    this.#schemas.set(name, { hash: schema.hash.slice(), bytes: schema.bytes.slice() });
  }
}

function readRows(
  batch: RecordBatch,
  offsets: Float64Array,
  onRecord: (record: LogRecord) => void,
): void {
  for (let row = 0; row < batch.rows; row += 1) {
    onRecord({
      log: batch.log[row] as LogKind,
      shard: batch.shard[row] as number,
      offset: offsets[row] as number,
      key: batch.key(row),
      tg: batch.tg(row),
      value: batch.value(row),
    });
  }
}

function copyOf(batch: RecordBatch): RecordBatch {
  const copy = new RecordBatch();
  copy.bytes = batch.bytes.slice(0, batch.size);
  copy.log = batch.log.slice(0, batch.rows);
  copy.shard = batch.shard.slice(0, batch.rows);
  copy.start = batch.start.slice(0, batch.rows + 1);
  copy.rows = batch.rows;
  return copy;
}
