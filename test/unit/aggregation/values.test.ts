import { describe, expect, test } from 'vitest';
import { CLASS } from '../../../src/model/reading.ts';
import { EventLog, feed, listening, type TestBlock } from '../../support/event-log.ts';

const S = 1_000_000;
const T = 1_700_000_000 * S;
const ONE = { cols: [['v', 'Cel']] } as const;

/** The only window after these blocks, in JSON, and the counters. */
function outcome(blocks: readonly TestBlock[]): { series: unknown; counters: unknown } {
  const log = new EventLog();
  log.frame({ recv: T, blocks });
  log.frame({ recv: T, wm: T + S, blocks: [{ set: ONE, t: [T + 60 * S], v: [[null]] }] });
  const { aggregation, heard } = listening(log);
  feed(aggregation, log.entries);
  const series = heard.results.map(({ result }) => result.series)[0];
  return { series: JSON.parse(JSON.stringify(series ?? null)), counters: aggregation.counters };
}

describe('figures', () => {
  test('a result has the fields of DESIGN §7, in that order', () => {
    const log = new EventLog();
    const cols = [
      ['v', 'Cel', 0.5, 10],
      ['on', '', 1, 0],
    ] as const;
    const t = [T + 1, T + 2];
    log.frame({
      recv: T,
      blocks: [
        {
          set: { cols },
          t,
          v: [
            [2, 4],
            ['a', 'b'],
          ],
        },
      ],
    });
    log.frame({ recv: T, wm: T + S, blocks: [{ set: ONE, t: [T + 9 * S], v: [[1]] }] });
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    expect(JSON.stringify(heard.results[0]?.result)).toBe(
      `{"device":"plant/press","class":"live","start":${T},"len":1000,"status":"final","series":` +
        '{"v":{"unit":"Cel","n":2,"min":11,"max":12,"sum":23,"mean":11.5,"first":11,"last":12,' +
        `"tfirst":${T + 1},"tlast":${T + 2}},` +
        `"on":{"unit":"","n":2,"first":"a","last":"b","tfirst":${T + 1},"tlast":${T + 2}}}}`,
    );
  });

  test('a row with fid f counts f times in n and sum, once in the others', () => {
    const block = (fid: number, value: number) => ({ set: ONE, t: [T], v: [[value]], fid });
    expect(outcome([block(10, 3), block(1, 5)])).toMatchObject({
      series: { v: { n: 11, sum: 35, mean: 35 / 11, min: 3, max: 5, first: 3, last: 5 } },
      counters: { aggregated: 2 },
    });
  });

  test('first and last go by event time, on a tie by log order', () => {
    const block = (t: readonly number[], v: readonly number[]) => ({ set: ONE, t, v: [v] });
    const { series } = outcome([
      block([T + 5, T + 9], [1, 2]),
      block([T + 5, T + 9], [3, 4]),
      block([T + 4, T + 4, T + 8], [5, 6, 7]),
    ]);
    expect(series).toMatchObject({ v: { first: 5, tfirst: T + 4, last: 4, tlast: T + 9 } });
  });

  test('null, NaN, infinities, overflow and bad quality are excluded', () => {
    const cols = [['v', 'Cel', 1e308]] as const;
    const values = [1, null, Number.NaN, Number.POSITIVE_INFINITY, 10, 0.5, 0.25];
    const block = {
      set: { cols },
      t: values.map((_, i) => T + i),
      v: [values],
      q: [0, 0, 0, 0, 0, 128, 127],
    };
    expect(outcome([block])).toMatchObject({
      series: { v: { n: 2, first: 1e308, last: 0.25e308, tlast: T + 6 } },
      counters: { aggregated: 2, excluded: 6 },
    });
  });

  test('a sum that overflows is null, and so is its mean', () => {
    const block = { set: ONE, t: [T, T], v: [[1.5e308, 1.5e308]] };
    expect(outcome([block]).series).toMatchObject({
      v: { n: 2, min: 1.5e308, max: 1.5e308, sum: null, mean: null },
    });
  });

  test('booleans are 0 and 1', () => {
    const block = { set: ONE, t: [T, T, T], v: [[true, false, true]] };
    expect(outcome([block]).series).toMatchObject({ v: { n: 3, sum: 2, min: 0, max: 1 } });
  });

  test('a window has the kind of its first reading', () => {
    const numbers = { set: ONE, t: [T], v: [[7]] };
    const texts = { set: ONE, t: [T, T], v: [['on', null]] };
    expect(outcome([texts, numbers])).toMatchObject({
      series: { v: { n: 1, first: 'on', last: 'on' } },
      counters: { aggregated: 1, excluded: 3 },
    });
    expect(outcome([numbers, texts])).toMatchObject({
      series: { v: { n: 1, first: 7, sum: 7 } },
      counters: { aggregated: 1, excluded: 3 },
    });
  });

  test('the next window may be of the other kind', () => {
    const block = (t: number, value: number | string) => ({ set: ONE, t: [t], v: [[value]] });
    const log = new EventLog();
    log.frame({ recv: T, blocks: [block(T, 1), block(T + S, 'off')] });
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    const windows = aggregation.byTopic('plant/press/v')?.windows[0];
    expect(windows?.valueAt(0, 'mean')).toBe(1);
    expect(windows?.valueAt(1, 'mean')).toBe(null);
    expect(windows?.valueAt(1, 'last')).toBe('off');
  });

  test('text of bad quality is excluded', () => {
    const block = { set: ONE, t: [T, T], v: [['bad', 'good']], q: [128, 0] };
    expect(outcome([block]).series).toMatchObject({ v: { n: 1, first: 'good' } });
  });

  test('an absent column, and one without a value, make no series', () => {
    const cols = [['a'], ['b'], ['c']] as const;
    const v = [null, [null], [1]];
    const { series, counters } = outcome([{ set: { cols }, t: [T], v }]);
    expect(Object.keys(series as object)).toEqual(['c']);
    expect(counters).toMatchObject({ aggregated: 1, excluded: 2 });
  });
});

describe('sets', () => {
  test('a series of several sets is one, with the unit of its last reading', () => {
    const of = { of: 'a', cols: [['b/c', 'K']] } as const;
    const flat = { cols: [['a/b/c', 'Cel']] } as const;
    const { series } = outcome([
      { set: of, t: [T], v: [[1]] },
      { set: flat, t: [T], v: [[2]] },
    ]);
    expect(series).toEqual({ 'a/b/c': expect.objectContaining({ unit: 'Cel', n: 2, sum: 3 }) });
  });

  test('each class gives the unit of its own last reading, the series that of any', () => {
    const log = new EventLog();
    const block = (unit: string) => ({ set: { cols: [['v', unit]] as const }, t: [T], v: [[1]] });
    log.frame({ recv: T, blocks: [block('K')] });
    log.frame({ recv: T, lane: 2, blocks: [block('Cel')] });
    log.frame({ recv: T, wm: T + S, blocks: [block('')].map((one) => ({ ...one, v: [[null]] })) });
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    expect(heard.results.map(({ result }) => result.series['v']?.unit)).toEqual(['K']);
    expect(aggregation.byTopic('plant/press/v')?.unit).toBe('Cel');
  });

  test('a set id that means another definition in a later epoch is bound anew', () => {
    const log = new EventLog();
    const frame = (name: string, value: number) =>
      log.frame({ recv: T, blocks: [{ set: { cols: [[name]] }, t: [T], v: [[value]] }] });
    frame('old', 1);
    frame('new', 2);
    frame('old', 3);
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    const sums = [...aggregation.series()].map(({ name, windows }) => [
      name,
      windows[0]?.valueAt(0, 'sum'),
    ]);
    expect(sums).toEqual([
      ['old', 4],
      ['new', 2],
    ]);
  });

  test('hashes go with sets in order of first appearance', () => {
    const a = { cols: [['a']] } as const;
    const b = { cols: [['b'], ['c']] } as const;
    const { series } = outcome([
      { set: a, t: [T], v: [[1]] },
      { set: b, t: [T], v: [[2], [3]] },
      { set: a, t: [T], v: [[4]] },
    ]);
    expect(series).toMatchObject({ a: { sum: 5 }, b: { sum: 2 }, c: { sum: 3 } });
  });

  test('series may have names that objects know already', () => {
    const cols = [['__proto__'], ['constructor']] as const;
    const { series } = outcome([{ set: { cols }, t: [T], v: [[1], [2]] }]);
    expect(Object.keys(series as object)).toEqual(['__proto__', 'constructor']);
  });

  test('series beyond the limit of a log are refused and counted, known ones go on', () => {
    const log = new EventLog();
    const cols = [['a'], ['b'], ['c']] as const;
    const block = {
      set: { cols },
      t: [T, T],
      v: [
        [1, 2],
        [3, 4],
        [5, null],
      ],
    };
    log.frame({ recv: T, blocks: [block] });
    log.frame({ recv: T, lane: 0, blocks: [block] });
    const { aggregation, heard } = listening(log, { seriesPerLogMax: 2 });
    feed(aggregation, log.entries);
    const { counters } = aggregation;
    expect(counters).toEqual({ aggregated: 8, late: 0, future: 0, excluded: 2, refused: 2 });
    expect(heard.appeared.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('a frame that knows a set which nobody defined is passed over and counted, whole', () => {
    const log = new EventLog();
    const TWO = { cols: [['w', 'V']] } as const;
    log.frame({ recv: T, blocks: [{ set: ONE, t: [T], v: [[1]] }] });
    const known = log.schemas;
    const [first] = log.entries;
    const { aggregation, heard } = listening(log, {
      schemas: (hash) => (first && isHashOf(first.header.hashes, hash) ? known(hash) : undefined),
    });
    const half = { set: TWO, t: [T], v: [[2]] };
    log.frame({ recv: T, blocks: [{ set: ONE, t: [T], v: [[5]] }, half] });
    log.frame({ recv: T, blocks: [{ set: ONE, t: [T + 9 * S], v: [[3]] }] });
    feed(aggregation, log.entries);
    expect(aggregation.unreadable).toBe(1);
    expect(heard.appeared.map(({ name }) => name)).toEqual(['v']);
    expect(heard.results[0]?.result.series).toMatchObject({ v: { n: 1, sum: 1 } });
    expect(aggregation.counters.aggregated).toBe(2);
  });

  test('a frame that is no frame, and a mark that is no mark, are passed over and counted', () => {
    const log = new EventLog();
    const { aggregation } = listening(log);
    const frame = log.frame({ recv: T, blocks: [{ set: ONE, t: [T], v: [[1]] }] });
    const mark = log.mark(T, []);
    const broken = new Uint8Array([0xff]);
    aggregation.apply({ ...frame.record, value: broken }, frame.header);
    aggregation.apply({ ...mark.record, value: broken }, mark.header);
    expect(aggregation.unreadable).toBe(2);
  });
});

/** 4096 rows a second apart, in so many columns: all constant but the first. */
function spread(columns: number): TestBlock {
  const cols = Array.from({ length: columns }, (_, c) => [`c${c}`] as const);
  const t = Array.from({ length: 4096 }, (_, row) => T + row * S);
  return { set: { cols }, t, v: cols.map(() => t.map(() => 1)) };
}

describe('the windows of a frame', () => {
  test('are all taken where every reading may have cost a byte', () => {
    const log = new EventLog();
    log.frame({ recv: T + 5000 * S, blocks: [spread(2)] });
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    expect(aggregation.counters).toMatchObject({ aggregated: 8192, refused: 0 });
  });

  test('are 8192 over all series: rows beyond are refused in all columns alike, and counted', () => {
    const log = new EventLog();
    const more: TestBlock = { set: ONE, t: [T + 4500 * S], v: [[1]] };
    log.frame({ recv: T + 5000 * S, blocks: [spread(64), more] });
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    const refused = 64 * (4096 - 128) + 1;
    expect(aggregation.counters).toMatchObject({ aggregated: 8192, refused });
    expect(heard.results.at(-1)?.result.start).toBe(T + 127 * S);
    // What is refused moves event time all the same: it was read.
    expect(aggregation.watermark('plant/press', CLASS.live)).toBe(T + 4498 * S);
  });

  test('begin anew with the next frame', () => {
    const log = new EventLog();
    log.frame({ recv: T + 5000 * S, blocks: [spread(64)] });
    log.frame({ recv: T + 5000 * S, blocks: [{ set: ONE, t: [T + 4500 * S], v: [[1]] }] });
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    expect(aggregation.counters.aggregated).toBe(8193);
  });

  test('do not count rows that fall into one window', () => {
    const log = new EventLog();
    const block = spread(64);
    const t = block.t.map((_, row) => T + row);
    log.frame({ recv: T + 5000 * S, blocks: [{ ...block, t }] });
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    expect(aggregation.counters).toMatchObject({ aggregated: 64 * 4096, refused: 0 });
  });
});

const isHashOf = (known: Uint8Array, hash: Uint8Array): boolean =>
  Buffer.from(known).equals(Buffer.from(hash));

describe('large results', () => {
  test.each([
    { what: 'escapes', text: '\u0001'.repeat(200) },
    { what: 'letters of 2 bytes, and quotes', text: 'é"'.repeat(85) },
    { what: 'letters of 3 bytes', text: '€'.repeat(85) },
    { what: 'letters of 4 bytes', text: '🌊'.repeat(64) },
  ])('a result above 256 KiB is split by series: $what', ({ text }) => {
    const log = new EventLog();
    const sets = Array.from({ length: 13 }, (_, s) => ({
      cols: Array.from({ length: 64 }, (_, c) => [`s${s}/c${c}`] as const),
    }));
    const blocks = sets.map((set) => ({ set, t: [T], v: set.cols.map(() => [text]) }));
    log.frame({ recv: T, blocks });
    log.frame({ recv: T, wm: T + S, blocks: [{ set: ONE, t: [T + 9 * S], v: [[1]] }] });
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    const parts = heard.results.map(({ cause, result }) => ({
      index: cause.index,
      bytes: Buffer.byteLength(JSON.stringify(result)),
      names: Object.keys(result.series),
    }));
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.map(({ index }) => index)).toEqual(parts.map((_, i) => i));
    expect(parts.flatMap(({ names }) => names)).toEqual(sets.flatMap(({ cols }) => cols.flat()));
    for (const { bytes } of parts) expect(bytes).toBeLessThanOrEqual(256 * 1024);
    // Each part is as full as it can be: not one series more would have fitted.
    for (const { bytes } of parts.slice(0, -1)) expect(bytes).toBeGreaterThan(253 * 1024);
  });
});
