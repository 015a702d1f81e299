import type { LogKind } from '../model/record.ts';
import type { EventUs } from '../model/time.ts';
import type { Series, WindowResult, WindowSeries } from '../model/window.ts';

/** Which record a result comes from; `index` counts the results of one record from 0. */
export interface Cause {
  readonly log: LogKind;
  readonly shard: number;
  readonly offset: number;
  readonly index: number;
}

/**
 * Where aggregation puts what comes of a record: first results, then series that appeared, then
 * windows that changed. Results that are too many for the step come in later ones, each slice
 * followed by the windows that it made final. Series that are too many come in earlier ones.
 */
export interface AggregationSink {
  /**
   * A final or corrected result for the aggregates log.
   * Guarantee: same records, same calls; its JSON takes at most `RESULT_BYTES_MAX`.
   */
  result(cause: Cause, result: WindowResult): void;
  /** A kept window changed, in values or status. At most once per record, window and slice. */
  changed(windows: WindowSeries, start: EventUs): void;
  /** A series had its first reading, or has it within the next steps. */
  appeared(series: Series): void;
}
