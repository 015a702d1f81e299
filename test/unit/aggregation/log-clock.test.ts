import { describe, expect, test } from 'vitest';
import { EventLog, feed, listening } from '../../support/event-log.ts';

const S = 1_000_000;
const T = 1_700_000_000 * S;
const TEMP = { cols: [['temp']] } as const;

/** A frame of one reading at T + `s` seconds, received at T + `recv` seconds. */
const frame = (log: EventLog, device: string, s: number, recv: number, more = {}) =>
  log.frame({
    device,
    recv: T + recv * S,
    blocks: [{ set: TEMP, t: [T + s * S], v: [[1]] }],
    ...more,
  });

function storyOf(log: EventLog): string[] {
  const { aggregation, heard } = listening(log);
  feed(aggregation, log.entries);
  return heard.results.map(
    ({ cause, result }) => `#${cause.offset} ${result.device} ${(result.start - T) / S}`,
  );
}

describe('a watermark capped by the log clock', () => {
  test('advances with any later record of its log, remembering where it would be', () => {
    const log = new EventLog();
    for (const s of [60, 61, 62, 63, 70]) frame(log, 'fast', s, 0);
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    expect(aggregation.watermark('fast', 0)).toBe(T + S);
    expect(heard.results).toEqual([]);

    log.fence(T + 59 * S);
    log.stub(T + 60 * S - 1, 'fast');
    frame(log, 'other', 0, 60);
    log.mark(T + 61 * S, [{ device: 'nobody', class: 0, watermark: 0 }]);
    log.fence(T + 1000 * S);
    expect(storyOf(log)).toEqual(['#7 fast 60', '#8 fast 61', '#9 fast 62', '#9 fast 63']);
  });

  test('does not advance with records of another log or another shard', () => {
    const log = new EventLog();
    frame(log, 'fast', 60, 0);
    frame(log, 'fast', 70, 0);
    log.fence(T + 100 * S, 0);
    log.fence(T + 100 * S, 1, 1);
    expect(storyOf(log)).toEqual([]);
    log.fence(T + 100 * S, 1, 0);
    expect(storyOf(log)).toEqual(['#2 fast 60']);
  });

  test('the rows of the record that advances it are placed before', () => {
    const log = new EventLog();
    frame(log, 'fast', 60, 0);
    frame(log, 'fast', 70, 0);
    frame(log, 'fast', 60.5, 100);
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    expect(heard.results.map(({ result }) => [result.status, result.series['temp']?.n])).toEqual([
      ['final', 2],
    ]);
  });

  test('what one record makes final comes by start, device and class', () => {
    const log = new EventLog();
    for (const device of ['b', 'a-1', 'a']) {
      for (const s of [61, 60, 70]) frame(log, device, s, 0, { lane: 2 });
      for (const s of [61, 60, 70]) frame(log, device, s, 0);
    }
    log.fence(T + 100 * S);
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    const seen = heard.results.map(
      ({ cause, result }) =>
        `${cause.index} ${(result.start - T) / S} ${result.device} ${result.class}`,
    );
    expect(seen).toEqual(
      [60, 61].flatMap((start, i) =>
        ['a', 'a-1', 'b'].flatMap((device, j) =>
          ['live', 'backfill'].map((name, k) => `${6 * i + 2 * j + k} ${start} ${device} ${name}`),
        ),
      ),
    );
  });

  test('an earlier window that opens while a class waits becomes final first', () => {
    const log = new EventLog();
    frame(log, 'fast', 62, 0);
    frame(log, 'slow', 61, 0);
    frame(log, 'slow', 70, 0);
    frame(log, 'fast', 70, 0);
    frame(log, 'fast', 60, 0);
    log.fence(T + 60 * S);
    log.fence(T + 61 * S);
    log.fence(T + 62 * S);
    expect(storyOf(log)).toEqual(['#5 fast 60', '#6 slow 61', '#7 fast 62']);
  });

  test('a clock that is set back does not turn the log clock back', () => {
    const log = new EventLog();
    frame(log, 'd', 0, 100);
    frame(log, 'd', 350, 50);
    frame(log, 'd', 401, 50);
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    expect(aggregation.counters).toMatchObject({ aggregated: 2, future: 1 });
    expect(aggregation.watermark('d', 0)).toBe(T + 101 * S);
  });
});

describe('what moves a watermark besides readings', () => {
  test("a frame's wm, after its rows", () => {
    const log = new EventLog();
    frame(log, 'd', 0, 9, { wm: T + 5 * S });
    expect(storyOf(log)).toEqual(['#0 d 0']);
  });

  test('a mark, for the classes that it names', () => {
    const log = new EventLog();
    for (const device of ['a', 'b', 'c']) frame(log, device, 0, 9);
    log.mark(T + 9 * S, [
      { device: 'c', class: 0, watermark: T + S },
      { device: 'a', class: 0, watermark: T + S },
      { device: 'b', class: 0, watermark: T + S - 1 },
    ]);
    expect(storyOf(log)).toEqual(['#3 a 0', '#3 c 0']);
  });

  test('a mark never moves it back', () => {
    const log = new EventLog();
    frame(log, 'd', 9, 9);
    log.mark(T + 9 * S, [{ device: 'd', class: 0, watermark: T }]);
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    expect(aggregation.watermark('d', 0)).toBe(T + 7 * S);
  });

  test('a mark of an unknown device, of a class without frames or of another log means nothing', () => {
    const log = new EventLog();
    frame(log, 'd', 0, 9);
    const entry = (device: string, classId: 0 | 1 | 2) =>
      ({ device, class: classId, watermark: T + 9 * S }) as const;
    log.mark(T + 9 * S, [entry('x', 0), entry('d', 1), entry('d', 2)]);
    log.mark(T + 9 * S, [entry('d', 0)], 0);
    log.mark(T + 9 * S, [entry('d', 0)], 1, 1);
    frame(log, 'd', 0, 9, { lane: 2 });
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    expect(storyOf(log)).toEqual([]);
    expect([0, 1, 2].map((id) => aggregation.watermark('d', id as 0 | 1 | 2))).toEqual([
      T - 2 * S,
      T - 2 * S,
      Number.NEGATIVE_INFINITY,
    ]);
  });
});
