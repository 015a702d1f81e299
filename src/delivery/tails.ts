import type { RecordBatch } from '../model/batch.ts';
import { LOG, type LogKind, type LogRecord, RECORD } from '../model/record.ts';
import { type RecordHeader, readHeader } from '../wire/record-header.ts';

const OWN_BYTES = 8;

/** The last fence that counts, and where the log goes on. */
interface Tail {
  gen: number;
  readonly own: Uint8Array;
  next: number;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);

/**
 * Who owns one log of each shard, as the log itself tells it, and where it goes on.
 * Source: PROTOCOL §6.6, App. E.
 */
export class Tails {
  readonly log: LogKind;
  readonly shards: number;
  /** Shape: 8 random bytes of this ownership. */
  readonly own: Uint8Array;
  readonly #tails: readonly Tail[];

  constructor(log: LogKind, shards: number, own: Uint8Array) {
    this.log = log;
    this.shards = shards;
    this.own = own;
    const tail = (): Tail => ({ gen: 0, own: new Uint8Array(OWN_BYTES), next: 0 });
    this.#tails = Array.from({ length: shards }, tail);
  }

  /** Offset that the next record of this shard has if nobody else writes. */
  next(shard: number): number {
    return this.#tail(shard).next;
  }

  /** Generation of the last fence that counts; 0 before the first. */
  gen(shard: number): number {
    return this.#tail(shard).gen;
  }

  /** The last fence of this shard is ours. */
  isOurs(shard: number): boolean {
    return isSame(this.#tail(shard).own, this.own);
  }

  /** The shards whose last fence is not ours. */
  foreign(): number[] {
    const shards = Array.from({ length: this.shards }, (_, shard) => shard);
    return shards.filter((shard) => !this.isOurs(shard));
  }

  /** Where a record stands, for humans. */
  placeOf({ shard, offset }: LogRecord): string {
    const log = this.log === LOG.alarms ? 'alarms' : 'readings';
    return `the record at offset ${offset} of shard ${shard} (${log})`;
  }

  /**
   * Takes a record in that was read: it was known before, is void, is valid, or has a header that
   * this version does not know.
   */
  read(record: LogRecord, header: RecordHeader): 'known' | 'void' | 'valid' | 'strange' {
    if (record.offset < this.next(record.shard)) return 'known';
    if (record.tg.length === 0) {
      // Somebody else's tool wrote it: no owner, so it is void like any other owner's record.
      this.#tail(record.shard).next = record.offset + 1;
      return 'void';
    }
    if (!readHeader(record.tg, header)) return 'strange';
    return this.judge(record, header) ? 'valid' : 'void';
  }

  /** Takes a record in: true unless it is void. A fence that counts is the last one from now on. */
  judge({ shard, offset }: LogRecord, header: RecordHeader): boolean {
    const tail = this.#tail(shard);
    tail.next = offset + 1;
    if (header.kind !== RECORD.fence || header.gen <= tail.gen) {
      return header.gen === tail.gen && isSame(header.own, tail.own);
    }
    tail.gen = header.gen;
    tail.own.set(header.own);
    return true;
  }

  /**
   * The reading of a gap between these rows broke off: it begins again at the first row that was
   * passed over, or that row would never be found.
   */
  rewind(records: RecordBatch, offsets: Float64Array): void {
    for (let row = 0; row < records.rows; row += 1) {
      const tail = this.#tail(records.shard[row] as number);
      tail.next = Math.min(tail.next, offsets[row] as number);
    }
  }

  #tail(shard: number): Tail {
    return this.#tails[shard] as Tail;
  }
}
