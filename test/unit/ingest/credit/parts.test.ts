import { describe, expect, test } from 'vitest';
import { Arrivals } from '../../../../src/ingest/credit/arrivals.ts';
import { WHEEL_SLOTS } from '../../../../src/ingest/credit/constants.ts';
import { Lists } from '../../../../src/ingest/credit/lists.ts';
import {
  Memory,
  SESSION_BYTES,
  sessionsOf,
  setAsideFor,
} from '../../../../src/ingest/credit/memory.ts';
import { QuotaRows } from '../../../../src/ingest/credit/quota-rows.ts';
import { ChannelRows, NONE } from '../../../../src/ingest/credit/rows.ts';

describe('bytes on their way', () => {
  test.each([0, 0.1, 1.5, 60])('are forgotten after a round trip of %d s', (roundTripS) => {
    const arrivals = new Arrivals();
    arrivals.expect(100, 7, roundTripS);
    const slots = Math.min(WHEEL_SLOTS - 1, 1 + Math.floor(roundTripS / 0.016));
    for (let slot = 8; slot < 7 + slots; slot += 1) arrivals.pass(slot);
    expect(arrivals.bytes).toBe(100);
    arrivals.pass(7 + slots);
    expect(arrivals.bytes).toBe(0);
  });
});

describe('lists', () => {
  test('are first in, first out, and take somebody to the front', () => {
    const lists = new Lists(new ChannelRows(), 2);
    for (const row of [3, 1, 2]) lists.push(0, row);
    lists.unshift(0, 9);
    lists.push(1, 5);
    expect([lists.length(0), lists.length(1), lists.total]).toEqual([4, 1, 5]);
    expect([0, 0, 0, 0].map(() => lists.shift(0))).toEqual([9, 3, 1, 2]);
    expect([lists.head(0), lists.total]).toEqual([NONE, 1]);
    lists.push(0, 4);
    expect(lists.head(0)).toBe(4);
  });
});

describe('rows', () => {
  test('double when they are used up, and keep what they hold', () => {
    const rows = new ChannelRows();
    for (let i = 0; i < 3000; i += 1) rows.limit[rows.take()] = i;
    expect([rows.limit[0], rows.limit[1500], rows.limit[2999]]).toEqual([0, 1500, 2999]);
    expect(rows.inUse).toBe(3000);
    rows.give(7);
    expect([rows.inUse, rows.take(), rows.size]).toEqual([2999, 7, 3000]);
  });
});

describe('a quota', () => {
  test('refills to its burst and no further', () => {
    const quotas = new QuotaRows();
    const row = quotas.open(1000, 500, 9999, 10);
    expect(quotas.tokens(row, 10)).toBe(500);
    quotas.charge(row, 500);
    expect([quotas.tokens(row, 10.2), quotas.wait(row, 400)]).toEqual([
      expect.closeTo(200),
      expect.closeTo(0.2),
    ]);
    expect(quotas.tokens(row, 99)).toBe(500);
  });

  test('changes from now on', () => {
    const quotas = new QuotaRows();
    const row = quotas.open(1000, 500, 0, 0);
    quotas.change(row, 10, 500, 0.1);
    expect(quotas.tokens(row, 1.1)).toBeCloseTo(110);
  });
});

describe('memory', () => {
  const budget = 1 << 28;
  const sessions = sessionsOf(budget);

  test('sets four fifths aside for sessions, and the rest is a pool', () => {
    const { size } = new Memory(budget, sessions, 0.5);
    expect(setAsideFor(sessions)).toBeLessThanOrEqual(0.8 * budget);
    expect(size / budget).toBeCloseTo(0.2);
  });

  test('has room for all sessions and a part for lane 0 alone', () => {
    const memory = new Memory(budget, sessions, 0.5);
    memory.reserved = (sessions - 1) * SESSION_BYTES;
    expect(memory.fits(SESSION_BYTES)).toBe(true);
    memory.reserved += SESSION_BYTES;
    expect(memory.fits(SESSION_BYTES)).toBe(false);
    expect(memory.fits(SESSION_BYTES, SESSION_BYTES)).toBe(true);
    expect(memory.fitsLane0(4096)).toBe(true);
  });

  test('gives no reserve out that sessions left to the log', () => {
    const memory = new Memory(budget, sessions, 0.5);
    memory.reserved = (sessions - 1) * SESSION_BYTES;
    memory.used = memory.size + SESSION_BYTES;
    expect([memory.fits(SESSION_BYTES), memory.room]).toEqual([false, 0]);
  });
});
