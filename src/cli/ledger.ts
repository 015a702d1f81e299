import type { Access } from '../adapters/auth/access.ts';
import type { Driver } from '../adapters/host/driver.ts';
import type { Ledger, LostFrames } from '../adapters/host/metrics.ts';
import { figuresOf } from '../ingest/credit/figures.ts';
import { LANE } from '../model/reading.ts';

/** The picture of everything counted, for `/metrics` and the page. */
export function ledgerOf(driver: Driver, { counts }: Access): Ledger {
  const { gateway, appendMs, ackMs, batchBytes } = driver;
  const { ingest, aggregation, fanout } = gateway;
  const { received, bytes, inFlight, durable, duplicate, rejected, dropped } = ingest.ledger;
  const { aggregated, late, future, excluded, refused } = aggregation.counters;
  return {
    frames: {
      received,
      settled: { durable, duplicate, rejected, dropped },
      closed: ingest.ledger.closed,
      rejected: ingest.ledger.rejectedBy,
      lost: lostOf(ingest.ledger.lost),
      inFlight,
      bytes,
    },
    readings: { aggregated, late, future, excluded, refused },
    readingsDurable: ingest.ledger.readingsDurable,
    tokens: counts,
    sessions: ingest.sessions,
    sessionsBroken: ingest.ledger.broken,
    subscriptions: fanout.subscriptionCount,
    creditOutstandingBytes: ingest.credit.outstanding,
    credit: figuresOf(ingest.credit.books),
    rung: ingest.rung,
    appendMs,
    ackMs,
    batchBytes,
  };
}

const lostOf = (byLane: readonly number[]): LostFrames => ({
  critical: byLane[LANE.critical] ?? 0,
  live: byLane[LANE.live] ?? 0,
  backfill: byLane[LANE.backfill] ?? 0,
});
