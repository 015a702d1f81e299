import { describe, expect, test } from 'vitest';
import { timesOf } from '../../../src/client/block.ts';
import type { DeviceOptions } from '../../../src/client/device-io.ts';
import { everyKth } from '../../../src/client/thin.ts';
import type { Data, DeviceBlock } from '../../../src/wire/messages.ts';
import { DeviceBench, START_US } from '../../support/device-bench.ts';

/** Frames of one row count 100 bytes in the ring, each row more one byte. */
const rows = (first: number, count: number): DeviceBlock => ({
  s: 2,
  t: START_US + first * 1000,
  dt: count > 1 ? 1000 : undefined,
  v: [Uint8Array.from({ length: count }, (_, i) => first + i)],
});
const give = (bench: DeviceBench, first: number, count = 1): string[] =>
  bench.step({ kind: 'form', lane: 1, blocks: [rows(first, count)] });

/** A device that tries to connect, so that nothing but its ring speaks. */
function trying(options: Partial<DeviceOptions>): DeviceBench {
  const bench = new DeviceBench(options);
  bench.step({ kind: 'tick' });
  return bench;
}

/** The rows that arrived on lane 1: value, time after the start in ms, and what each stands for. */
const arrived = (bench: DeviceBench): string[] =>
  bench.sent
    .filter((message) => message.k === 'data')
    .flatMap((message) => (message as Data<DeviceBlock>).b)
    .flatMap((block) =>
      timesOf(block).map((t, i) => {
        const value = (block.v[0] as Uint8Array)[i];
        return `${value}@${(t - START_US) / 1000}x${block.fid ?? 1}`;
      }),
    );

describe('block', () => {
  test('readings without room are refused to the caller, and nothing is dropped', () => {
    const bench = trying({ whenFull: 'block', lanes: [1], ringBytesMax: 250 });
    expect([give(bench, 1), give(bench, 2)]).toEqual([[], []]);
    expect(give(bench, 3)).toEqual(['refused 1 readings of lane 1']);
    bench.welcome({ lanes: [1] });
    expect(give(bench, 3)).toEqual(['refused 1 readings of lane 1']);
    bench.flow(1, 9999);
    expect(give(bench, 3)).toEqual(['data 1:3']);
    expect(arrived(bench)).toEqual(['1@1x1', '2@2x1', '3@3x1']);
  });

  test('of readings that make several frames the rest is refused, none overtakes another', () => {
    const bench = trying({ whenFull: 'block', lanes: [1], ringBytesMax: 900 });
    bench.welcome({ lanes: [1], mf: 500, lim: 0 });
    expect(give(bench, 0, 1000)).toEqual(['refused 500 readings of lane 1']);
    expect(bench.session.ring.lane(1)?.count).toBe(2);
  });

  test('what the caller gave its word for is retained over the bound', () => {
    const bench = trying({ whenFull: 'block', lanes: [1], ringBytesMax: 250 });
    expect([give(bench, 1), give(bench, 2)]).toEqual([[], []]);
    const blocks = [rows(3, 1)];
    expect(bench.step({ kind: 'form', lane: 1, blocks, isTaken: true })).toEqual([]);
    expect(bench.session.ring.lane(1)?.count).toBe(3);
    expect(bench.session.roomIn(1)).toBeLessThan(0);
    expect(give(bench, 4)).toEqual(['refused 1 readings of lane 1']);
  });

  test('bulk leaves room to alarms', () => {
    const bench = trying({ whenFull: 'block', ringBytesMax: 1000 });
    while (give(bench, 1).length === 0) expect(bench.session.ring.bytes).toBeLessThan(1000);
    expect(bench.session.ring.bytes).toBeLessThanOrEqual(875);
    const alarms = Array.from({ length: 4 }, () => bench.form(0));
    expect(alarms).toEqual([
      [],
      [],
      ['refused 1 readings of lane 0'],
      ['refused 1 readings of lane 0'],
    ]);
  });
});

describe('thin', () => {
  test('a full ring keeps every second row, then every fourth, of all that waits', () => {
    const bench = trying({ whenFull: 'thin', lanes: [1], ringBytesMax: 450 });
    for (let i = 0; i < 4; i += 1) expect(give(bench, i)).toEqual([]);
    expect(give(bench, 4)).toEqual([
      'thinned 1:1 0',
      'thinned 1:2 whole 1',
      'thinned 1:3 0',
      'thinned 1:4 whole 1',
    ]);
    expect(bench.session.thinning).toBe(2);
    expect(give(bench, 5)).toEqual(['thinned new 1']);
    expect(give(bench, 6)).toEqual([]);
    bench.welcome({ lanes: [1] });
    expect(arrived(bench)).toEqual(['0@0x2', '2@2x2', '4@4x2', '6@6x2']);
  });

  test('the holes are declared', () => {
    const bench = trying({ whenFull: 'thin', lanes: [1], ringBytesMax: 450 });
    for (let i = 0; i < 5; i += 1) give(bench, i);
    const lines = bench.welcome({ lanes: [1] }).filter((line) => line.startsWith('data'));
    expect(lines.map((line) => line.replace(/ bl=.*/, ''))).toEqual([
      'data 1:1',
      'data 1:3 lost=1',
      'data 1:5 lost=1',
    ]);
  });

  test('what was ever sent is not touched', () => {
    const bench = trying({ whenFull: 'thin', lanes: [1], ringBytesMax: 450 });
    bench.welcome({ lanes: [1], lim: 250 });
    for (let i = 0; i < 4; i += 1) give(bench, i);
    bench.closes(1006);
    bench.wait(500);
    expect(give(bench, 4)).toEqual(['thinned 1:3 0', 'thinned 1:4 whole 1']);
    bench.welcome({ lanes: [1] });
    expect(arrived(bench).slice(2)).toEqual(['0@0x1', '1@1x1', '2@2x2', '4@4x2']);
  });

  test('alarms are not thinned; if nothing is left to thin they displace bulk', () => {
    const bench = trying({ whenFull: 'thin', ringBytesMax: 450 });
    give(bench, 0);
    for (let i = 0; i < 3; i += 1) bench.form(0);
    const lines = bench.form(0);
    expect(lines).toContain('dropped 1:1 ring full');
    expect(bench.session.ring.lane(0)?.count).toBe(4);
  });

  test('once the ring is nearly empty everything is kept again, after the group begun', () => {
    const bench = trying({ whenFull: 'thin', lanes: [1], ringBytesMax: 450 });
    for (let i = 0; i < 5; i += 1) give(bench, i);
    bench.welcome({ lanes: [1] });
    bench.flow(5, 99_999);
    for (let i = 5; i < 9; i += 1) give(bench, i);
    expect(arrived(bench).slice(3)).toEqual(['6@6x1', '7@7x1', '8@8x1']);
  });

  test('which row is kept does not depend on where frames end', () => {
    const bench = trying({ whenFull: 'thin', lanes: [1], ringBytesMax: 700 });
    for (let i = 0; i < 60; i += 3) give(bench, i, 3);
    bench.welcome({ lanes: [1], lim: 999_999 });
    const kept = arrived(bench).map((row) => row.split('@')[0]);
    const fids = arrived(bench).map((row) => Number(row.split('x')[1]));
    expect(new Set(kept).size).toBe(kept.length);
    // What a row stands for adds up to what was measured, within a row of each thinning.
    expect(Math.abs(fids.reduce((sum, fid) => sum + fid, 0) - 60)).toBeLessThan(
      bench.session.thinning,
    );
  });
});

describe('every k-th row', () => {
  const block = (more: Partial<DeviceBlock>): DeviceBlock => ({
    s: 1,
    t: 100,
    v: [[1, 'a', null, true, 5]],
    ...more,
  });

  test.each([
    { name: 'a whole step stays one', more: { dt: 7 }, expected: { t: 107, dt: 14, d: undefined } },
    {
      name: 'a fractional step becomes deltas',
      more: { dt: 1.5 },
      expected: { t: 101, dt: undefined, d: [3] },
    },
    {
      name: 'deltas are added up',
      more: { d: [1, 2, 3, 4] },
      expected: { t: 101, dt: undefined, d: [5] },
    },
  ])('$name', ({ more, expected }) => {
    const thinned = everyKth(block(more), 2, 1);
    expect(thinned).toMatchObject({ ...expected, v: [['a', true]], fid: 2 });
  });

  test('constants, absent columns and qualities keep their rows', () => {
    const full = block({ dt: 1, q: [0, 1, 2, 3, 4], v: [[1, 2, 3, 4, 5], 7, null], fid: 3 });
    expect(everyKth(full, 3, 0)).toMatchObject({ v: [[1, 4], 7, null], q: [0, 3], fid: 9 });
    expect(everyKth(block({ dt: 1, q: 4 }), 4, 4)).toMatchObject({ t: 104, q: 4, v: [[5]] });
  });

  test('nothing is left where the next row to keep is not in it', () => {
    expect(everyKth(block({ dt: 1 }), 8, 5)).toBeNull();
  });
});
