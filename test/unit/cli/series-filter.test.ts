import { expect, it } from 'vitest';
import { SeriesFilter } from '../../../src/cli/series-filter.ts';
import type { DecodedBlock } from '../../../src/consumer/frame-decoder.ts';

const column = (topic: string) => ({ topic, unit: '', v: Float64Array.of(1) });
const block = (...topics: string[]): DecodedBlock => ({
  t: Float64Array.of(0),
  q: 0,
  fid: 1,
  cols: topics.map(column),
});

it('keeps matching columns, and blocks that have some', () => {
  const filter = new SeriesFilter(['a', '+']);
  const kept = filter.blocks([block('a/x', 'a/y/z'), block('b/x'), block('a/y')]);
  expect(kept.map(({ cols }) => cols.map(({ topic }) => topic))).toEqual([['a/x'], ['a/y']]);
});

it('cuts a result, and drops one without a match', () => {
  const filter = new SeriesFilter(['a', '#']);
  const result = (device: string) =>
    JSON.stringify({ device, len: 1000, series: { x: { n: 1 }, 'y/z': { n: 2 } } });
  expect(filter.result(result('a'))).toBe(result('a'));
  expect(filter.result(result('b'))).toBeNull();
  expect(new SeriesFilter(['a', 'x']).result(result('a'))).toBe(
    '{"device":"a","len":1000,"series":{"x":{"n":1}}}',
  );
});
