/** What a histogram has counted so far. */
export interface HistogramCounts {
  /** Upper ends of the buckets, ascending; one more bucket takes what is above the last. */
  readonly bounds: readonly number[];
  /** Observations by bucket, not cumulative. Shape: bounds + 1 entries. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

/**
 * Counts observations in fixed buckets. Memory is the buckets, whatever is observed; one
 * observation is a short search and two additions, so it may stand on the hot path.
 */
export class Histogram implements HistogramCounts {
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Counts `value`, which stands for `times` observations (the frames of one batch, say). */
  observe(value: number, times = 1): void {
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= (this.bounds[middle] as number)) high = middle;
      else low = middle + 1;
    }
    this.counts[low] = (this.counts[low] as number) + times;
    this.sum += value * times;
  }
}

/** Buckets for how long something takes. Units: ms. From a memory log to a stalled disk. */
export const DURATION_BOUNDS_MS: readonly number[] = [
  0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000,
];

/** Buckets for how large a batch is. Units: bytes, in powers of four from 256 B to 16 MiB. */
export const BATCH_BOUNDS_BYTES: readonly number[] = [
  256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
];
