import type { RecordBatch } from '../../src/model/batch.ts';
import {
  type DeadLetter,
  LOG_NAMES,
  type LogKind,
  type LogRecord,
  type SchemaRecord,
} from '../../src/model/record.ts';

/** A row that is under way to the log. */
export interface Row {
  readonly log: LogKind;
  readonly shard: number;
  readonly key: Uint8Array;
  readonly tg: Uint8Array;
  readonly value: Uint8Array;
}

/** The rows of a batch, copied: the batch is used again as soon as its append is answered. */
export function rowsOf(log: LogKind, batch: RecordBatch): Row[] {
  return Array.from({ length: batch.rows }, (_, row) => ({
    log,
    shard: batch.shard[row] as number,
    key: batch.key(row).slice(),
    tg: batch.tg(row).slice(),
    value: batch.value(row).slice(),
  }));
}

/** What all nodes write to: it survives every one of them. */
export class SharedLog {
  readonly shards: number;
  readonly schemas: SchemaRecord[] = [];
  readonly letters: DeadLetter[] = [];
  readonly #records: readonly LogRecord[][];
  readonly #onLanded: (record: LogRecord) => void;

  constructor(shards: number, onLanded: (record: LogRecord) => void) {
    this.shards = shards;
    this.#records = Array.from({ length: shards * LOG_NAMES.length }, () => []);
    this.#onLanded = onLanded;
  }

  /** A row becomes durable. Returns its offset. */
  land(row: Row): number {
    const records = this.records(row.log, row.shard);
    const record = { ...row, offset: records.length };
    (records as LogRecord[]).push(record);
    this.#onLanded(record);
    return record.offset;
  }

  records(log: LogKind, shard: number): readonly LogRecord[] {
    return this.#records[shard * LOG_NAMES.length + log] as LogRecord[];
  }
}
