const BINS = 1200;
/** A bin is 2 % wide: quantiles are as exact as that. */
const WIDTH = 0.02;
const LEAST_MS = 0.01;

/** Durations in bins that grow with them. Units: ms. */
export class Histogram {
  count = 0;
  readonly #bins = new Float64Array(BINS);

  add(ms: number): void {
    const bin = ms <= LEAST_MS ? 0 : Math.floor(Math.log(ms / LEAST_MS) / WIDTH);
    const at = Math.min(BINS - 1, bin);
    this.#bins[at] = (this.#bins[at] ?? 0) + 1;
    this.count += 1;
  }

  /** The duration that this part of all did not exceed; NaN if there is none. */
  quantile(part: number): number {
    if (this.count === 0) return Number.NaN;
    let seen = 0;
    const bin = this.#bins.findIndex((count) => {
      seen += count;
      return seen >= part * this.count;
    });
    return LEAST_MS * Math.exp((bin + 0.5) * WIDTH);
  }
}
