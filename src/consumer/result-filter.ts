import { decodeCause, isNotAfter, type ResultCause } from '../wire/result-cause.ts';

/** Causes lie in the readings (0) and alarms (1) logs. */
const LOGS = 2;

/**
 * Finds the copies in the aggregates log. It has no fence: an append of which nobody knew whether it
 * arrived was simply made again, so a result whose cause is not above the last one of its shard and
 * log was read before.
 *
 * Feed it every record of the aggregates log, in the order of their offsets.
 * Bounds: two causes per shard.
 */
export class ResultFilter {
  readonly #last = new Map<number, ResultCause>();

  /** True if this result was read before. A header that is no cause we know tells nothing: false. */
  isCopy(tg: Uint8Array, shard: number): boolean {
    const cause = decodeCause(tg, shard);
    if (cause === null) return false;
    const key = shard * LOGS + cause.log;
    const last = this.#last.get(key);
    if (last !== undefined && isNotAfter(cause, last)) return true;
    this.#last.set(key, cause);
    return false;
  }
}
