import { LOG, type LogKind, type LogRecord, RECORD } from '../model/record.ts';
import type { RecordHeader } from '../wire/record-header.ts';

const OWN_BYTES = 8;

/** The last fence that counts, and where the log goes on, for one (log, shard). */
interface Tail {
  gen: number;
  readonly own: Uint8Array;
  next: number;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);

/**
 * Who owns the logs of each shard, as the logs themselves tell it. Source: PROTOCOL §6.6, App. E.
 */
export class Ownership {
  readonly shards: number;
  /** Shape: 8 random bytes of this ownership. */
  readonly own: Uint8Array;
  readonly #tails: readonly (readonly Tail[])[];

  constructor(shards: number, own: Uint8Array) {
    this.shards = shards;
    this.own = own;
    const tail = (): Tail => ({ gen: 0, own: new Uint8Array(OWN_BYTES), next: 0 });
    this.#tails = [LOG.readings, LOG.alarms, LOG.aggregates].map(() =>
      Array.from({ length: shards }, tail),
    );
  }

  /** Offset that the next record of (log, shard) must have. */
  next(log: LogKind, shard: number): number {
    return this.#tail(log, shard).next;
  }

  /** Takes the next offset; false if the record stands elsewhere than expected. */
  advance(log: LogKind, shard: number, offset: number): boolean {
    const tail = this.#tail(log, shard);
    if (offset !== tail.next) return false;
    tail.next += 1;
    return true;
  }

  /** True unless the record is void; a fence that counts is taken as the last one. */
  judge({ log, shard }: LogRecord, header: RecordHeader): boolean {
    const tail = this.#tail(log, shard);
    if (header.kind !== RECORD.fence)
      return header.gen === tail.gen && isSame(header.own, tail.own);
    if (header.gen <= tail.gen) return false;
    tail.gen = header.gen;
    tail.own.set(header.own);
    return true;
  }

  /** Generation under which a shard's records are written. */
  gen(shard: number): number {
    return this.#tail(LOG.readings, shard).gen;
  }

  /** Generation of the next fence of a log: above every fence before it. */
  nextGen(log: LogKind, shard: number): number {
    const { gen } = this.#tail(LOG.readings, shard);
    if (log === LOG.readings) return Math.max(gen, this.#tail(LOG.alarms, shard).gen) + 1;
    return gen;
  }

  /** The last fence of (log, shard) is ours. */
  isOurs(log: LogKind, shard: number): boolean {
    return isSame(this.#tail(log, shard).own, this.own);
  }

  #tail(log: LogKind, shard: number): Tail {
    return (this.#tails[log] as readonly Tail[])[shard] as Tail;
  }
}
