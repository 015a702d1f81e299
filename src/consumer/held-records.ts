import type { LogRecord } from '../model/record.ts';

/**
 * Records that wait for the definition of a set, and all that follow them in their shard, so that
 * the order is kept.
 * Bounds: the caller looks at `bytes` and lets go in time.
 */
export class HeldRecords {
  /** What is held, values only. Units: bytes. */
  bytes = 0;
  readonly #queues = new Map<number, LogRecord[]>();

  /** True if a record of this (log, shard) has to wait behind others. */
  has(queue: number): boolean {
    return this.#queues.has(queue);
  }

  /** Keeps a copy: what Kafka clients hand out are views of whole responses. */
  add(queue: number, record: LogRecord): void {
    const { key, tg, value } = record;
    const copy = { ...record, key: key.slice(), tg: tg.slice(), value: value.slice() };
    const records = this.#queues.get(queue);
    if (records) records.push(copy);
    else this.#queues.set(queue, [copy]);
    this.bytes += value.length;
  }

  /** The queues in which something waits. */
  queues(): readonly number[] {
    return [...this.#queues.keys()];
  }

  /** Takes records from the front of a queue for as long as `take` wants them. */
  release(queue: number, take: (record: LogRecord) => boolean): void {
    const records = this.#queues.get(queue) ?? [];
    let count = 0;
    while (count < records.length && take(records[count] as LogRecord)) {
      this.bytes -= (records[count] as LogRecord).value.length;
      count += 1;
    }
    if (count === records.length) this.#queues.delete(queue);
    else records.splice(0, count);
  }
}
