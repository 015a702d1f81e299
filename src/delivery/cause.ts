import type { WindowResult } from '../model/window.ts';
import { isNotAfter, type ResultCause } from '../wire/result-cause.ts';

/** A window result on its way to the aggregates log. */
export interface CausedResult {
  readonly cause: ResultCause;
  readonly result: WindowResult;
}

/**
 * Finds, while the logs are read at the start, which results a crash kept from the aggregates log.
 * A result read back settles all results of its log and shard up to its cause.
 * Bounds: a result waits here until the aggregates record that follows it is read: a moment in a file
 * log, where they stand among each other, and not at all on Kafka, where the aggregates come first.
 * What stays is what is missing, which is all results of a log whose aggregates were taken away.
 */
export class MissingResults {
  readonly #durable = new Map<number, ResultCause>();
  readonly #waiting = new Map<number, CausedResult[]>();

  /** A result was made again from the logs. */
  made(caused: CausedResult): void {
    const key = keyOf(caused.cause);
    const durable = this.#durable.get(key);
    if (durable && isNotAfter(caused.cause, durable)) return;
    const waiting = this.#waiting.get(key);
    if (waiting) waiting.push(caused);
    else this.#waiting.set(key, [caused]);
  }

  /** A result with this cause was read in the aggregates log. */
  read(cause: ResultCause): void {
    const key = keyOf(cause);
    const durable = this.#durable.get(key);
    // A late copy of an older result, from an append that was made twice, says nothing new.
    if (durable && isNotAfter(cause, durable)) return;
    this.#durable.set(key, cause);
    const waiting = this.#waiting.get(key);
    if (!waiting) return;
    const first = waiting.findIndex((caused) => !isNotAfter(caused.cause, cause));
    waiting.splice(0, first < 0 ? waiting.length : first);
  }

  /** What is missing, in the order of causes per log and shard. */
  *all(): IterableIterator<CausedResult> {
    for (const waiting of this.#waiting.values()) yield* waiting;
  }
}

const keyOf = ({ shard, log }: ResultCause): number => shard * 2 + log;
