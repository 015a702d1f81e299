import type { LogRecord } from '../model/record.ts';
import { RECORD } from '../model/record.ts';
import { emptyHeader, type RecordHeader, readHeader } from '../wire/record-header.ts';
import type { PendingBatch } from './pending-batch.ts';

const nameOf = (shard: number, key: Uint8Array, { lane, epoch, n }: RecordHeader): string =>
  `${shard} ${lane} ${epoch} ${n} ${String.fromCharCode(...key)}`;

/**
 * The rows of an append of which nobody knows whether it reached the log. Reading up to the next
 * own fence decides each: found before it, the row is durable; not found, it will never count.
 */
export class Undecided {
  readonly batch: PendingBatch;
  readonly #rows = new Map<string, number>();
  readonly #found = new Set<number>();

  constructor(batch: PendingBatch) {
    this.batch = batch;
    const header = emptyHeader();
    const { records } = batch;
    for (let row = 0; row < records.rows; row += 1) {
      if (!readHeader(records.tg(row), header) || header.kind === RECORD.mark) continue;
      this.#rows.set(nameOf(records.shard[row] as number, records.key(row), header), row);
    }
  }

  /** The row that this valid record is, if it is one of ours that was undecided. */
  find({ shard, key }: LogRecord, header: RecordHeader): number | null {
    const row = this.#rows.get(nameOf(shard, key, header));
    if (row === undefined || this.#found.has(row)) return null;
    this.#found.add(row);
    return row;
  }

  /** The row has not been found, so it has to be appended again. */
  isMissing(row: number): boolean {
    return !this.#found.has(row);
  }

  /** How many rows have to be appended again. */
  get missing(): number {
    return this.batch.records.rows - this.#found.size;
  }
}
