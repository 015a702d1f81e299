import { expect, test } from 'vitest';
import { Ladder, type Load } from '../../../src/ingest/ladder.ts';

const CALM: Load = { delayShare: 0.5, poolShare: 0.1, sessionShare: 0.2, isLogDown: false };

/** The rungs at these times under these loads. */
const rungs = (looks: readonly (readonly [atMs: number, load: Partial<Load>])[]): number[] => {
  const ladder = new Ladder();
  return looks.map(([atMs, load]) => {
    ladder.look({ ...CALM, ...load }, atMs);
    return ladder.rung;
  });
};

test('delay: entered after a second above two targets, left after 5 s below 1.2', () => {
  const looks = [
    [0, { delayShare: 2.5 }],
    [900, { delayShare: 2.5 }],
    [1000, { delayShare: 2.5 }],
    [2000, { delayShare: 1.5 }],
    [9000, { delayShare: 1.5 }],
    [9100, { delayShare: 1.1 }],
    [14_000, { delayShare: 1.1 }],
    [14_100, { delayShare: 1.1 }],
  ] as const;
  expect(rungs(looks)).toEqual([0, 0, 1, 1, 1, 1, 1, 0]);
});

test('a moment on the other side starts the wait anew', () => {
  const looks = [
    [0, { delayShare: 2.5 }],
    [900, { delayShare: 1.9 }],
    [1000, { delayShare: 2.5 }],
    [1900, { delayShare: 2.5 }],
    [2000, { delayShare: 2.5 }],
  ] as const;
  expect(rungs(looks)).toEqual([0, 0, 0, 0, 1]);
});

test('pool: entered after a second at half, left after 5 s below 0.3', () => {
  const looks = [
    [0, { poolShare: 0.5 }],
    [1000, { poolShare: 0.5 }],
    [2000, { poolShare: 0.31 }],
    [8000, { poolShare: 0.29 }],
    [13_000, { poolShare: 0.29 }],
  ] as const;
  expect(rungs(looks)).toEqual([0, 2, 2, 2, 0]);
});

test('sessions and the log are facts: no wait; the highest rung is told', () => {
  const looks = [
    [0, { sessionShare: 1 }],
    [1, { sessionShare: 0.98 }],
    [2, { sessionShare: 0.98, isLogDown: true }],
    [3, { sessionShare: 0.97 }],
  ] as const;
  expect(rungs(looks)).toEqual([3, 3, 4, 0]);
});
