import { expect, test } from 'vitest';
import { readingsOf, rowsOf, timesOf } from '../../../src/client/block.ts';
import { halve, isOverLimits } from '../../../src/client/split.ts';
import type { DeviceBlock } from '../../../src/wire/messages.ts';

const rows: readonly { readonly name: string; readonly block: DeviceBlock; times: number[] }[] = [
  { name: 'one row', block: { s: 1, t: 50, v: [7] }, times: [50] },
  {
    name: 'steps',
    block: { s: 1, t: 50, dt: 10, v: [new Int16Array(5)] },
    times: [50, 60, 70, 80, 90],
  },
  {
    name: 'steps of a third',
    block: { s: 1, t: 50, dt: 1 / 3, v: [new Int16Array(7)] },
    times: [50, 50, 50, 51, 51, 51, 52],
  },
  {
    name: 'deltas',
    block: { s: 1, t: 50, d: [1, 0, 2], v: [['a', null, 'b', 'c'], 5, null], q: [0, 1, 2, 3] },
    times: [50, 51, 51, 53],
  },
  { name: 'deltas alone', block: { s: 1, t: 50, d: [4, 4], v: [true] }, times: [50, 54, 58] },
];

/** Every row of a block on its own: time, values, quality. */
const rowsIn = (block: DeviceBlock): unknown[] =>
  timesOf(block).map((t, i) => [
    t,
    ...block.v.map((column) =>
      typeof column === 'object' && column !== null ? column[i] : column,
    ),
    typeof block.q === 'object' ? block.q[i] : block.q,
  ]);

test.each(rows)('$name: times and rows', ({ block, times }) => {
  expect(timesOf(block)).toEqual(times);
  expect(rowsOf(block)).toBe(times.length);
});

test.each(rows.slice(1))('$name: two halves are the whole', ({ block }) => {
  const halves = halve([block]);
  expect(halves?.flat().flatMap(rowsIn)).toEqual(rowsIn(block));
  expect(halves?.map((half) => half.length)).toEqual([1, 1]);
});

test('halving again and again ends with single rows, and those are whole', () => {
  const block = (rows[2] as { block: DeviceBlock }).block;
  let parts: (readonly DeviceBlock[])[] = [[block]];
  for (let turn = 0; turn < 3; turn += 1) {
    parts = parts.flatMap((part) => halve(part) ?? [part]);
  }
  expect(parts).toHaveLength(7);
  expect(parts.flat().flatMap(rowsIn)).toEqual(rowsIn(block));
  expect(halve(parts[0] ?? [])).toBeNull();
});

test('blocks stay whole while there are several', () => {
  const blocks = rows.map(({ block }) => block);
  expect(halve(blocks)).toEqual([blocks.slice(0, 2), blocks.slice(2)]);
});

test('a reading is a row of a column that is not absent', () => {
  expect(rows.map(({ block }) => readingsOf(block))).toEqual([1, 5, 7, 8, 3]);
});

test('the limits of one frame', () => {
  const block = (count: number): DeviceBlock => ({ s: 1, t: 0, v: [new Uint8Array(count)] });
  expect(isOverLimits([block(4096)])).toBe(false);
  expect(isOverLimits([block(4097)])).toBe(true);
  expect(isOverLimits(Array.from({ length: 64 }, () => block(1)))).toBe(false);
  expect(isOverLimits(Array.from({ length: 65 }, () => block(1)))).toBe(true);
});
