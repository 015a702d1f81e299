/** Relative width of a bucket: a quantile is off by at most half of it. */
const GROWTH = 1.02;
/** The first bucket ends here. Units: ms. */
const LEAST_MS = 0.01;
/** Reaches from 10 µs to about 100 min. */
const BUCKETS = 1024;

const LOG_GROWTH = Math.log(GROWTH);

/** A histogram of durations with buckets that grow by 2 %. Bounds: 8 KiB, whatever is recorded. */
export class Latency {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;

  record(ms: number): void {
    const bucket = ms <= LEAST_MS ? 0 : Math.ceil(Math.log(ms / LEAST_MS) / LOG_GROWTH);
    const at = Math.min(BUCKETS - 1, bucket);
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#total += 1;
  }

  /** The q-quantile, nearest rank; null if nothing was recorded. Units: ms. */
  quantile(q: number): number | null {
    if (this.#total === 0) return null;
    let left = Math.max(1, Math.ceil(q * this.#total));
    let bucket = 0;
    while (bucket < BUCKETS - 1) {
      left -= this.#counts[bucket] as number;
      if (left <= 0) break;
      bucket += 1;
    }
    return LEAST_MS * GROWTH ** (bucket - 0.5);
  }
}
