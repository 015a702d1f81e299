import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LogTeller } from '../../../../src/adapters/host/log-teller.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let said: string[];
let teller: LogTeller;

const stalled = (reason: string): void => teller.turn({ kind: 'stalled', reason });
/** What it has said since the last call, without advice. */
const heard = (): string[] => said.splice(0).map((line) => line.replace(/; it is tried .*/, ''));

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  const say = (fields: object, msg?: string): void => {
    const { waitedMs } = fields as { waitedMs?: number };
    said.push(waitedMs === undefined ? `${msg}` : `${waitedMs} ms: ${msg}`);
  };
  teller = new LogTeller({ info: say, error: say } as ConstructorParameters<typeof LogTeller>[0]);
});

afterEach(() => {
  vi.useRealTimers();
});

it('tells at once why the log takes nothing, with what happens then, and that it is over', () => {
  stalled('no broker');
  expect(said.splice(0)).toEqual([
    'no broker; it is tried again and again, devices keep what they have',
  ]);
  vi.advanceTimersByTime(1500);
  teller.turn({ kind: 'ok' });
  expect(heard()).toEqual(['1500 ms: the log takes records again']);
});

it('does not tell that the log takes records again where nobody heard that it did not', () => {
  teller.turn({ kind: 'ok' });
  expect(heard()).toEqual([]);
});

it('tells a further reason if it stands for a second', () => {
  stalled('closed');
  stalled('refused');
  vi.advanceTimersByTime(999);
  expect(heard()).toEqual(['closed']);
  vi.advanceTimersByTime(1);
  expect(heard()).toEqual(['refused']);
  stalled('no leader');
  vi.advanceTimersByTime(500);
  teller.turn({ kind: 'ok' });
  vi.advanceTimersByTime(5000);
  expect(heard()).toEqual(['1500 ms: the log takes records again']);
});

it('tells reasons that take turns once each, and reminds less and less often', () => {
  for (let ms = 0; ms < HOUR_MS; ms += 2000) {
    stalled(ms % 4000 === 0 ? 'refused' : 'mute');
    vi.advanceTimersByTime(2000);
  }
  const lines = heard();
  expect(lines.slice(0, 2)).toEqual(['refused', 'mute']);
  const reminders = lines.slice(2).map((line) => Number.parseInt(line, 10) / 1000);
  expect(reminders).toEqual([30, 90, 210, 450, 930, 1530, 2130, 2730, 3330]);
  expect(lines.at(-1)).toMatch(/still: (refused|mute)$/);
});

it('begins anew with the next outage', () => {
  stalled('refused');
  vi.advanceTimersByTime(10 * MINUTE_MS);
  teller.turn({ kind: 'ok' });
  heard();
  vi.advanceTimersByTime(HOUR_MS);
  expect(heard()).toEqual([]);
  stalled('refused');
  vi.advanceTimersByTime(30_000);
  expect(heard()).toEqual(['refused', '30000 ms: still: refused']);
});

it('tells twenty reasons of one outage at most', () => {
  for (let i = 0; i < 30; i += 1) {
    stalled(`reason ${i}`);
    vi.advanceTimersByTime(900);
    vi.advanceTimersByTime(100);
  }
  expect(heard().filter((line) => line.startsWith('reason'))).toHaveLength(20);
});

it('leaves a failed log to whoever ends the process', () => {
  stalled('refused');
  heard();
  teller.turn({ kind: 'failed', reason: 'too large' });
  vi.advanceTimersByTime(HOUR_MS);
  expect(heard()).toEqual([]);
});
