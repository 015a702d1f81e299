import { expect } from 'vitest';
import type { SeriesResult, WindowResult } from '../../src/model/window.ts';
import { EventLog, feed, listening, type TestBlock } from '../support/event-log.ts';
import { CORE, rule } from './rule.ts';

/** §9.4: windows and results, as far as they are computed today. */

const S = 1_000_000;
const T = 1_700_000_000 * S;
const SET = { cols: [['temp']] } as const;

/** Readings `[s after T, value]` in one frame, received at `recv` s after T. */
function put(
  log: EventLog,
  rows: readonly (readonly [number, number | string | boolean | null])[],
  recv: number,
  more: Partial<TestBlock> & { lane?: number } = {},
): void {
  const { lane = 1, ...block } = more;
  const t = rows.map(([s]) => Math.round(T + s * S));
  log.frame({
    device: 'd',
    lane,
    recv: T + recv * S,
    blocks: [{ set: SET, t, v: [rows.map(([, v]) => v)], ...block }],
  });
}

function resultsOf(log: EventLog): WindowResult[] {
  const { aggregation, heard } = listening(log);
  feed(aggregation, log.entries);
  return heard.results.map(({ result }) => result);
}

function countersOf(log: EventLog) {
  const { aggregation } = listening(log);
  feed(aggregation, log.entries);
  return aggregation.counters;
}

const seriesOf = (result: WindowResult | undefined): SeriesResult | undefined =>
  result?.series['temp'];
const story = (log: EventLog): string[] =>
  resultsOf(log).map((one) => `${(one.start - T) / S} ${one.status} n=${seriesOf(one)?.n}`);

rule('R9.4-3', 'a window without readings has no result', CORE, () => {
  const log = new EventLog();
  put(log, [[0, 1]], 0);
  put(log, [[100, 1]], 100);
  expect(story(log)).toEqual(['0 final n=1']);
});

rule(
  'R9.4-4',
  'provisional until the watermark reaches the end; then final; then corrected for 30 s',
  CORE,
  () => {
    const log = new EventLog();
    put(log, [[0.5, 1]], 0.5);
    put(log, [[2.999_999, 1]], 3);
    expect(story(log)).toEqual([]);
    put(log, [[3, 1]], 3);
    expect(story(log)).toEqual(['0 final n=1']);
    put(log, [[0.9, 1]], 3);
    expect(story(log)).toEqual(['0 final n=1', '0 corrected n=2']);
    put(log, [[32.999_999, 1]], 33);
    put(log, [[0.1, 1]], 33);
    expect(story(log).slice(-1)).toEqual(['0 corrected n=3']);
  },
);

rule(
  'R9.4-4',
  'a window that had no reading when it became final is corrected for the first time',
  CORE,
  () => {
    const log = new EventLog();
    put(log, [[0, 1]], 0);
    put(log, [[10, 1]], 10);
    put(log, [[4, 1]], 10);
    expect(story(log)).toEqual(['0 final n=1', '4 corrected n=1']);
  },
);

rule('R9.4-5', 'later readings stay in the log and are counted as late', CORE, () => {
  const log = new EventLog();
  put(log, [[0, 1]], 0);
  put(log, [[33, 1]], 33);
  const before = story(log);
  put(log, [[0.5, 1]], 33);
  expect(story(log)).toEqual(before);
  expect(countersOf(log)).toMatchObject({ late: 1, aggregated: 2 });
});

rule('R9.4-6', 'every change raises n', CORE, () => {
  const log = new EventLog();
  put(log, [[0, 1]], 0);
  put(log, [[10, 1]], 10);
  for (let i = 1; i < 5; i += 1) put(log, [[i / 10, 1]], 10);
  const revisions = resultsOf(log).map((one) => Number(seriesOf(one)?.n));
  expect(revisions).toEqual([1, 2, 3, 4, 5]);
});

rule('R9.4-7', 'a result is identified by series, class, start and length', CORE, () => {
  const log = new EventLog();
  for (const lane of [0, 1, 2]) {
    put(
      log,
      [
        [0, 1],
        [1, 1],
      ],
      1,
      { lane },
    );
    put(log, [[20, 1]], 20, { lane });
  }
  const names = resultsOf(log).map((one) => `${one.class} ${(one.start - T) / S} ${one.len}`);
  expect(names.sort()).toEqual([
    'backfill 0 1000',
    'backfill 1 1000',
    'critical 0 1000',
    'critical 1 1000',
    'live 0 1000',
    'live 1 1000',
  ]);
});

rule(
  'R9.4-8',
  'booleans are 0 and 1; "no value" and quality 128–255 are excluded and counted',
  CORE,
  () => {
    const log = new EventLog();
    put(
      log,
      [
        [0, true],
        [0.1, false],
        [0.2, true],
        [0.3, null],
      ],
      1,
    );
    put(
      log,
      [
        [0.4, 9],
        [0.5, 9],
        [0.6, 9],
        [0.7, 9],
      ],
      1,
      { q: [127, 128, 255, 64] },
    );
    put(log, [[10, 1]], 10);
    expect(seriesOf(resultsOf(log)[0])).toMatchObject({ n: 5, sum: 20, min: 0, max: 9, mean: 4 });
    expect(countersOf(log)).toMatchObject({ excluded: 3 });
  },
);

rule(
  'R9.4-8',
  'physical values; text has n, first, last and their times; the first reading decides the kind',
  CORE,
  () => {
    const log = new EventLog();
    put(log, [[0, 3]], 1, { set: { cols: [['temp', '', 2, 1]] } });
    put(log, [[10, 1]], 10);
    expect(seriesOf(resultsOf(log)[0])).toMatchObject({ n: 1, first: 7 });
    const text = new EventLog();
    put(
      text,
      [
        [0, 'a'],
        [0.5, 'b'],
      ],
      1,
    );
    put(text, [[0.6, 5]], 1);
    put(text, [[10, 'c']], 10);
    const { unit: _, ...figures } = seriesOf(resultsOf(text)[0]) ?? { unit: '' };
    expect(figures).toEqual({ n: 2, first: 'a', last: 'b', tfirst: T, tlast: T + S / 2 });
    expect(countersOf(text)).toMatchObject({ excluded: 1 });
  },
);

rule('R9.4-9', 'a row with fid f counts as f readings of its value', CORE, () => {
  const log = new EventLog();
  put(
    log,
    [
      [0, 3],
      [0.5, 5],
    ],
    1,
    { fid: 10 },
  );
  put(log, [[0.7, 100]], 1);
  put(log, [[10, 1]], 10);
  expect(seriesOf(resultsOf(log)[0])).toMatchObject({
    n: 21,
    sum: 180,
    min: 3,
    max: 100,
    mean: 180 / 21,
    first: 3,
    last: 100,
  });
});

rule('R9.4-10 R9.4-12', 'n counts readings; sum is float64 in log order', CORE, () => {
  const log = new EventLog();
  const values = [1e16, 1, -1e16, 0.1, 0.2];
  // By time they stand the other way round: the order of the log is what counts.
  for (const [i, value] of values.entries()) put(log, [[0.9 - i / 10, value]], 1);
  put(log, [[10, 1]], 10);
  const sum = values.reduce((all, value) => all + value, 0);
  expect(seriesOf(resultsOf(log)[0])).toMatchObject({ n: 5, sum, mean: sum / 5 });
});

rule('R9.4-14', 'first and last by event time, on a tie by log order', CORE, () => {
  const log = new EventLog();
  put(
    log,
    [
      [0.2, 2],
      [0.5, 1],
      [0.8, 3],
    ],
    1,
  );
  put(
    log,
    [
      [0.2, 4],
      [0.8, 5],
    ],
    1,
  );
  put(log, [[10, 1]], 10);
  expect(seriesOf(resultsOf(log)[0])).toMatchObject({
    first: 2,
    last: 5,
    tfirst: T + 0.2 * S,
    tlast: T + 0.8 * S,
  });
});
