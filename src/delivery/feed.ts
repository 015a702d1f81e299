import type { RecordBatch } from '../model/batch.ts';
import type { LogKind, LogRecord } from '../model/record.ts';
import { emptyHeader, type RecordHeader, readHeader } from '../wire/record-header.ts';
import { gapsBefore } from './continuity.ts';
import type { Landing } from './landing.ts';
import type { OwnedLogPort } from './owned-log-port.ts';
import type { PendingBatch } from './pending-batch.ts';
import type { Tails } from './tails.ts';

const NO_BYTES = new Uint8Array(0);

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Durable rows of one log on their way to aggregation, in log order. When aggregation has done
 * enough for one step, the next row waits for another.
 * Bounds: one batch. While it is fed the next one may be on its way to the log, but does not land.
 */
export class Feed {
  readonly #tails: Tails;
  readonly #port: OwnedLogPort;
  readonly #header: RecordHeader = emptyHeader();
  readonly #record: Mutable<LogRecord>;
  #landed: Landing | null = null;
  #row = 0;

  constructor(log: LogKind, tails: Tails, port: OwnedLogPort) {
    this.#tails = tails;
    this.#port = port;
    this.#record = { log, shard: 0, offset: 0, key: NO_BYTES, tg: NO_BYTES, value: NO_BYTES };
  }

  /** Rows wait. */
  get isUnderWay(): boolean {
    return this.#landed !== null;
  }

  /** Durable readings of ours that wait: the ledger's "not yet read". */
  get readings(): number {
    if (this.#landed === null) return 0;
    const { batch, offsets } = this.#landed;
    let readings = 0;
    for (let row = this.#row; row < offsets.length; row += 1) {
      const settlement = batch.settlement(row);
      if (settlement?.refusal === null) readings += settlement.readings;
    }
    return readings;
  }

  /**
   * These rows, up to the last that has an offset, are next. They stay as they are until all of them
   * have been fed.
   */
  begin(landing: Landing): void {
    this.#landed = landing;
    this.#row = landing.from;
  }

  /** If rows of this batch are being fed: further ones of it are there now. */
  extend({ batch, offsets }: Landing): boolean {
    if (this.#landed?.batch !== batch) return false;
    if (gapsBefore(batch.records, offsets, this.#tails, this.#row)?.length !== 0) return false;
    this.#landed = { ...this.#landed, offsets };
    return true;
  }

  /** Feeds what aggregation takes in this step, or all; the batch, once all of it was fed. */
  goOn(isWhole: boolean): PendingBatch | null {
    if (this.#landed === null) return null;
    const { batch, offsets } = this.#landed;
    const { records } = batch;
    const { log } = this.#record;
    while (this.#row < offsets.length) {
      const shard = records.shard[this.#row] as number;
      if (!isWhole && !this.#port.mayFeed(log, shard)) return null;
      if (this.#feed(records, this.#row, offsets[this.#row] as number)) this.#row += 1;
    }
    this.#landed = null;
    return batch;
  }

  /** False: the row has to be fed once more. To judge a frame twice changes nothing. */
  #feed(records: RecordBatch, row: number, offset: number): boolean {
    const record = this.#record;
    record.shard = records.shard[row] as number;
    record.offset = offset;
    record.key = records.key(row);
    record.tg = records.tg(row);
    record.value = records.value(row);
    const header = this.#header;
    if (!readHeader(record.tg, header) || !this.#tails.judge(record, header)) return true;
    return this.#port.fed(record, header);
  }
}
