import { describe, expect, test } from 'vitest';
import { Allocator } from '../../../src/ingest/credit/allocator.ts';
import { CREDIT } from '../../../src/ingest/credit/constants.ts';
import { setAsideFor } from '../../../src/ingest/credit/memory.ts';
import { LANE } from '../../../src/model/reading.ts';

const MF = 8192;
const ONE = MF + 64;
const SESSIONS = 20;

/** So many idle devices hold what the pool gives to live; only what is kept for backfill is left. */
function crowd(): Allocator {
  const poolBytes = CREDIT.poolKeptBytes + 3 * ONE;
  const budgetBytes = setAsideFor(SESSIONS) + poolBytes;
  const allocator = new Allocator({ budgetBytes, sessions: SESSIONS, port: { limit: () => {} } });
  for (let i = 0; i < SESSIONS; i += 1) allocator.open({ lane: LANE.live, mf: MF, carry: 0 }, 0);
  allocator.serve(0);
  return allocator;
}

/** Time passes as it does while somebody waits. */
function pass(allocator: Allocator, from: number, to: number): void {
  for (let now = from; now <= to; now += 0.016) allocator.serve(now);
}

describe('backfill, while live waits for memory that idle devices hold', () => {
  test('gets largest frames, and not the log', () => {
    const allocator = crowd();
    expect(allocator.memory.room).toBeLessThan(CREDIT.poolKeptBytes + ONE);
    expect(allocator.isWaiting).toBe(true);
    const row = allocator.open({ lane: LANE.backfill, mf: MF, carry: 0 }, 0);
    allocator.backlog(row, 1e6);
    pass(allocator, 0, 1);
    expect(allocator.limit(row)).toBeGreaterThanOrEqual(ONE);
    for (let now = 1; now < 11; now += 0.016) {
      const cost = allocator.limit(row) - (allocator.books.rows.received[row] as number);
      if (cost > 0) {
        allocator.frame(row, cost, 1e6, now);
        allocator.settled(row, cost);
      }
      allocator.serve(now);
    }
    const { perSecond } = allocator.books.pipes[0]?.drain ?? { perSecond: 0 };
    const share = allocator.limit(row) / (perSecond * 11);
    expect(share).toBeGreaterThan(0.8 * CREDIT.backfillTrickle);
    expect(share).toBeLessThan(1.2 * CREDIT.backfillTrickle);
  });
});
