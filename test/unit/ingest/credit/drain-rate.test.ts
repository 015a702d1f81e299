import { describe, expect, test } from 'vitest';
import { CREDIT } from '../../../../src/ingest/credit/constants.ts';
import { DrainRate } from '../../../../src/ingest/credit/drain-rate.ts';

const FIRST = CREDIT.startBytes / CREDIT.targetS;
const bulk = (bytes: number, tookS = 0.05) => ({ isLane0: false, bytes, tookS });

/** A log that takes `rate` for so long, an append every 50 ms, with so much left in the queue. */
function drained(rate: number, seconds: number, left: number): DrainRate {
  const drain = new DrainRate(CREDIT);
  drain.began(0);
  for (let i = 1; i <= seconds / 0.05; i += 1) drain.appended(bulk(rate * 0.05), left, i * 0.05);
  return drain;
}

describe('the drain', () => {
  test('begins at 1 MiB in 150 ms', () => {
    expect(new DrainRate(CREDIT).perSecond).toBeCloseTo(FIRST);
  });

  test.each([
    ['follows a slow log within seconds', 1e6, 3, 4e6, 1e6],
    ['follows a fast log', 40e6, 3, 8e6, 40e6],
    ['is not lowered by devices that send little', 1e5, 10, 0, FIRST],
    ['is raised by what comes, however little waits', 20e6, 3, 0, 20e6],
  ])('%s', (_what, rate, seconds, left, expected) => {
    const { perSecond } = drained(rate, seconds, left);
    expect(perSecond / expected).toBeGreaterThan(0.95);
    expect(perSecond / expected).toBeLessThan(1.05);
  });

  test('takes a stall of ten seconds for one, and what comes after it for the rate', () => {
    const drain = drained(20e6, 3, 4e6);
    drain.appended(bulk(1e6, 10), 4e6, 13);
    expect(drain.perSecond).toBeGreaterThan(2e6);
    for (let i = 1; i <= 30; i += 1) drain.appended(bulk(1e6), 4e6, 13 + i * 0.05);
    expect(drain.perSecond / 20e6).toBeGreaterThan(0.9);
  });

  test('sees a slow log that few devices cannot fill, and not one slow append', () => {
    const drain = new DrainRate(CREDIT);
    drain.appended({ isLane0: true, bytes: 100, tookS: 0.005 }, 0, 1);
    const slow = (at: number, bytes = 16_384) => {
      drain.began(at - 0.27);
      drain.appended(bulk(bytes, 0.27), 0, at);
    };
    slow(2);
    drain.began(2.9);
    drain.appended(bulk(16_384, 0.01), 0, 2.91);
    slow(4);
    // What a small one takes says nothing of bytes.
    slow(5, CREDIT.smallBytes);
    slow(6);
    expect(drain.perSecond).toBe(FIRST);
    for (let at = 7; at < 27; at += 1) slow(at);
    expect(drain.perSecond / 60_000).toBeLessThan(1.1);
  });

  test('takes an append that is no longer than four small ones for a far log, not a slow one', () => {
    const drain = new DrainRate(CREDIT);
    drain.appended({ isLane0: true, bytes: 100, tookS: 0.1 }, 0, 1);
    for (let at = 2; at < 12; at += 1) {
      drain.began(at - 0.3);
      drain.appended(bulk(16_384, 0.3), 0, at);
    }
    expect(drain.perSecond).toBe(FIRST);
  });

  test('counts from when the queue was no longer empty', () => {
    const drain = new DrainRate(CREDIT);
    drain.began(100);
    drain.appended(bulk(2e6), 2e6, 100.1);
    expect(drain.perSecond).toBeGreaterThan(FIRST);
  });
});

describe('the target', () => {
  test.each([
    ['is 150 ms on a near log', 0.002, 0.15],
    ['is four small appends on a far one', 0.1, 0.4],
  ])('%s', (_what, tookS, target) => {
    const drain = new DrainRate(CREDIT);
    drain.appended({ isLane0: true, bytes: 100, tookS }, 0, 1);
    expect(drain.targetS).toBeCloseTo(target);
  });

  test('takes nothing from a large append', () => {
    const drain = new DrainRate(CREDIT);
    drain.appended(bulk(1e6, 0.5), 0, 1);
    expect([drain.smallAppendS, drain.targetS]).toEqual([0, CREDIT.targetS]);
  });
});

test.each([
  ['a small append when none was for long and much waits', 11, 1e6, CREDIT.smallBytes],
  ['nothing of the kind while small ones come', 5, 1e6, Number.POSITIVE_INFINITY],
  ['nothing of the kind while little waits', 11, 1000, Number.POSITIVE_INFINITY],
])('asks for %s', (_what, afterS, queued, most) => {
  const drain = new DrainRate(CREDIT);
  drain.appended({ isLane0: true, bytes: 100, tookS: 0.002 }, 0, 1);
  expect(drain.batchAtMost(queued, 1 + afterS)).toBe(most);
});
