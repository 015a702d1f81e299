import type { RecordBatch } from '../../model/batch.ts';
import { LOG } from '../../model/record.ts';
import { viewOf } from './entry.ts';
import { type RecordPlace, recordBytes, rowsBytes, writeRecord } from './record-codec.ts';
import type { Appended } from './shard-log.ts';

const FIRST_BYTES = 64 * 1024;

/** An append call on its way to the disk. */
export interface Waiting {
  readonly batch: RecordBatch;
  readonly offsets: Float64Array;
  /** How many of its rows are in a group already. */
  taken: number;
  /** Told the offsets of the first rows when those are durable and others are not. */
  readonly onPart: ((offsets: Float64Array) => void) | undefined;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

/** The rows of a call are of one log. */
export const isAlarms = ({ batch }: Waiting): boolean =>
  batch.rows > 0 && batch.log[0] === LOG.alarms;

/** Where the next record goes. */
export interface Counters extends RecordPlace {
  /** Shape: next offset by log × shards + shard. */
  readonly offsets: Float64Array;
  readonly shards: number;
}

/** How much goes into one group. */
export interface GroupSize {
  readonly callsMost: number;
  /** About: the last row may go beyond it. */
  readonly bytesMost: number;
}

/**
 * What waits is written in even parts: a short one at the end would cost as much by itself as the others.
 * Units: bytes.
 */
function shareOf(waiting: readonly Waiting[], bytesMost: number): number {
  let bytes = 0;
  for (const { batch, taken } of waiting) bytes += rowsBytes(batch, taken);
  return bytes / Math.max(1, Math.ceil(bytes / bytesMost));
}

/**
 * What one write makes durable: rows of the append calls that waited, in the order of
 * the calls, in one buffer. A call larger than a group goes into several.
 * Bounds: the buffer grows to `bytesMax` and is kept.
 */
export class Group {
  /** Calls whose first row is in this group (or that have none). */
  readonly begun: Waiting[] = [];
  /** Calls whose last row is in this group. */
  finished: Waiting[] = [];
  /** The call of which some rows are in this group and others are not. */
  partial: Waiting | null = null;
  /** Its rows are alarms. */
  isAlarms = false;
  readonly #bytesMax: number;
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;
  #share = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(Math.min(FIRST_BYTES, bytesMax));
    this.#view = viewOf(this.#bytes);
  }

  /** The records, as they go to the disk. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Moves rows of the first calls of `queue`, as many as are asked for and at least one, into an
   * empty group, and assigns their offsets.
   */
  gather(queue: Waiting[], counters: Counters, { callsMost, bytesMost }: GroupSize): void {
    this.#share = shareOf(queue.slice(0, callsMost), bytesMost);
    this.#length = 0;
    this.begun.length = 0;
    this.partial = null;
    this.isAlarms = queue[0] !== undefined && isAlarms(queue[0]);
    let calls = 0;
    for (const waiting of queue) {
      if (calls === callsMost) break;
      const isNew = waiting.taken === 0;
      this.#take(waiting, counters);
      if (isNew && (waiting.taken > 0 || waiting.batch.rows === 0)) this.begun.push(waiting);
      if (waiting.taken < waiting.batch.rows) {
        this.partial = waiting;
        break;
      }
      calls += 1;
    }
    this.finished = queue.splice(0, calls);
  }

  #take(waiting: Waiting, counters: Counters): void {
    const { batch, offsets } = waiting;
    for (; waiting.taken < batch.rows; waiting.taken += 1) {
      const row = waiting.taken;
      const end = this.#length + recordBytes(batch, row);
      const isFull = this.#length >= this.#share || end > this.#bytesMax;
      if (isFull && this.#length > 0) return;
      if (end > this.#bytes.length) this.#grow(end);
      const index = (batch.log[row] as number) * counters.shards + (batch.shard[row] as number);
      counters.offset = counters.offsets[index] as number;
      const into = { bytes: this.#bytes, view: this.#view, at: this.#length };
      this.#length = writeRecord(into, batch, row, counters);
      counters.sequence += 1;
      counters.offsets[index] = counters.offset + 1;
      offsets[row] = counters.offset;
    }
  }

  #grow(least: number): void {
    const larger = new Uint8Array(
      Math.min(this.#bytesMax, Math.max(least, this.#bytes.length * 2)),
    );
    larger.set(this.bytes);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}
