import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRows, rowsOf, timesOf } from '../../src/client/block.ts';
import { packColumn } from '../../src/client/pack-column.ts';
import { blocksOf } from '../../src/client/recode.ts';
import { RowBatch } from '../../src/client/row-batch.ts';
import { encodeBlocks } from '../../src/wire/encode.ts';
import type { ColumnValues, Scalar } from '../../src/wire/messages.ts';

const number = fc.oneof(
  fc.integer({ min: -200, max: 300 }),
  fc.integer({ min: -70_000, max: 5_000_000_000 }),
  fc.double(),
  fc.float(),
);
const column = fc.oneof(
  fc.array(number, { minLength: 1 }),
  fc.array(fc.oneof(number, fc.constant(null)), { minLength: 1 }),
  fc.array(fc.boolean(), { minLength: 1 }),
  fc.array(fc.oneof(fc.string(), fc.constant(null)), { minLength: 1 }),
  fc.tuple(number, fc.integer({ min: 1, max: 9 })).map(([one, n]) => Array<number>(n).fill(one)),
);

const valueAt = (packed: ColumnValues, row: number): unknown =>
  isRows(packed) ? packed[row] : packed;
/** "No value" is null or NaN. */
const meant = (value: unknown): unknown => (Number.isNaN(value) ? null : value);

test('a column keeps every value to the bit, over the wire too', () => {
  const property = fc.property(column, (values) => {
    const packed = packColumn(values);
    const times = values.length > 1 ? { d: values.slice(1).map(() => 1) } : {};
    const block = { s: 1, t: 5, ...times, v: [packed] };
    const [read] = blocksOf('cbor', encodeBlocks('cbor', [block])) ?? [];
    for (const [row, value] of values.entries()) {
      expect(meant(valueAt(packed, row))).toBe(meant(value));
      expect(meant(valueAt(read?.v[0] ?? null, row))).toBe(meant(value));
    }
  });
  fc.assert(property, { numRuns: 500 });
});

test('a block has the rows and times that were written', () => {
  const rows = fc.array(fc.tuple(fc.nat(3), fc.tuple(fc.nat(2), fc.nat(2))), { minLength: 1 });
  const property = fc.property(rows, (written) => {
    const batch = new RowBatch(1);
    let t = 1000;
    const times: number[] = [];
    for (const [delta, row] of written) {
      t += delta;
      times.push(t);
      batch.add(t, row as readonly Scalar[]);
    }
    const { block } = batch;
    expect(rowsOf(block)).toBe(written.length);
    expect(timesOf(block)).toEqual(times);
    expect(written.map(([, row]) => row)).toEqual(
      written.map((_, row) => block.v.map((packed) => valueAt(packed, row))),
    );
  });
  fc.assert(property, { numRuns: 500 });
});
