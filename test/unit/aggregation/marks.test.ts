import { describe, expect, test } from 'vitest';
import type { DueMark, Presence } from '../../../src/aggregation/marks.ts';
import { MARK_ENTRIES_MAX } from '../../../src/aggregation/marks.ts';
import { LOG } from '../../../src/model/record.ts';
import { eventUs, wallUs } from '../../../src/model/time.ts';
import { EventLog, feed, listening } from '../../support/event-log.ts';

const S = 1_000_000;
const T = 1_700_000_000 * S;
const TEMP = { cols: [['temp']] } as const;

const quiet: Presence = { kind: 'connected', isUnblocked: true };
const blocked: Presence = { kind: 'connected', isUnblocked: false };
const goneSince = (s: number): Presence => ({ kind: 'gone', since: wallUs(T + s * S) });

/** A device whose readings at T + `times` seconds came in one frame, received at T + `recv`. */
const frame = (log: EventLog, times: readonly number[], recv: number, more = {}) =>
  log.frame({
    device: 'd',
    recv: T + recv * S,
    blocks: [{ set: TEMP, t: times.map((s) => T + s * S), v: [times.map(() => 1)] }],
    ...more,
  });

/** Due marks at T + `now` seconds, with watermarks in seconds after T. */
function dueAt(log: EventLog, now: number, presence: Presence): DueMark[] {
  const { aggregation } = listening(log);
  feed(aggregation, log.entries);
  return relative(aggregation.dueMarks(wallUs(T + now * S), () => presence));
}

const relative = (marks: readonly DueMark[]): DueMark[] =>
  marks.map((mark) => ({
    ...mark,
    entries: mark.entries.map((entry) => ({ ...entry, watermark: (entry.watermark - T) / S })),
  }));

const markOf = (watermark: number, classId = 0, log: 0 | 1 = LOG.readings) => [
  { log, shard: 0, entries: [{ device: 'd', class: classId, watermark }] },
];

describe('a class of a connected device', () => {
  // Newest reading at 0.2 s: its window ends at 1 s, and D + q are 12 s.
  const rows = [
    { what: 'not silent for q', now: 9.9, presence: quiet, due: [] },
    { what: 'idle, but no window would be final', now: 12.7, presence: quiet, due: [] },
    { what: 'idle, its window just done', now: 12.8, presence: quiet, due: markOf(1) },
    { what: 'idle for long: not past its newest window', now: 99, presence: quiet, due: markOf(1) },
    { what: 'blocked is not idle', now: 99, presence: blocked, due: [] },
    { what: 'blocked for ever is not idle', now: 1e6, presence: blocked, due: [] },
    { what: 'gone, but not for q', now: 121, presence: goneSince(2), due: [] },
    { what: 'gone for q', now: 122.8, presence: goneSince(2), due: markOf(1) },
    { what: 'long silent, gone later', now: 169.9, presence: goneSince(50), due: [] },
    { what: 'long silent, gone for q', now: 170, presence: goneSince(50), due: markOf(1) },
    { what: 'gone for q, but heard of later', now: 119, presence: goneSince(-99), due: [] },
  ];
  test.each(rows)('$what', ({ now, presence, due }) => {
    const log = new EventLog();
    frame(log, [0.2], 0);
    expect(dueAt(log, now, presence)).toEqual(due);
  });

  test('is marked by its own time, not by ours', () => {
    const log = new EventLog();
    frame(log, [-1e6, -1e6 + 1.5, -1e6 + 2.5], 0);
    expect(dueAt(log, 10.4, quiet)).toEqual([]);
    expect(dueAt(log, 10.5, quiet)).toEqual(markOf(-1e6 + 1));
    expect(dueAt(log, 12.25, quiet)).toEqual(markOf(-1e6 + 2.75));
    expect(dueAt(log, 50, quiet)).toEqual(markOf(-1e6 + 3));
  });

  test('a stub breaks the silence', () => {
    const log = new EventLog();
    frame(log, [0], 0);
    log.stub(T + 5 * S, 'd');
    expect(dueAt(log, 14.9, quiet)).toEqual([]);
    expect(dueAt(log, 18, quiet)).toEqual(markOf(1));
  });

  test('without open windows is not even asked about', () => {
    const log = new EventLog();
    frame(log, [0], 9, { wm: T + 5 * S });
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    const asked: string[] = [];
    aggregation.dueMarks(wallUs(T + 99 * S), (device) => {
      asked.push(device);
      return quiet;
    });
    expect(asked).toEqual([]);
  });

  test('a mark that was read is not due again', () => {
    const log = new EventLog();
    frame(log, [0], 0);
    log.mark(T + 20 * S, [{ device: 'd', class: 0, watermark: T + S }]);
    expect(dueAt(log, 99, quiet)).toEqual([]);
  });

  test('a clock that is ahead waits for ours; if the log is silent too, the mark is what moves it', () => {
    const log = new EventLog();
    frame(log, [100, 110], 0);
    expect(dueAt(log, 99.9, quiet)).toEqual([]);
    const due = dueAt(log, 100, quiet);
    expect(due).toEqual(markOf(111));
    log.mark(
      T + 100 * S,
      due[0]?.entries.map((entry) => ({ ...entry, watermark: T + entry.watermark * S })) ?? [],
    );
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    expect(heard.results).toHaveLength(1);
  });

  test('a clock that is ahead is not marked before its silence means something', () => {
    const log = new EventLog();
    frame(log, [5, 110], 0);
    expect(dueAt(log, 119.9, goneSince(-50))).toEqual([]);
    expect(dueAt(log, 119.9, blocked)).toEqual([]);
    expect(dueAt(log, 120, goneSince(-50))).toEqual(markOf(108));
  });
});

test('marks go to the log of their class, all of one log in one record', () => {
  const log = new EventLog();
  frame(log, [0], 0);
  frame(log, [0], 0, { lane: 0 });
  frame(log, [0], 0, { lane: 2 });
  frame(log, [0], 0, { device: 'e' });
  frame(log, [0], 0, { device: 'f', shard: 1 });
  expect(dueAt(log, 20, quiet)).toEqual([
    {
      log: LOG.readings,
      shard: 0,
      entries: [
        { device: 'd', class: 0, watermark: 1 },
        { device: 'd', class: 1, watermark: 1 },
        { device: 'e', class: 0, watermark: 1 },
      ],
    },
    { log: LOG.alarms, shard: 0, entries: [{ device: 'd', class: 2, watermark: 1 }] },
    { log: LOG.readings, shard: 1, entries: [{ device: 'f', class: 0, watermark: 1 }] },
  ]);
});

test('a mark record has a limit; the rest is due once these are read', () => {
  const log = new EventLog();
  const names = Array.from({ length: MARK_ENTRIES_MAX + 5 }, (_, i) => `d/${i}`);
  for (const device of names) frame(log, [0], 0, { device });
  const { aggregation } = listening(log);
  feed(aggregation, log.entries);
  const first = aggregation.dueMarks(wallUs(T + 20 * S), () => quiet);
  expect(first.map(({ entries }) => entries.length)).toEqual([MARK_ENTRIES_MAX]);
  feed(aggregation, [log.mark(T + 20 * S, first[0]?.entries ?? [])]);
  const second = aggregation.dueMarks(wallUs(T + 21 * S), () => quiet);
  expect(second.map(({ entries }) => entries.map(({ device }) => device))).toEqual([
    names.slice(MARK_ENTRIES_MAX),
  ]);
});

describe('a watermark told by a ping', () => {
  const told = (log: EventLog, ...seconds: readonly number[]) => {
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    for (const s of seconds) aggregation.tellWatermark('d', 0, eventUs(T + s * S));
    return aggregation;
  };
  const due = (aggregation: ReturnType<typeof told>, now = 0, presence = blocked) =>
    relative(aggregation.dueMarks(wallUs(T + now * S), () => presence));

  test('is a mark at the next opportunity, the greatest of several', () => {
    const log = new EventLog();
    frame(log, [0], 0);
    expect(due(told(log, 3, 5, 4))).toEqual(markOf(5));
  });

  test('that would move nothing is no mark', () => {
    const log = new EventLog();
    frame(log, [10], 10);
    expect(due(told(log, 8))).toEqual([]);
    expect(due(told(log, 8.000_001))).toEqual(markOf(8.000_001));
  });

  test('is due until it has been read back, and then forgotten', () => {
    const log = new EventLog();
    frame(log, [0], 0);
    const aggregation = told(log, 5);
    expect(due(aggregation)).toEqual(markOf(5));
    expect(due(aggregation)).toEqual(markOf(5));
    feed(aggregation, [log.mark(T, [{ device: 'd', class: 0, watermark: T + 5 * S }])]);
    expect(due(aggregation)).toEqual([]);
  });

  test('does not move the watermark by itself', () => {
    const log = new EventLog();
    frame(log, [0], 0);
    const aggregation = told(log, 5);
    frame(log, [0.5], 9);
    feed(aggregation, log.entries.slice(1));
    expect(aggregation.watermark('d', 0)).toBe(T - 1.5 * S);
  });

  test('goes into one entry with what silence says', () => {
    const log = new EventLog();
    frame(log, [0, 20], 0);
    expect(due(told(log, 5), 30, quiet)).toEqual(markOf(21));
    expect(due(told(log, 22), 30, quiet)).toEqual(markOf(22));
  });

  test('of a device or class without a frame is ignored', () => {
    const log = new EventLog();
    frame(log, [0], 0);
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    aggregation.tellWatermark('nobody', 0, eventUs(T));
    aggregation.tellWatermark('d', 1, eventUs(T));
    expect(aggregation.dueMarks(wallUs(T), () => quiet)).toEqual([]);
  });
});
