import { describe, expect, test } from 'vitest';

// The page is plain JavaScript and has no declarations, so it is loaded by address.
const page = new URL('../../../src/dashboard/', import.meta.url);
const { eachRow, merge, Windows } = await import(new URL('windows.js', page).href);
const { columnsOf } = await import(new URL('columns.js', page).href);

const S = 1_000_000;
const AGGREGATES = ['n', 'min', 'max', 'mean', 'tlast'];

interface Row {
  readonly start: number;
  readonly n: number;
  readonly st: number;
  readonly mean: number;
  readonly tlast: number;
}

const row = (start: number, more: object = {}): Row => ({
  start,
  n: 1,
  st: 1,
  mean: 0,
  tlast: start + 500_000,
  ...{ min: 0, max: 0, last: 0 },
  ...more,
});

function rowsOf(block: object, aggregates = AGGREGATES): [number, Row][] {
  const rows: [number, Row][] = [];
  eachRow(block, aggregates, (no: number, read: Row) => rows.push([no, read]));
  return rows;
}

describe('blocks', () => {
  test('one window of many series: a row per number, scalars for all', () => {
    const block = { t: 7 * S, dt: S, i: [4, 5], v: [[1, 2], [3, 4], [5, 6], [4, null], 9] };
    expect(rowsOf(block)).toEqual([
      [4, row(7 * S, { st: 0, n: 1, min: 3, max: 5, mean: 4, tlast: 9, last: null })],
      [5, row(7 * S, { st: 0, n: 2, min: 4, max: 6, mean: Number.NaN, tlast: 9, last: null })],
    ]);
  });

  test('many windows of one series: starts by d, as in the worked session of the protocol', () => {
    const block = { t: 390 * S, dt: S, i: 4, d: [S, 3 * S], st: 1, v: [[1000, 1000, 640]] };
    const rows = rowsOf(block, ['n']);
    expect(rows.map(([no, { start, n, st }]) => [no, start / S, n, st])).toEqual([
      [4, 390, 1000, 1],
      [4, 391, 1000, 1],
      [4, 394, 640, 1],
    ]);
  });

  test('many windows of one series: without d they follow each other', () => {
    const rows = rowsOf({ t: 3 * S, dt: S, i: 4, v: [[1, 2, 3]] }, ['n']);
    expect(rows.map(([, { start }]) => start / S)).toEqual([3, 4, 5]);
  });

  test('one window of one series may be scalars only', () => {
    expect(rowsOf({ t: S, dt: S, i: 4, v: [8] }, ['n'])).toHaveLength(1);
    expect(rowsOf({ t: S, dt: S, i: 4, d: [S], v: [8] }, ['n'])).toHaveLength(2);
  });
});

describe('kept windows', () => {
  test('a larger n replaces, a smaller one does not, and at equal n the larger status wins', () => {
    const windows = new Windows(S, 8);
    const puts: [Row, Row][] = [];
    let held = row(0);
    for (const [n, st, isTaken] of [
      [5, 0, true],
      [4, 1, false],
      [5, 1, true],
      [5, 0, false],
      [6, 2, true],
    ] as const) {
      const next = row(0, { n, st });
      windows.put(0, next);
      if (isTaken) held = next;
      puts.push([windows.at(0), held]);
    }
    for (const [got, want] of puts) expect(got).toBe(want);
  });

  test('only the newest are kept, and an old one does not push out a new one', () => {
    const windows = new Windows(S, 4);
    for (let i = 0; i < 10; i++) windows.put(0, row(i * S));
    windows.put(0, row(2 * S, { n: 99 }));
    expect(windows.since(0).map(({ start }: Row) => start / S)).toEqual([6, 7, 8, 9]);
    expect(windows.newest()).toEqual(row(9 * S));
  });

  test('classes of one window are merged, and one that can change is not final', () => {
    const windows = new Windows(S, 4);
    windows.put(0, row(S, { n: 2, mean: 10, min: 9, max: 11, tlast: S + 100, last: 11, st: 1 }));
    windows.put(1, row(S, { n: 6, mean: 2, min: -1, max: 5, tlast: S + 900, last: 4, st: 0 }));
    const want = { n: 8, mean: 4, min: -1, max: 11, tlast: S + 900, last: 4, st: 0 };
    expect(windows.at(S)).toEqual(row(S, want));
  });

  test('a class of a later version of the protocol is left out', () => {
    const windows = new Windows(S, 4);
    windows.put(3, row(S));
    expect(windows.newest()).toBeUndefined();
    expect(windows.since(0)).toEqual([]);
  });

  test('merging does not care for the order', () => {
    const a = row(S, { n: 2, mean: 10, tlast: S + 1 });
    const b = row(S, { n: 6, mean: 2, tlast: S + 2 });
    expect(merge(a, b)).toEqual(merge(b, a));
  });
});

describe('what is drawn', () => {
  const shown = (rows: Row[]) => {
    const { x, settled, open } = columnsOf(rows, S);
    return { x, settled, open };
  };

  test('provisional windows are a line of their own that begins where the other ends', () => {
    const rows = [0, 1, 2, 3].map((i) => row(i * S, { mean: i, st: i < 2 ? 1 : 0 }));
    const want = {
      x: [0.25, 1.25, 2.25, 3.25],
      settled: [0, 1, null, null],
      open: [null, 1, 2, 3],
    };
    expect(shown(rows)).toEqual(want);
  });

  test('a hole that is long for this series breaks the line', () => {
    const rows = [0, 1, 2, 9].map((i) => row(i * S, { mean: i }));
    expect(shown(rows).settled).toEqual([0, 1, 2, null, 9]);
  });

  test('a series that is always slow has no holes', () => {
    const rows = [0, 20, 40, 60].map((i) => row(i * S, { mean: i }));
    expect(shown(rows).settled).toEqual([0, 20, 40, 60]);
  });
});
