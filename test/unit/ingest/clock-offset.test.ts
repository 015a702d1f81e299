import { expect, test } from 'vitest';
import { ClockOffset } from '../../../src/ingest/clock-offset.ts';
import { monoMs, type Now, wallUs } from '../../../src/model/time.ts';

const at = (ms: number): Now => ({ monoMs: monoMs(ms), wallUs: wallUs(ms * 1000) });
const MINUTE = 60_000;

/** A message whose sender's clock is `behindUs` behind ours, so late it came. */
const tell = (offset: ClockOffset, ms: number, behindUs: number): void =>
  offset.tell(ms * 1000 - behindUs, at(ms));

test('the clock offset is 0 until a clock was told', () => {
  expect(new ClockOffset().us(at(0))).toBe(0);
});

test('it is the smallest of exactly the last ten minutes', () => {
  const offset = new ClockOffset();
  tell(offset, 0, 100);
  tell(offset, MINUTE, 300);
  tell(offset, 2 * MINUTE, 200);
  tell(offset, 9 * MINUTE, 400);
  expect(offset.us(at(10 * MINUTE))).toBe(100);
  expect(offset.us(at(10 * MINUTE + 1))).toBe(200);
  expect(offset.us(at(12 * MINUTE + 1))).toBe(400);
});

test('the last one told stays where none came since', () => {
  const offset = new ClockOffset();
  tell(offset, 0, -500);
  tell(offset, MINUTE, 700);
  expect(offset.us(at(60 * MINUTE))).toBe(700);
});

test('a step of our wall clock does not change which ones are old', () => {
  const offset = new ClockOffset();
  tell(offset, 0, 100);
  const stepped = (ms: number): Now => ({ monoMs: monoMs(ms), wallUs: wallUs(3_600_000_000) });
  offset.tell(3_600_000_000 - 200, stepped(MINUTE));
  offset.tell(3_600_000_000 - 300, stepped(2 * MINUTE));
  expect(offset.us(stepped(10 * MINUTE))).toBe(100);
  expect(offset.us(stepped(11 * MINUTE))).toBe(200);
  expect(offset.us(stepped(11 * MINUTE + 1))).toBe(300);
});
