import { expect } from 'vitest';
import type { Codec } from '../../src/model/machine.ts';
import { useBed } from './bed.ts';
import { type Fields, float, type Value, Verbatim } from './encoding.ts';
import { type Peer, publisher } from './peer.ts';
import { framesOf, rowsOf, timesOf, valuesOf } from './reading.ts';
import { CBOR, CODECS, rule } from './rule.ts';

/** §5.2: rows, times, values, quality. */

const bed = useBed();

const T = 1_700_000_000_000_000;

const T_MAX = 7_258_118_400_000_000;

const block = (fields: Fields): Fields => ({ s: 1, t: T, v: [1], ...fields });

/** Sends these blocks as one frame: the code it is rejected with, or 0 once it is acked. */
async function verdict(codec: Codec, blocks: Value, peer?: Peer): Promise<number> {
  const session = peer ?? (await publisher(bed(), codec));
  session.frame({ n: 1 }, blocks);
  await session.acked(1);
  const reject = session.heard.find(({ k }) => k === 'reject');
  return reject?.e ?? 0;
}

/** The event times of a block; fails if it is refused. */
async function times(codec: Codec, fields: Fields): Promise<number[]> {
  const peer = await publisher(bed(), codec);
  expect(await verdict(codec, [block(fields)], peer)).toBe(0);
  return timesOf(bed().log, peer.device);
}

async function values(codec: Codec, column: Value, more: Fields = {}): Promise<unknown[]> {
  const peer = await publisher(bed(), codec);
  expect(await verdict(codec, [block({ v: [column], ...more })], peer)).toBe(0);
  return valuesOf(bed().log, peer.device);
}

const zeros = (count: number): Value => new Uint8Array(count);

rule('R5.2-2', 'rows: the first array column, else len(d) + 1, else 1', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  peer.say('def', { c: 1, s: 5, cols: [['a'], ['b']] });
  const rows = [
    block({ s: 5, v: [7, [1, 2, 3]], dt: 1 }),
    block({ s: 5, v: [7, 8], d: [1, 2] }),
    block({ s: 5, v: [7, null] }),
    block({ s: 5, v: [zeros(4), 8], dt: 1 }),
  ];
  expect(await verdict(codec, rows, peer)).toBe(0);
  const [frame] = framesOf(bed().log, peer.device);
  expect(frame?.blocks.map(({ t }) => t.length)).toEqual([3, 3, 1, 4]);
  expect([...(frame?.blocks[0]?.cols[0]?.v ?? [])]).toEqual([7, 7, 7]);
});

rule(
  'R5.2-3 R14-7',
  'array columns and an array q have that length, 1 to 4096',
  CODECS,
  async (codec) => {
    const dt = 1;
    // In JSON 4096 digits and commas are longer than `mf`: there only d tells as many rows.
    if (codec === 'cbor') {
      expect(await verdict(codec, [block({ v: [zeros(4096)], dt })])).toBe(0);
      expect(await verdict(codec, [block({ v: [zeros(4097)], dt })])).toBe(4021);
    }
    expect(await verdict(codec, [block({ v: [[]], dt })])).toBe(4021);
    expect(await verdict(codec, [block({ v: [[1, 2]], dt, q: [0, 1] })])).toBe(0);
    expect(await verdict(codec, [block({ v: [[1, 2]], dt, q: [0, 1, 2] })])).toBe(4021);
    expect(await verdict(codec, [block({ v: [[1, 2]], dt, q: [0] })])).toBe(4021);
    const peer = await publisher(bed(), codec);
    peer.say('def', { c: 1, s: 5, cols: [['a'], ['b']] });
    expect(
      await verdict(
        codec,
        [
          block({
            s: 5,
            v: [
              [1, 2],
              [1, 2, 3],
            ],
            dt,
          }),
        ],
        peer,
      ),
    ).toBe(4021);
  },
);

rule(
  'R14-7',
  'rows without columns that grow: 4096 by d pass, 4097 are rejected 4021',
  CBOR,
  async (codec) => {
    expect(await verdict(codec, [block({ d: zeros(4095) })])).toBe(0);
    expect(await verdict(codec, [block({ d: zeros(4096) })])).toBe(4021);
  },
);

rule('R5.2-4', 'with dt: t + floor(i × dt), the product in float64', CODECS, async (codec) => {
  expect(await times(codec, { dt: 1000, v: [[1, 2, 3]] })).toEqual([T, T + 1000, T + 2000]);
  const dt = 1e6 / 3;
  const exact = Array.from({ length: 7 }, (_, i) => T + Math.floor(i * dt));
  expect(await times(codec, { dt, v: [[1, 2, 3, 4, 5, 6, 7]] })).toEqual(exact);
  expect(await times(codec, { dt: 0, v: [[1, 2]] })).toEqual([T, T]);
  expect(await verdict(codec, [block({ dt: -1, v: [[1, 2]] })])).toBe(4021);
  expect(await verdict(codec, [block({ dt: -0.5 })])).toBe(4021);
});

rule('R5.2-4', 'a dt that is not finite is rejected', CBOR, async (codec) => {
  for (const dt of [float(Number.NaN), float(Number.POSITIVE_INFINITY)]) {
    expect(await verdict(codec, [block({ dt, v: [[1, 2]] })])).toBe(4021);
  }
});

rule('R5.2-5', 'with d, of length rows − 1: t + d[0] + … + d[i−1]', CODECS, async (codec) => {
  expect(await times(codec, { d: [5, 0, 1000], v: [[1, 2, 3, 4]] })).toEqual([
    T,
    T + 5,
    T + 5,
    T + 1005,
  ]);
  expect(await times(codec, { d: Uint16Array.of(1, 65_535), v: [[1, 2, 3]] })).toEqual([
    T,
    T + 1,
    T + 65_536,
  ]);
  expect(await verdict(codec, [block({ d: [5], v: [[1, 2, 3]] })])).toBe(4021);
  expect(await verdict(codec, [block({ d: [5, 5, 5], v: [[1, 2, 3]] })])).toBe(4021);
});

rule('R5.2-6', 'not both dt and d; with neither there is one row', CODECS, async (codec) => {
  expect(await verdict(codec, [block({ dt: 1, d: [1], v: [[1, 2]] })])).toBe(4021);
  expect(await verdict(codec, [block({ v: [[1, 2]] })])).toBe(4021);
  expect(await times(codec, { v: [[1]] })).toEqual([T]);
});

rule('R5.2-7', 'times lie in 0 ≤ t < 7258118400000000, of every row', CODECS, async (codec) => {
  for (const t of [0, T_MAX - 1]) expect(await times(codec, { t })).toEqual([t]);
  for (const t of [-1, T_MAX]) expect(await verdict(codec, [block({ t })]), `${t}`).toBe(4021);
  const last = (dt: number): Fields => block({ t: T_MAX - 10, dt, v: [[1, 2]] });
  expect(await verdict(codec, [last(9)])).toBe(0);
  expect(await verdict(codec, [last(10)])).toBe(4021);
  expect(await verdict(codec, [block({ t: T_MAX - 10, d: [5, 5], v: [[1, 2, 3]] })])).toBe(4021);
});

rule(
  'R5.2-8',
  'v: one entry per column; array, constant for all rows, or null for an absent column',
  CODECS,
  async (codec) => {
    expect(await verdict(codec, [block({ v: [1, 2] })])).toBe(4021);
    expect(await values(codec, [1, 2.5, true, false, null], { dt: 1 })).toEqual([
      1,
      2.5,
      1,
      0,
      Number.NaN,
    ]);
    expect(await values(codec, 7, { d: [1, 1] })).toEqual([7, 7, 7]);
    expect(await values(codec, ['a', null, ''], { dt: 1 })).toEqual(['a', null, '']);
    expect(await values(codec, null)).toEqual([]);
    expect(await values(codec, Int16Array.of(-5, 32_767), { dt: 1 })).toEqual([-5, 32_767]);
  },
);

rule('R5.2-8', 'every kind of typed array', CBOR, async (codec) => {
  const arrays: readonly Value[] = [
    Uint8Array.of(1, 255),
    Uint16Array.of(1, 65_535),
    Uint32Array.of(1, 4_294_967_295),
    BigUint64Array.of(1n, 2n ** 53n - 1n),
    Int8Array.of(-1, 127),
    Int16Array.of(-1, 32_767),
    Int32Array.of(-1, 2_147_483_647),
    BigInt64Array.of(-1n, 2n ** 53n - 1n),
    Float32Array.of(-1.5, 0.1),
    Float64Array.of(-1.5, 0.1),
  ];
  for (const array of arrays) {
    const expected = [...(array as unknown as ArrayLike<number> & Iterable<number>)].map(Number);
    expect(await values(codec, array, { dt: 1 })).toEqual(expected);
  }
});

rule(
  'R5.2-9',
  'a column is numeric or text, not both; a text is at most 256 B',
  CODECS,
  async (codec) => {
    expect(await verdict(codec, [block({ v: [[1, 'a']], dt: 1 })])).toBe(4021);
    expect(await verdict(codec, [block({ v: [[true, 'a']], dt: 1 })])).toBe(4021);
    expect(await verdict(codec, [block({ v: ['x'.repeat(256)] })])).toBe(0);
    expect(await verdict(codec, [block({ v: ['x'.repeat(257)] })])).toBe(4021);
    expect(await verdict(codec, [block({ v: [['a', 'é'.repeat(129)]], dt: 1 })])).toBe(4021);
    expect(await verdict(codec, [block({ v: ['é'.repeat(128)] })])).toBe(0);
  },
);

rule('R5.2-10', 'NaN, ±Infinity and null mean "no value"', CODECS, async (codec) => {
  const column: Value =
    codec === 'cbor'
      ? Float64Array.of(1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
      : [1, null, new Verbatim(new Uint8Array(0), '1e999'), null];
  expect(await values(codec, column, { dt: 1 })).toEqual([1, Number.NaN, Number.NaN, Number.NaN]);
});

rule(
  'R5.2-11',
  'q: one for the block or one per row, at most 255; absent = 0',
  CODECS,
  async (codec) => {
    const quality = async (q: Value | undefined): Promise<unknown> => {
      const peer = await publisher(bed(), codec);
      expect(await verdict(codec, [block({ v: [[1, 2]], dt: 1, q })], peer)).toBe(0);
      const q0 = framesOf(bed().log, peer.device)[0]?.blocks[0]?.q;
      return typeof q0 === 'number' ? q0 : [...(q0 ?? [])];
    };
    expect(await quality(undefined)).toBe(0);
    expect(await quality(255)).toBe(255);
    expect(await quality([0, 192])).toEqual([0, 192]);
    expect(await verdict(codec, [block({ q: 256 })])).toBe(4021);
    expect(await verdict(codec, [block({ v: [[1, 2]], dt: 1, q: [0, 256] })])).toBe(4021);
  },
);

rule(
  'R5.2-12 R13-28',
  'fid 0 is rejected 4021; blocks are checked in order, each for 4020, then 4021',
  CODECS,
  async (codec) => {
    expect(await verdict(codec, [block({ fid: 1 })])).toBe(0);
    expect(await verdict(codec, [block({ fid: 0 })])).toBe(4021);
    expect(await verdict(codec, [block({ fid: 0 }), block({ s: 9 })])).toBe(4021);
    expect(await verdict(codec, [block({ s: 9 }), block({ fid: 0 })])).toBe(4020);
    expect(await verdict(codec, [block({ s: 9, fid: 0 })])).toBe(4020);
  },
);

rule(
  'R5.2-13 R9.3-2',
  'apart from the range time never rejects a reading',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    const ts = [0, 1, T, Date.now() * 1000 + 86_400_000_000, T_MAX - 1, 5];
    peer.frame(
      { n: 1 },
      ts.map((t, i) => block({ t, v: [i] })),
    );
    await peer.acked(1);
    expect(peer.heard.map(({ k }) => k)).not.toContain('reject');
    expect(rowsOf(bed().log, peer.device)).toEqual(ts.map((t, i) => `temp ${t} ${i}`));
  },
);
