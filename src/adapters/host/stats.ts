import type { HistogramCounts } from './histogram.ts';
import type { Readiness } from './http.ts';
import type { Ledger } from './metrics.ts';

/** What `/api/stats` is made of. */
export interface StatsOptions {
  readonly snapshot: () => Ledger;
  readonly ready: () => Readiness;
  readonly node: string;
  readonly version: string;
  /** What an ack is worth, PROTOCOL §6.4. */
  readonly dur: () => number;
  /** Monotonic time. Units: ms. */
  readonly monoMs: () => number;
}

/**
 * What the page shows of the node, for `/api/stats`. Everything that counts is a total since the
 * start, with the moment it was read: each reader takes differences over what time it likes, rates
 * and quantiles alike, and no reader disturbs another. The form is the page's and may change.
 */
export function createStats(options: StatsOptions): () => object {
  return () => {
    const { frames, readings, ...ledger } = options.snapshot();
    const { log, rung, reasons } = options.ready();
    return {
      node: options.node,
      version: options.version,
      log,
      dur: options.dur(),
      rung,
      reasons,
      atMs: options.monoMs(),
      frames: {
        received: frames.received,
        settled: frames.settled,
        closed: total(frames.closed),
        inFlight: frames.inFlight,
        bytes: frames.bytes,
      },
      readingsDurable: ledger.readingsDurable,
      readings,
      sessions: ledger.sessions,
      subscriptions: ledger.subscriptions,
      creditOutstandingBytes: ledger.creditOutstandingBytes,
      credit: ledger.credit,
      appendMs: countsOf(ledger.appendMs),
      ackMs: countsOf(ledger.ackMs),
    };
  };
}

function total(byCode: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const count of byCode.values()) sum += count;
  return sum;
}

/** As plain arrays: a typed array would become a JSON object. */
function countsOf({ bounds, counts, sum }: HistogramCounts): object {
  return { bounds, counts: Array.from(counts), sum };
}
