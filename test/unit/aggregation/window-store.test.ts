import { describe, expect, test } from 'vitest';
import { OpenWindows } from '../../../src/aggregation/open-windows.ts';
import { emptyRun, type Run } from '../../../src/aggregation/run.ts';
import { WindowStore } from '../../../src/aggregation/window-store.ts';
import { eventUs } from '../../../src/model/time.ts';
import { type Series, STATUS } from '../../../src/model/window.ts';

const SERIES: Series = {
  id: 0,
  topic: 'd/v',
  levels: ['d', 'v'],
  device: 'd',
  name: 'v',
  unit: '',
  windows: [],
};
const S = 1_000_000;
const newStore = () => new WindowStore(SERIES, 0, 1000);
const startsOf = (store: WindowStore) =>
  Array.from({ length: store.count }, (_, i) => store.startAt(i) / S);

function runOf(rows: readonly { t: number; value: number }[]): Run {
  const run = emptyRun(rows.length);
  rows.forEach(({ t, value }, row) => {
    run.times[row] = t;
    run.values[row] = value;
  });
  run.to = rows.length;
  return run;
}

/** Inserts windows of one reading each, at these starts in seconds. */
function fill(store: WindowStore, starts: readonly number[]): void {
  for (const start of starts) {
    const i = store.insert(start * S, STATUS.final, false);
    store.foldNumbers(i, runOf([{ t: start * S, value: start }]));
  }
}

describe('the kept windows of a series', () => {
  test('stay sorted by start, whatever the order in which they come', () => {
    const store = newStore();
    fill(store, [5, 9, 1, 7, 3, 0, 8]);
    expect(startsOf(store)).toEqual([0, 1, 3, 5, 7, 8, 9]);
    expect(startsOf(store).map((start, i) => store.valueAt(i, 'sum') === start)).not.toContain(
      false,
    );
  });

  test('are found by start, and the first from a time on', () => {
    const store = newStore();
    fill(store, [2, 4, 6]);
    expect([2, 4, 6, 3, 7, 0].map((s) => store.find(s * S))).toEqual([0, 1, 2, -1, -1, -1]);
    expect([0, 2, 3, 6, 7].map((s) => store.indexFrom(eventUs(s * S)))).toEqual([0, 0, 1, 2, 3]);
    expect(newStore().find(0)).toBe(-1);
  });

  test('take 640 bytes for a series that has just begun', () => {
    const store = newStore();
    expect(store.bytes).toBe(640);
    fill(store, [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(store.bytes).toBe(640);
    fill(store, [9]);
    expect(store.bytes).toBe(1280);
  });

  test('are at most 300 if the older ones are closed, in less than 26 KiB, for ever', () => {
    const store = newStore();
    for (let s = 0; s < 10_000; s += 1) {
      store.makeRoom(Number.POSITIVE_INFINITY, 299);
      fill(store, [s]);
    }
    expect(store.count).toBe(300);
    expect(startsOf(store)).toEqual(Array.from({ length: 300 }, (_, i) => 9700 + i));
    expect(store.bytes).toBeLessThan(26 * 1024);
  });

  test('are more than 300 while they can still change', () => {
    const store = newStore();
    fill(
      store,
      Array.from({ length: 400 }, (_, i) => i),
    );
    store.makeRoom(50 * S);
    expect(startsOf(store)[0]).toBe(50);
    store.makeRoom(51 * S - 1);
    expect(startsOf(store)[0]).toBe(50);
    store.makeRoom(Number.POSITIVE_INFINITY);
    expect(startsOf(store)[0]).toBe(100);
  });

  test('give back the memory of a burst', () => {
    const store = newStore();
    fill(
      store,
      Array.from({ length: 8000 }, (_, i) => i),
    );
    const burst = store.bytes;
    store.makeRoom(Number.POSITIVE_INFINITY);
    expect(store.count).toBe(300);
    expect(store.bytes).toBeLessThan(burst / 10);
    expect(store.valueAt(299, 'sum')).toBe(7999);
  });

  test('forget the texts of windows that go', () => {
    const store = newStore();
    for (let s = 0; s < 310; s += 1) {
      const i = store.insert(s * S, STATUS.final, true);
      store.foldTexts(i, { ...runOf([{ t: s * S, value: 0 }]), texts: [`text ${s}`] });
    }
    const before = store.bytes;
    store.makeRoom(Number.POSITIVE_INFINITY);
    expect(before - store.bytes).toBe(1600);
    expect(store.valueAt(0, 'first')).toBe('text 10');
    expect(store.valueAt(0, 'min')).toBe(null);
  });

  test('tell a change once until it is settled, and keep their status', () => {
    const store = newStore();
    fill(store, [1]);
    expect([store.touch(0), store.touch(0)]).toEqual([true, false]);
    store.setStatus(0, STATUS.corrected);
    store.settle(0);
    expect(store.statusAt(0)).toBe(STATUS.corrected);
    expect(store.touch(0)).toBe(true);
  });
});

describe('the open windows of a class', () => {
  test('come out oldest first, each with its series in the order in which they came', () => {
    const open = new OpenWindows();
    const [a, b] = [newStore(), newStore()];
    open.add(3, a);
    open.add(1, b);
    open.add(2, a);
    open.add(1, a);
    expect([open.count, open.oldestStart, open.newestStart]).toEqual([3, 1, 3]);
    expect(open.shift()).toEqual({ start: 1, stores: [b, a] });
    open.add(0, a);
    expect([0, 2, 3].map(() => open.shift()?.start)).toEqual([0, 2, 3]);
    expect([open.count, open.oldestStart, open.newestStart, open.shift()]).toEqual([
      0,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      undefined,
    ]);
  });

  test('may be many, and keep only those still open', () => {
    const open = new OpenWindows();
    const store = newStore();
    for (let start = 0; start < 1000; start += 1) open.add(start, store);
    for (let start = 0; start < 990; start += 1) expect(open.shift()?.start).toBe(start);
    open.add(500, store);
    open.add(995, store);
    expect(open.count).toBe(11);
    expect([open.shift()?.start, open.shift()?.start]).toEqual([500, 990]);
  });
});
