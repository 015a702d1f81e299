import { describe, expect, it } from 'vitest';
import { Draft } from '../../../src/fanout/draft.ts';
import type { Codec } from '../../../src/model/machine.ts';
import type { Aggregate } from '../../../src/model/window.ts';
import { encode } from '../../../src/wire/encode.ts';
import { type FakeFigures, FakeSeries } from '../../support/fake-series.ts';

/** A draft of the windows of some series, `rows[i]` those of series number i + 1. */
function draftOf(
  codec: Codec,
  aggregates: readonly Aggregate[],
  rows: readonly (readonly (readonly [second: number, FakeFigures])[])[],
): Draft {
  const draft = new Draft();
  draft.begin({ codec, aggregates, lengthMs: 1000 }, 32_768);
  rows.forEach((windows, i) => {
    const kept = new FakeSeries(i, 'd/x').of(0);
    for (const [second, figures] of windows) kept.put(second, figures);
    for (let w = 0; w < kept.count; w += 1) expect(draft.add(kept, w, i + 1)).toBe(true);
  });
  return draft;
}

const seconds = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => first + i);

describe('the form of the blocks', () => {
  it('is one window of many series where they share it', () => {
    const rows = seconds(0, 50).map((i) => [[7, { mean: i / 3 }]] as const);
    const blocks = draftOf('cbor', ['mean'], rows).blocks();
    expect(blocks.map(({ t, i }) => [t, i])).toEqual([[7e6, seconds(1, 50)]]);
  });

  it('is many windows of one series where there are few series', () => {
    const rows = [seconds(10, 60).map((second) => [second, { mean: second / 3 }] as const)];
    const [block, ...rest] = draftOf('cbor', ['mean'], rows).blocks();
    expect(rest).toEqual([]);
    expect(block).toMatchObject({ t: 10e6, dt: 1e6, i: 1 });
    expect(block?.d).toBeUndefined();
    expect(block?.v[0]).toHaveLength(60);
  });

  it('has d where windows are missing, and where only d tells how many there are', () => {
    const holes = [[1, 2, 5, 9].map((second) => [second, { mean: second / 3 }] as const)];
    expect(draftOf('cbor', ['mean'], holes).blocks()[0]?.d).toEqual([1e6, 3e6, 4e6]);
    const constant = [[1, 2, 3].map((second) => [second, { mean: 4 }] as const)];
    expect(draftOf('cbor', ['mean'], constant).blocks()[0]).toMatchObject({
      d: [1e6, 1e6],
      v: [4],
    });
  });

  it('is as short as the figure of the protocol: 1 000 series × 4 aggregates in one message', () => {
    const rows = seconds(0, 1000).map(
      (i) => [[7, { min: -i / 7, max: i / 3, mean: i / 11, n: 1000 }]] as const,
    );
    const blocks = draftOf('cbor', ['min', 'max', 'mean', 'n'], rows).blocks();
    const bytes = encode('cbor', { k: 'data', c: 1, n: 1, b: blocks });
    expect(bytes.length).toBeLessThan(28_056);
  });
});

describe('a column', () => {
  const columnOf = (...values: readonly (number | string | null)[]) =>
    draftOf(
      'cbor',
      ['last'],
      values.map((last) => [[1, { last }]] as const),
    )
      .blocks()
      .flatMap(({ v }) => v);

  it.each([
    ['integers in a list', [1, 2, 9_007_199_254_740_991], [[1, 2, 9_007_199_254_740_991]]],
    ['integers with holes', [1, null, 3], [[1, null, 3]]],
    ['what is exactly float32 as float32', [0.5, 1, null], [Float32Array.of(0.5, 1, Number.NaN)]],
    ['else float64', [0.1, 1], [Float64Array.of(0.1, 1)]],
    [
      'float32 and larger integers as float64',
      [0.5, 2 ** 24 + 1],
      [Float64Array.of(0.5, 2 ** 24 + 1)],
    ],
    ['−0 as a float', [-0, 1], [Float32Array.of(-0, 1)]],
    ['a lone −0 too', [-0, -0], [Float32Array.of(-0, -0)]],
    [
      'integers that JSON and CBOR cannot carry as such',
      [2 ** 60, 1],
      [Float32Array.of(2 ** 60, 1)],
    ],
    ['one scalar where all are equal', [0.1, 0.1, 0.1], [0.1]],
    ['null where none has a value', [null, null], [null]],
    ['text in a list', ['on', 'off'], [['on', 'off']]],
    [
      'text apart from numbers',
      ['on', 0.1, 'off', 0.2],
      [Float64Array.of(0.1, 0.2), ['on', 'off']],
    ],
  ])('has %s', (_, values, columns) => {
    expect(columnOf(...values)).toEqual(columns);
  });
});
