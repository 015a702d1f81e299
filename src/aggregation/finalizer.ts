import type { LogRecord } from '../model/record.ts';
import { STATUS, type StatusId } from '../model/window.ts';
import type { Changes } from './changes.ts';
import type { ClassState } from './class-state.ts';
import type { LogState } from './log-state.ts';
import { windowResults } from './result.ts';
import type { AggregationSink, Cause } from './sink.ts';
import { type Timing, windowStart } from './timing.ts';
import type { WindowStore } from './window-store.ts';

/**
 * Gives results away: first what a record corrected, in time order; then what became final, by
 * window start, device path and class.
 */
export class Finalizer {
  readonly #sink: AggregationSink;
  readonly #changes: Changes;
  readonly #timing: Timing;
  #record: LogRecord | null = null;
  #index = 0;

  constructor(sink: AggregationSink, changes: Changes, timing: Timing) {
    this.#sink = sink;
    this.#changes = changes;
    this.#timing = timing;
  }

  /** From here on results are caused by this record. */
  begin(record: LogRecord): void {
    this.#record = record;
    this.#index = 0;
  }

  /** Gives again the final windows that this frame changed. */
  correct(target: ClassState): void {
    for (const { start, stores } of this.#changes.corrections()) {
      this.#give(target, start, stores, STATUS.corrected);
    }
  }

  /** Makes final what the watermarks of this log have reached. */
  finish(log: LogState): void {
    const capUs = log.clockUs + this.#timing.aheadUs;
    for (;;) {
      const target = log.capped.first;
      if (target === undefined || target.oldestEndUs > capUs) return;
      this.#finishOldest(target, target.watermarkAt(log.clockUs));
      log.capped.update(target);
    }
  }

  #finishOldest(target: ClassState, watermarkUs: number): void {
    const oldest = target.open.shift();
    if (oldest === undefined) return;
    const { start, stores } = oldest;
    for (const store of stores) {
      const i = store.find(start);
      store.setStatus(i, STATUS.final);
      this.#changes.note(store, i);
    }
    this.#give(target, start, stores, STATUS.final);
    this.#makeRoom(stores, start, watermarkUs);
  }

  /** Drops windows that are closed, but none that has not been given as final yet. */
  #makeRoom(stores: readonly WindowStore[], start: number, watermarkUs: number): void {
    const { windowUs, latenessUs } = this.#timing;
    const closedUs = Math.min(windowStart(watermarkUs - latenessUs, windowUs), start + windowUs);
    for (const store of stores) store.makeRoom(closedUs);
  }

  #give(target: ClassState, start: number, stores: readonly WindowStore[], status: StatusId): void {
    const record = this.#record;
    if (record === null) return;
    const { device, classId } = target;
    const head = { device: device.path, classId, start, lengthMs: this.#timing.windowMs, status };
    for (const result of windowResults(head, stores)) {
      this.#sink.result(causeOf(record, this.#index), result);
      this.#index += 1;
    }
  }
}

const causeOf = ({ log, shard, offset }: LogRecord, index: number): Cause => ({
  log,
  shard,
  offset,
  index,
});
