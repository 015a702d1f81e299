import { Histogram } from 'prom-client';
import type { HistogramCounts } from './histogram.ts';

/** A histogram whose buckets are kept elsewhere: prom-client's own cannot be set, only observed. */
export class SnapshotHistogram extends Histogram {
  /** Gives everything but the values. */
  readonly #empty: Histogram;
  readonly #metric: string;
  readonly #counts: () => HistogramCounts;

  constructor(name: string, help: string, counts: () => HistogramCounts) {
    super({ name, help, registers: [] });
    this.#empty = new Histogram({ name, help, registers: [] });
    this.#metric = name;
    this.#counts = counts;
  }

  override async get(): ReturnType<Histogram['get']> {
    const metric = await this.#empty.get();
    return { ...metric, values: histogramValues(this.#metric, this.#counts()) };
  }

  /** The registry asks this one, which its types do not tell. */
  getForPromString(): ReturnType<Histogram['get']> {
    return this.get();
  }
}

type HistogramValue = Awaited<ReturnType<Histogram['get']>>['values'][number];

function histogramValues(name: string, { bounds, counts, sum }: HistogramCounts): HistogramValue[] {
  const values: HistogramValue[] = [];
  let total = 0;
  for (let i = 0; i <= bounds.length; i++) {
    total += counts[i] ?? 0;
    const le = bounds[i] ?? '+Inf';
    values.push({ metricName: `${name}_bucket`, labels: { le }, value: total });
  }
  values.push({ metricName: `${name}_sum`, labels: {}, value: sum });
  values.push({ metricName: `${name}_count`, labels: {}, value: total });
  return values;
}
