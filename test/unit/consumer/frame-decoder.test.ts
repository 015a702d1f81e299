import { describe, expect, it } from 'vitest';
import { FrameDecoder, readingsOf } from '../../../src/consumer/frame-decoder.ts';
import { SchemaCache } from '../../../src/consumer/schema-cache.ts';
import type { Schema } from '../../../src/model/reading.ts';
import type { ColumnEntry, DeviceBlock } from '../../../src/wire/messages.ts';
import { headerOf, recordOf } from '../../support/log-records.ts';
import { frameValue, schemaFor } from '../../support/tail-log.ts';

const T = 1_761_962_400_123_000;

const schema = (cols: readonly ColumnEntry[], of?: string): Schema =>
  schemaFor('plant/pump', cols, of);

function decode(sets: readonly Schema[], blocks: readonly DeviceBlock[], wm?: number) {
  const schemas = new SchemaCache();
  for (const set of sets) expect(schemas.add(set)).toBe(true);
  const hashes = Uint8Array.from(sets.flatMap(({ hash }) => [...hash]));
  const text = { device: 'plant/pump', n: 7, hashes, value: frameValue(7, blocks, wm) };
  return new FrameDecoder(schemas).decode(recordOf(text), headerOf(text));
}

/** Typed arrays as lists, NaN as 'NaN', so that a test reads well. */
function plain(decoded: ReturnType<typeof decode>): unknown {
  if ('fault' in decoded) return decoded;
  return decoded.blocks.map(({ t, q, fid, cols }) => ({
    t: [...t],
    q: typeof q === 'number' ? q : [...q],
    fid,
    cols: cols.map(({ topic, unit, v }) => [topic, unit, ...v]),
  }));
}

const ACC = schema(
  [
    ['x', 'm/s2', 9.80665 / 16384],
    ['y', 'm/s2', 2, 0.5],
  ],
  'acc',
);
const TEXT = schema([['state'], ['on'], ['count']]);

describe('a frame record becomes physical values', () => {
  it('raw × scale + offset in float64, topics from device, of and name', () => {
    const v = [Int16Array.of(12, -7), Int16Array.of(3, 4)];
    expect(plain(decode([ACC], [{ s: 3, t: T, dt: 1000, v }]))).toEqual([
      {
        t: [T, T + 1000],
        q: 0,
        fid: 1,
        cols: [
          ['plant/pump/acc/x', 'm/s2', 12 * (9.80665 / 16384), -7 * (9.80665 / 16384)],
          ['plant/pump/acc/y', 'm/s2', 6.5, 8.5],
        ],
      },
    ]);
  });

  it('finds the definition of each set by the order in which sets appear', () => {
    const acc = (s: number): DeviceBlock => ({ s, t: T, v: [1, 2] });
    const text = (s: number): DeviceBlock => ({ s, t: T, v: ['a', true, 1] });
    const decoded = decode([TEXT, ACC], [text(9), acc(1), text(9), acc(1)]);
    const topics = 'blocks' in decoded ? decoded.blocks.map(({ cols }) => cols[0]?.topic) : [];
    expect(topics).toEqual([
      'plant/pump/state',
      'plant/pump/acc/x',
      'plant/pump/state',
      'plant/pump/acc/x',
    ]);
  });

  it('times by d, one constant for all rows, quality per row, fid', () => {
    const block = { s: 1, t: T, d: [5, 0], v: [[1, 2, 3], 4], q: [0, 128, 0], fid: 10 };
    expect(plain(decode([ACC], [block]))).toMatchObject([
      {
        t: [T, T + 5, T + 5],
        q: [0, 128, 0],
        fid: 10,
        cols: [{}, ['plant/pump/acc/y', 'm/s2', 8.5, 8.5, 8.5]],
      },
    ]);
  });

  it('quality that is the same in all rows is one number', () => {
    expect(
      plain(decode([ACC], [{ s: 1, t: T, v: [[1, 2], 4], d: [1], q: [65, 65] }])),
    ).toMatchObject([{ q: 65 }]);
  });

  it('text, booleans as 0 and 1, no value as NaN or null, absent columns left out', () => {
    const v = [['up', null], [true, false], null];
    expect(plain(decode([TEXT], [{ s: 1, t: T, d: [1], v }]))).toMatchObject([
      {
        cols: [
          ['plant/pump/state', '', 'up', null],
          ['plant/pump/on', '', 1, 0],
        ],
      },
    ]);
    expect(
      plain(decode([TEXT], [{ s: 1, t: T, d: [1], v: [null, [null, 5], null] }])),
    ).toMatchObject([{ cols: [['plant/pump/on', '', Number.NaN, 5]] }]);
  });

  it('integers beyond 2⁵³ stay exact where nothing is scaled', () => {
    const wide = BigInt64Array.of(1n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 60n) - 1n);
    const v = [wide, wide, wide];
    const decoded = decode(
      [schema([['a'], ['b', '', 2], ['c', '', 1, 8]])],
      [{ s: 1, t: T, dt: 1, v }],
    );
    const [a, b, c] = 'blocks' in decoded ? (decoded.blocks[0]?.cols ?? []) : [];
    expect(a?.v).toEqual([1, 2 ** 53 - 1, 2n ** 53n, -(2n ** 60n) - 1n]);
    expect(b?.v).toEqual(Float64Array.of(2, 2 ** 54 - 2, 2 ** 54, -(2 ** 61)));
    expect(c?.v).toEqual(Float64Array.of(9, 2 ** 53 + 7, 2 ** 53 + 8, -(2 ** 60)));
  });

  it('a float beyond 2⁵³ is a number', () => {
    const decoded = decode(
      [schema([['a']])],
      [{ s: 1, t: T, dt: 1, v: [Float64Array.of(1e300, 1)] }],
    );
    expect('blocks' in decoded && decoded.blocks[0]?.cols[0]?.v).toEqual(Float64Array.of(1e300, 1));
  });

  it('tells wm if the frame does', () => {
    expect(decode([ACC], [{ s: 1, t: T, v: [1, 2] }], T + 1)).toMatchObject({ wm: T + 1 });
    expect(decode([ACC], [{ s: 1, t: T, v: [1, 2] }])).toMatchObject({ wm: undefined });
  });
});

describe('row by row', () => {
  it('one reading per row and column', () => {
    const v = [[1, null], 4];
    const decoded = decode([ACC], [{ s: 1, t: T, d: [7], v, q: [0, 64], fid: 2 }]);
    const rows = 'blocks' in decoded ? [...readingsOf(decoded.blocks)] : [];
    const x = { topic: 'plant/pump/acc/x', unit: 'm/s2', fid: 2 };
    const y = { topic: 'plant/pump/acc/y', unit: 'm/s2', fid: 2 };
    expect(rows).toEqual([
      { ...x, t: T, v: 9.80665 / 16384, q: 0 },
      { ...y, t: T, v: 8.5, q: 0 },
      { ...x, t: T + 7, v: null, q: 64 },
      { ...y, t: T + 7, v: 8.5, q: 64 },
    ]);
  });
});

describe('what cannot be decoded says why', () => {
  it.each<[string, readonly Schema[], DeviceBlock, string]>([
    ['no definition', [], { s: 4, t: T, v: [1, 2] }, 'the definition of set 4 is not in the log'],
    ['another number of columns', [ACC], { s: 1, t: T, v: [1] }, 'the frame is damaged: '],
  ])('%s', (_, sets, block, fault) => {
    expect(decode(sets, [block])).toMatchObject({
      fault: expect.stringContaining(fault) as string,
    });
  });

  it('bytes that are no frame', () => {
    const record = recordOf({ value: Uint8Array.of(0xa1, 0, 3) });
    const decoded = new FrameDecoder(new SchemaCache()).decode(record, headerOf({}));
    expect(decoded).toMatchObject({
      fault: expect.stringContaining('the frame is damaged: ') as string,
      isSetUnknown: false,
    });
  });
});

describe('the schema cache', () => {
  it('refuses bytes that are no definition', () => {
    expect(new SchemaCache().add({ hash: ACC.hash, bytes: Uint8Array.of(1, 2) })).toBe(false);
  });

  it('finds a definition by its hash, wherever that stands', () => {
    const cache = new SchemaCache();
    cache.add(ACC);
    expect(cache.find(ACC.hash)?.columns).toEqual(ACC.columns);
    expect(cache.find(Uint8Array.from([...TEXT.hash, ...ACC.hash]), 16)?.of).toBe('acc');
    expect(cache.find(TEXT.hash)).toBeUndefined();
  });
});
