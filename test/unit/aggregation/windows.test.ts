import { describe, expect, test } from 'vitest';
import { EventLog, feed, type EventLog as Log, listening } from '../../support/event-log.ts';

const S = 1_000_000;
const T = 1_700_000_000 * S;
const TEMP = { cols: [['temp', 'Cel']] } as const;

/** Feeds all and returns results as `start status n` in seconds after T. */
function storyOf(log: Log): string[] {
  const { aggregation, heard } = listening(log);
  feed(aggregation, log.entries);
  return heard.results.map(({ cause, result }) => {
    const n = Object.values(result.series).map((series) => series.n);
    return `#${cause.offset}.${cause.index} ${(result.start - T) / S} ${result.status} n=${n}`;
  });
}

/** One reading at T + `s` seconds, received when it was made. */
const at = (log: Log, s: number, recv = s) =>
  log.frame({ recv: T + recv * S, blocks: [{ set: TEMP, t: [T + s * S], v: [[s]] }] });

describe('a window', () => {
  test('is final when the watermark reaches its end, and not before', () => {
    const log = new EventLog();
    at(log, 0.5);
    at(log, 2.999_999);
    expect(storyOf(log)).toEqual([]);
    at(log, 3);
    expect(storyOf(log)).toEqual(['#2.0 0 final n=1']);
  });

  test('is half-open: a reading at its end belongs to the next', () => {
    const log = new EventLog();
    at(log, 0.999_999);
    at(log, 1);
    at(log, 9);
    expect(storyOf(log)).toEqual(['#2.0 0 final n=1', '#2.1 1 final n=1']);
  });

  test('without readings has no result', () => {
    const log = new EventLog();
    at(log, 0);
    at(log, 100);
    expect(storyOf(log)).toEqual(['#1.0 0 final n=1']);
  });

  test('takes rows of the frame that makes it final', () => {
    const log = new EventLog();
    at(log, 0);
    const t = [T + 0.1 * S, T + 0.2 * S, T + 60 * S];
    log.frame({ recv: T + 60 * S, blocks: [{ set: TEMP, t, v: [[1, 2, 3]] }] });
    expect(storyOf(log)).toEqual(['#1.0 0 final n=3']);
  });

  test('is given again for each record that changes it, once per record', () => {
    const log = new EventLog();
    at(log, 0);
    at(log, 10);
    const late = (t: number) => ({ set: TEMP, t: [T + t * S], v: [[1]] });
    log.frame({ recv: T + 10 * S, blocks: [late(0.5), late(0.7), late(0.1)] });
    at(log, 0.2, 10);
    expect(storyOf(log)).toEqual([
      '#1.0 0 final n=1',
      '#2.0 0 corrected n=4',
      '#3.0 0 corrected n=5',
    ]);
  });

  test('is corrected for the first time if it had no reading when it became final', () => {
    const log = new EventLog();
    at(log, 0);
    at(log, 10);
    at(log, 4, 10);
    at(log, 4.5, 10);
    expect(storyOf(log).slice(1)).toEqual(['#2.0 4 corrected n=1', '#3.0 4 corrected n=2']);
  });

  test('takes late rows while the watermark is less than 30 s past its end', () => {
    const log = new EventLog();
    at(log, 0);
    at(log, 32.999_999);
    at(log, 0.1, 33);
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    expect(aggregation.counters).toMatchObject({ aggregated: 3, late: 0 });

    at(log, 33);
    at(log, 0.2, 33);
    at(log, 1, 33);
    const again = listening(log);
    feed(again.aggregation, log.entries);
    expect(again.aggregation.counters).toMatchObject({ aggregated: 5, late: 1 });
  });

  test('corrections of a record come first, in time order, then what it makes final', () => {
    const log = new EventLog();
    at(log, 0);
    at(log, 8);
    const block = (t: number) => ({ set: TEMP, t: [T + t * S], v: [[1]] });
    log.frame({ recv: T + 20 * S, blocks: [block(20), block(4), block(2), block(0)] });
    expect(storyOf(log)).toEqual([
      '#1.0 0 final n=1',
      '#2.0 0 corrected n=2',
      '#2.1 2 corrected n=1',
      '#2.2 4 corrected n=1',
      '#2.3 8 final n=1',
    ]);
  });

  test('holds all series of its device and class, and only the changed ones when corrected', () => {
    const log = new EventLog();
    const both = { cols: [['b'], ['a']] } as const;
    const frame = (s: number, v: (readonly number[] | null)[]) =>
      log.frame({ recv: T + s * S, blocks: [{ set: both, t: [T + s * S], v }] });
    frame(0, [[1], [2]]);
    frame(5, [[1], null]);
    frame(0, [null, [3]]);
    log.frame({ device: 'other', recv: T + 9 * S, blocks: [{ set: TEMP, t: [T], v: [[1]] }] });
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    expect(heard.results.map(({ result }) => Object.keys(result.series))).toEqual([
      ['b', 'a'],
      ['a'],
    ]);
  });

  test('the classes of a device do not know of each other', () => {
    const log = new EventLog();
    const frame = (lane: number, s: number) =>
      log.frame({ lane, recv: T + 9 * S, blocks: [{ set: TEMP, t: [T + s * S], v: [[lane]] }] });
    for (const lane of [0, 1, 2, 3]) frame(lane, 0);
    frame(0, 5);
    frame(2, 5);
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    const seen = heard.results.map(({ cause, result }) => [cause.log, cause.offset, result.class]);
    expect(seen).toEqual([
      [1, 1, 'critical'],
      [0, 3, 'backfill'],
    ]);
    const windows = aggregation.byTopic('plant/press/temp')?.windows.map((one) => one?.count);
    expect(windows).toEqual([1, 2, 2]);
    // Lanes 1 and 3 are one class.
    expect(aggregation.byTopic('plant/press/temp')?.windows[0]?.valueAt(0, 'n')).toBe(2);
  });
});

describe('time rejects nothing', () => {
  const counted = (log: Log) => {
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    return { ...aggregation.counters, watermark: aggregation.watermark('plant/press', 0) };
  };

  test('a reading more than 300 s ahead of the log clock is future and moves no watermark', () => {
    const log = new EventLog();
    at(log, 300.000_001, 0);
    expect(counted(log)).toMatchObject({ future: 1, watermark: Number.NEGATIVE_INFINITY });
    at(log, 300, 0);
    expect(counted(log)).toMatchObject({ aggregated: 1, future: 1, watermark: T + S });
  });

  test('a reading of 1970 is ordinary', () => {
    const log = new EventLog();
    log.frame({ recv: T, blocks: [{ set: TEMP, t: [0, 999_999, 5 * S], v: [[1, 2, 3]] }] });
    expect(counted(log)).toMatchObject({ aggregated: 3, watermark: 3 * S });
    expect(storyOf(log)).toEqual([`#0.0 ${-T / S} final n=2`]);
  });

  test('late and excluded rows move the watermark, future ones do not', () => {
    const log = new EventLog();
    at(log, 0);
    log.frame({ recv: T + 60 * S, blocks: [{ set: TEMP, t: [T + 50 * S], v: [[null]] }] });
    expect(counted(log)).toMatchObject({ excluded: 1, watermark: T + 48 * S });
    const q = [200, 0];
    const t = [T, T + 55 * S];
    log.frame({ recv: T + 60 * S, blocks: [{ set: TEMP, t, v: [[1, 2]], q }] });
    expect(counted(log)).toMatchObject({ late: 1, excluded: 1, watermark: T + 53 * S });
  });

  test('each reading is counted once: future before late before excluded', () => {
    const log = new EventLog();
    at(log, 0);
    at(log, 100);
    const t = [T, T + 90 * S, T + 99 * S, T + 500 * S];
    const v = [null, null, 1, null];
    log.frame({ recv: T + 100 * S, blocks: [{ set: TEMP, t, v: [v] }] });
    const { watermark: _, ...counters } = counted(log);
    expect(counters).toEqual({ aggregated: 3, late: 1, excluded: 1, future: 1, refused: 0 });
  });
});
