/**
 * What became of the readings, each counted exactly once: the aggregation part of the ledger.
 * Units: readings (one value of one series at one time, whatever its `fid`).
 */
export interface Counters {
  aggregated: number;
  /** Came after their window was closed for good. */
  late: number;
  /** Too far ahead of the log clock. */
  future: number;
  /** No value, bad quality, or of the other kind than their window. */
  excluded: number;
  /** The series would have been one too many for its log. */
  refused: number;
}

/** All zero. */
export const zeroCounters = (): Counters => ({
  aggregated: 0,
  late: 0,
  future: 0,
  excluded: 0,
  refused: 0,
});
