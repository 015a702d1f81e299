import { expect, test } from 'vitest';
import { besideBulk } from '../support/credit/beside.ts';
import { fairnessOf } from '../support/credit/far-and-near.ts';
import { CreditHistory } from '../support/credit/history.ts';

const HISTORIES = 120;
const STEPS = 1000;

/** C1–C5, C9–C13, C15 and C16 of CREDIT §7, recomputed from scratch after every step. */
test('every invariant of the credit allocator holds in random histories', () => {
  let audits = 0;
  for (let seed = 1; seed <= HISTORIES; seed += 1) {
    audits += new CreditHistory(seed).run(STEPS).audits;
  }
  expect(audits).toBeGreaterThan(HISTORIES * STEPS);
});

test('no bulk behaviour changes the limits of lane 0 (C6)', () => {
  for (let seed = 1; seed <= 30; seed += 1) besideBulk(seed, STEPS);
});

test('channels that never run out of data get equal bytes whatever their round trips (C14)', () => {
  expect(fairnessOf()).toBeGreaterThan(0.95);
});
