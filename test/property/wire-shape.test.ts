import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCbor } from '../../src/wire/decode.ts';
import { encodeBlocks, encodeData } from '../../src/wire/encode.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import type { ColumnValues, DeviceBlock } from '../../src/wire/messages.ts';
import { concat } from '../support/bytes.ts';
import { isText, isWellShaped, rowsOf, timesOf, valuesOf } from '../support/shape-reference.ts';

const COLUMNS = 2;
const TIME_END = 7_258_118_400_000_000;

/** Mostly `usual`, sometimes one of the others. */
const mostly = <T>(usual: fc.Arbitrary<T>, ...others: fc.Arbitrary<T>[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: usual }, ...others);

const list = <T>(element: fc.Arbitrary<T>, length: number): fc.Arbitrary<T[]> =>
  fc.array(element, { minLength: length, maxLength: length });

function columnOf(length: number): fc.Arbitrary<ColumnValues> {
  const exactly = { minLength: length, maxLength: length };
  const text = mostly(fc.string({ maxLength: 4 }), fc.constant('x'.repeat(256)));
  const nothing = fc.constantFrom(null, Number.NaN, Number.POSITIVE_INFINITY);
  return mostly<ColumnValues>(
    fc.oneof<fc.Arbitrary<ColumnValues>[]>(
      fc.uint8Array(exactly),
      fc.int8Array(exactly),
      fc.uint16Array(exactly),
      fc.int16Array(exactly),
      fc.uint32Array(exactly),
      fc.int32Array(exactly),
      fc.bigUint64Array(exactly),
      fc.bigInt64Array(exactly),
      fc.float32Array(exactly),
      fc.float64Array(exactly),
      list(fc.oneof(fc.double(), fc.maxSafeInteger(), fc.boolean(), nothing), length),
      list(fc.oneof(text, fc.constant(null)), length),
      list(fc.constant(null), length),
    ),
    fc.oneof(fc.double(), fc.maxSafeInteger(), text, fc.boolean(), fc.constant(null)),
    list(fc.oneof(fc.double(), text), length),
    fc.constant('ä'.repeat(129)),
  );
}

const wrong = fc.constantFrom(-1, 1);

function blockOf(rows: number): fc.Arbitrary<DeviceBlock> {
  const column = mostly(
    columnOf(rows),
    wrong.chain((by) => columnOf(Math.max(0, rows + by))),
  );
  const step = mostly(
    fc.oneof(fc.nat(10_000), fc.double({ min: 0, max: 1e6, noNaN: true })),
    fc.constantFrom(-1, -0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300, 7e15),
  );
  const gaps = mostly(fc.constant(rows - 1), fc.constant(rows)).chain((length) =>
    fc.oneof(
      list(mostly(fc.nat(1_000_000), fc.maxSafeNat()), length),
      fc.uint16Array({ minLength: length, maxLength: length }),
      fc.uint8Array({ minLength: length, maxLength: length }),
      fc.uint32Array({ minLength: length, maxLength: length }),
    ),
  );
  const quality = fc.oneof(
    mostly(fc.nat(255), fc.constantFrom(256, Number.MAX_SAFE_INTEGER)),
    list(mostly(fc.nat(255), fc.constant(256)), rows),
    fc.uint8Array({ minLength: rows, maxLength: rows }),
    fc.uint16Array({ min: 250, max: 260, minLength: rows, maxLength: rows }),
    fc.uint8Array({ minLength: 1, maxLength: 3 }),
  );
  const timing = fc.oneof(
    { weight: 6, arbitrary: fc.record({ dt: step }) },
    { weight: 6, arbitrary: fc.record({ d: gaps }) },
    fc.constant({}),
    fc.record({ dt: step, d: gaps }),
  );
  const block = fc.record(
    {
      s: fc.nat(9),
      t: mostly(
        fc.integer({ min: 0, max: 1.8e15 }),
        fc.constantFrom(-1, 0, TIME_END - 2, TIME_END),
      ),
      v: mostly(list(column, COLUMNS), list(column, 1), list(column, 3)),
      q: quality,
      fid: mostly(fc.integer({ min: 1, max: 9 }), fc.constant(0)),
    },
    { requiredKeys: ['s', 't', 'v'] },
  );
  return fc.tuple(block, timing).map(([rest, time]) => ({ ...rest, ...time }));
}

const blocks = fc.integer({ min: 1, max: 5 }).chain(blockOf);
const frameOf = (list: readonly DeviceBlock[]): Uint8Array =>
  encodeData('cbor', { c: 1, n: 1, lost: 0 }, encodeBlocks('cbor', list));
const finite = (value: unknown): number => {
  const number = value === null ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : Number.NaN;
};

describe('FrameReader.shape', () => {
  const reader = new FrameReader();

  it('holds exactly where §5.2 does', () => {
    const seen = { good: 0, bad: 0 };
    fc.assert(
      fc.property(fc.array(blocks, { minLength: 1, maxLength: 3 }), (list) => {
        expect(reader.read(frameOf(list))).toBeNull();
        list.forEach((block, i) => {
          const fault = reader.shape(i, COLUMNS);
          expect(fault === null).toBe(isWellShaped(block, COLUMNS));
          if (fault !== null) expect(fault.code).toBe(4021);
          seen[fault === null ? 'good' : 'bad'] += 1;
        });
      }),
      { numRuns: 4000 },
    );
    expect(Math.min(seen.good, seen.bad)).toBeGreaterThan(500);
  });

  it('and then the values are those of the decoded blocks, wherever the frame lies', () => {
    fc.assert(
      fc.property(fc.array(blocks, { minLength: 1, maxLength: 3 }), fc.nat(8), (list, shift) => {
        const frame = concat(new Uint8Array(shift), frameOf(list), new Uint8Array(3));
        const bytes = frame.subarray(shift, frame.length - 3);
        expect(reader.read(bytes)).toBeNull();
        expect(reader.blockCount).toBe(list.length);
        list.forEach((block, i) => {
          if (reader.shape(i, COLUMNS) === null) expectValues(reader, block, i);
        });
        expect('message' in decodeCbor(bytes, 'client')).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

function expectValues(reader: FrameReader, block: DeviceBlock, i: number): void {
  const rows = rowsOf(block);
  const { q = 0 } = block;
  const out = new Float64Array(rows + 1).fill(-1);
  const qualities = new Uint8Array(rows);
  expect([reader.set(i), reader.fid(i), reader.rows(i)]).toEqual([block.s, block.fid ?? 1, rows]);
  reader.times(i, out);
  expect([...out]).toEqual([...timesOf(block, rows), -1]);
  reader.qualities(i, qualities);
  expect([...qualities]).toEqual(typeof q === 'number' ? new Array(rows).fill(q) : [...q]);
  block.v.forEach((column, at) => {
    const values = valuesOf(column, rows);
    const kind = column === null ? 'absent' : isText(column) ? 'text' : 'numeric';
    expect(reader.kind(i, at)).toBe(kind);
    if (kind === 'text') {
      expect(reader.texts(i, at)).toEqual(values);
      return;
    }
    out.fill(-1);
    reader.numbers(i, at, out);
    expect([...out]).toEqual([...values.map(finite), -1]);
  });
}
