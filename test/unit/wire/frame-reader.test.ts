import { describe, expect, it } from 'vitest';
import { FrameReader } from '../../../src/wire/frame-reader.ts';
import { concat, hex } from '../../support/bytes.ts';
import { head } from '../../support/cbor-items.ts';

const reader = new FrameReader();

/** `{k: 3, c: 1, n: 7, b: [{s: 1, t: 0, v: [1]}], …}` with other parts where given. */
const BLOCK = 'a3 00 01 01 00 04 81 01';
const frame = (pairs: number, rest: string): Uint8Array =>
  hex(`a${pairs.toString(16)} 00 03 01 01 02 07 ${rest}`);
const block = (pairs: number, rest: string): Uint8Array =>
  frame(4, `03 81 a${pairs.toString(16)} 00 01 01 00 ${rest}`);

describe('FrameReader.read', () => {
  it('keeps what stands beside the blocks', () => {
    const bytes = frame(7, `04 05 06 19 01 00 07 20 03 81 ${BLOCK}`);
    expect(reader.read(bytes)).toBeNull();
    expect([reader.c, reader.n, reader.lost, reader.bl, reader.wm]).toEqual([1, 7, 5, 256, -1]);
  });

  it('forgets it with the next frame', () => {
    reader.read(frame(7, `04 05 06 19 01 00 07 20 03 81 ${BLOCK}`));
    expect(reader.read(frame(4, `03 81 ${BLOCK}`))).toBeNull();
    expect([reader.lost, reader.bl, reader.wm]).toEqual([0, -1, Number.NaN]);
  });

  it('accepts every width of every integer, keys too', () => {
    const wide = hex(`b9 00 04  18 00 1a 00 00 00 03  19 00 01 1b 00 00 00 00 00 00 00 01
      1a 00 00 00 02 18 07  1b 00 00 00 00 00 00 00 03 98 01 b8 03
      18 00 18 01 19 00 01 38 00 18 04 99 00 01 1b 00 1f ff ff ff ff ff ff`);
    expect(reader.read(wide)).toBeNull();
    expect([reader.c, reader.n, reader.set(0)]).toEqual([1, 7, 1]);
  });

  it.each([
    ['nothing', ''],
    ['no map', '84 00 03 01 01'],
    ['an empty map', 'a0'],
    ['another kind', 'a2 00 0a 01 01'],
    ['k not first', `a4 01 01 00 03 02 07 03 81 ${BLOCK}`],
    ['k as text', `a4 61 6b 03 01 01 02 07 03 81 ${BLOCK}`],
    ['k a float', `a4 00 f9 42 00 01 01 02 07 03 81 ${BLOCK}`],
    ['no c', `a3 00 03 02 07 03 81 ${BLOCK}`],
    ['no n', `a3 00 03 01 01 03 81 ${BLOCK}`],
    ['n before c', `a4 00 03 02 07 01 01 03 81 ${BLOCK}`],
    ['n 0', `a4 00 03 01 01 02 00 03 81 ${BLOCK}`],
    ['c negative', `a4 00 03 01 20 02 07 03 81 ${BLOCK}`],
    ['n beyond 2^53-1', `a4 00 03 01 01 02 1b 00 20 00 00 00 00 00 00 03 81 ${BLOCK}`],
    ['an indefinite map', `bf 00 03 01 01 02 07 03 81 ${BLOCK} ff`],
  ])('refuses %s', (_what, text) => {
    expect(reader.read(hex(text))?.code).toBe(4000);
  });

  it.each([
    ['lost behind b', 5, `03 81 ${BLOCK} 04 01`],
    ['lost behind another key', 6, `06 00 04 01 03 81 ${BLOCK}`],
    ['lost = n', 5, `04 07 03 81 ${BLOCK}`],
    ['lost negative', 5, `04 20 03 81 ${BLOCK}`],
    ['lost a float', 5, `04 f9 3c 00 03 81 ${BLOCK}`],
    ['no blocks at all', 3, ''],
    ['an empty list of blocks', 4, '03 80'],
    ['blocks in a map', 4, '03 a0'],
    ['a block that is no map', 4, '03 81 80'],
    ['b twice', 5, `03 81 ${BLOCK} 03 81 ${BLOCK}`],
    ['k twice', 5, `00 03 03 81 ${BLOCK}`],
    ['c twice, wider', 5, `18 01 01 03 81 ${BLOCK}`],
    ['bl negative', 5, `06 20 03 81 ${BLOCK}`],
    ['wm a float', 5, `07 f9 00 00 03 81 ${BLOCK}`],
    ['a byte too many', 4, `03 81 ${BLOCK} 00`],
    ['a byte too few', 4, '03 81 a3 00 01 01 00 04 81'],
    ['a count beyond the end', 4, '03 9a ff ff ff ff'],
    ['a key that is bytes', 5, `03 81 ${BLOCK} 40 00`],
    ['a key that is null', 5, `03 81 ${BLOCK} f6 00`],
    ['an unknown key twice', 6, `18 63 00 18 63 01 03 81 ${BLOCK}`],
    ['an unknown text key twice', 6, `61 61 00 78 01 61 01 03 81 ${BLOCK}`],
    ['a text key that is not UTF-8', 5, `61 ff 00 03 81 ${BLOCK}`],
  ])('refuses %s', (_what, pairs, rest) => {
    expect(reader.read(frame(pairs, rest))?.code).toBe(4000);
  });

  it.each([
    ['s missing', 'a2 01 00 04 81 01'],
    ['t missing', 'a2 00 01 04 81 01'],
    ['v missing', 'a2 00 01 01 00'],
    ['s negative', 'a3 00 20 01 00 04 81 01'],
    ['s a float', 'a3 00 f9 00 00 01 00 04 81 01'],
    ['t a float', 'a3 00 01 01 f9 00 00 04 81 01'],
    ['v empty', 'a3 00 01 01 00 04 80'],
    ['v a typed array', 'a3 00 01 01 00 04 d8 40 41 01'],
    ['s twice', 'a4 00 01 00 01 01 00 04 81 01'],
  ])('refuses a block with %s', (_what, text) => {
    expect(reader.read(frame(4, `03 81 ${text}`))?.code).toBe(4000);
  });

  it.each([
    ['a column that is a map', 3, '04 81 a0'],
    ['a column that is bytes', 3, '04 81 41 00'],
    ['a list in a column', 3, '04 81 81 80'],
    ['a typed array in a column', 3, '04 81 81 d8 40 41 00'],
    ['a typed array with half an element', 3, '04 81 d8 4d 43 00 00 00'],
    ['a typed array of text', 3, '04 81 d8 4d 62 61 61'],
    ['a typed array beyond the end', 3, '04 81 d8 4d 44 00 00'],
    ['a tag in a tag', 3, '04 81 d8 40 d8 40 41 00'],
    ['big-endian sint16', 3, '04 81 d8 49 42 00 00'],
    ['a bignum', 3, '04 81 c2 41 01'],
    ['undefined', 3, '04 81 f7'],
    ['a simple value in two bytes', 3, '04 81 f8 14'],
    ['an integer of 2^53', 3, '04 81 1b 00 20 00 00 00 00 00 00'],
    ['an integer of -2^53', 3, '04 81 3b 00 1f ff ff ff ff ff ff'],
    ['text that is not UTF-8', 3, '04 81 61 80'],
    ['a reserved length', 3, '04 81 1c'],
    ['dt a text', 4, '02 60 04 81 01'],
    ['d a uint', 4, '03 01 04 81 01'],
    ['d with a negative', 4, '03 81 20 04 81 01'],
    ['d with a float', 4, '03 81 f9 00 00 04 81 01'],
    ['d signed', 4, '03 d8 4d 42 00 00 04 81 01'],
    ['d floating', 4, '03 d8 55 44 00 00 00 00 04 81 01'],
    ['q negative', 4, '05 20 04 81 01'],
    ['q null', 4, '05 f6 04 81 01'],
    ['fid a float', 4, '08 f9 3c 00 04 81 01'],
    ['seven levels', 4, '18 63 81 81 81 80 04 81 01'],
  ])('refuses %s', (_what, pairs, rest) => {
    expect(reader.read(block(pairs, rest))?.code).toBe(4000);
  });

  it('refuses what must be understood, at the top and in blocks', () => {
    expect(reader.read(frame(5, `20 00 03 81 ${BLOCK}`))?.code).toBe(4005);
    expect(reader.read(block(4, '38 ff 00 04 81 01'))?.code).toBe(4005);
    expect(reader.read(hex(`a4 00 0b 01 01 02 07 03 81 ${BLOCK}`))?.code).toBe(4005);
  });

  it('ignores keys that are not known, reserved, or of the other direction', () => {
    expect(reader.read(frame(7, `14 60 61 78 a1 20 80 18 2e f6 03 81 ${BLOCK}`))).toBeNull();
    expect(reader.read(block(8, '06 60 07 f6 09 20 0a 80 61 71 80 04 81 01'))).toBeNull();
    expect(reader.read(block(4, '18 63 81 81 80 04 81 01'))).toBeNull();
  });

  it('takes 32 pairs and no more', () => {
    const keys = (count: number): Uint8Array =>
      concat(...Array.from({ length: count }, (_, i) => concat(head(0, 100 + i, 0), hex('00'))));
    const rest = hex(`00 03 01 01 02 07 03 81 ${BLOCK}`);
    expect(reader.read(concat(head(5, 32, 0), rest, keys(28)))).toBeNull();
    expect(reader.read(concat(head(5, 33, 0), rest, keys(29)))?.code).toBe(4000);
  });

  it('reads a Buffer and a view into the middle of one alike', () => {
    const bytes = frame(4, '03 81 a4 00 01 01 00 02 01 04 81 d8 56 48 00 00 00 00 00 00 f8 3f');
    const shifted = Buffer.concat([Buffer.from([1, 2, 3]), bytes]).subarray(3);
    const out = new Float64Array(1);
    for (const view of [bytes, Buffer.from(bytes), shifted]) {
      expect(reader.read(view)).toBeNull();
      reader.numbers(0, 0, out.fill(0));
      expect(out[0]).toBe(1.5);
    }
  });
});

const LAST_US = '1b 00 19 c9 38 60 f8 3f ff';

describe('FrameReader.shape', () => {
  const shape = (pairs: number, rest: string): number | undefined => {
    expect(reader.read(frame(4, `03 81 a${pairs.toString(16)} 00 01 ${rest}`))).toBeNull();
    return reader.shape(0, 1)?.code;
  };

  it.each([
    ['one row without dt and d', 3, '01 00 04 81 01'],
    ['one row with dt', 4, '01 00 02 05 04 81 01'],
    ['dt 0 for many rows', 4, '01 00 02 00 04 81 82 01 02'],
    ['d of no deltas', 4, '01 00 03 80 04 81 01'],
    ['the last microsecond of 2199', 3, `01 ${LAST_US} 04 81 01`],
    ['quality 255', 4, '01 00 05 18 ff 04 81 01'],
    ['quality by row', 5, '01 00 02 01 05 82 00 18 ff 04 81 82 01 02'],
    ['booleans beside numbers', 4, '01 00 02 01 04 81 82 f5 02'],
    ['fid 1', 4, '01 00 08 01 04 81 01'],
  ])('takes %s', (_what, pairs, rest) => {
    expect(shape(pairs, rest)).toBeUndefined();
  });

  it.each([
    ['two rows without dt and d', 3, '01 00 04 81 82 01 02'],
    ['dt and d', 5, '01 00 02 00 03 81 01 04 81 82 01 02'],
    ['dt and an empty d', 5, '01 00 02 00 03 80 04 81 01'],
    ['a negative dt', 4, '01 00 02 20 04 81 82 01 02'],
    ['an infinite dt', 4, '01 00 02 f9 7c 00 04 81 01'],
    ['a dt that is not a number', 4, '01 00 02 f9 7e 00 04 81 01'],
    ['a delta too few', 4, '01 00 03 80 04 81 82 01 02'],
    ['a delta too many', 4, '01 00 03 82 00 00 04 81 82 01 02'],
    ['a time before 1970', 3, '01 20 04 81 01'],
    ['the first microsecond of 2200', 3, '01 1b 00 19 c9 38 60 f8 40 00 04 81 01'],
    ['a last row in 2200 by dt', 4, `01 ${LAST_US} 02 01 04 81 82 01 02`],
    ['a last row in 2200 by d', 4, `01 ${LAST_US} 03 81 01 04 81 82 01 02`],
    ['a step beyond all times', 4, '01 00 02 fb 7f ef ff ff ff ff ff ff 04 81 82 01 02'],
    ['no rows', 4, '01 00 02 01 04 81 80'],
    ['quality 256', 4, '01 00 05 19 01 00 04 81 01'],
    ['quality 256 in a row', 4, '01 00 05 81 19 01 00 04 81 81 01'],
    ['quality 256 in a typed array', 4, '01 00 05 d8 45 42 00 01 04 81 81 01'],
    ['a quality too few', 5, '01 00 02 01 05 81 00 04 81 82 01 02'],
    ['qualities for a scalar row', 4, '01 00 05 82 00 00 04 81 01'],
    ['fid 0', 4, '01 00 08 00 04 81 01'],
    ['text and numbers', 4, '01 00 02 01 04 81 82 61 61 02'],
    ['text and booleans', 4, '01 00 02 01 04 81 82 61 61 f5'],
    ['a column too many', 3, '01 00 04 82 01 02'],
  ])('refuses %s', (_what, pairs, rest) => {
    expect(shape(pairs, rest)).toBe(4021);
  });

  it('columns of different lengths, and one that is too short for the set', () => {
    reader.read(block(4, '02 01 04 82 82 01 02 81 01'));
    expect([reader.shape(0, 2)?.code, reader.shape(0, 3)?.code]).toEqual([4021, 4021]);
  });

  it('a text of 256 bytes is good, of 257 not, also as a scalar', () => {
    for (const [length, code] of [
      [256, undefined],
      [257, 4021],
    ] as const) {
      const text = concat(head(3, length, 0), new Uint8Array(length).fill(0x61));
      reader.read(concat(block(3, '04 81').subarray(0, -1), hex('81 81'), text));
      expect(reader.shape(0, 1)?.code).toBe(code);
      reader.read(concat(block(3, '04 81').subarray(0, -1), hex('81'), text));
      expect(reader.shape(0, 1)?.code).toBe(code);
    }
  });
});

describe('FrameReader.shape at its limits', () => {
  const many = (count: number, part: Uint8Array): Uint8Array =>
    concat(head(4, count, 0), ...new Array<Uint8Array>(count).fill(part));
  const inFrame = (b: Uint8Array): Uint8Array => concat(hex('a4 00 03 01 01 02 07 03'), b);

  it('64 blocks are good, 65 are 4021 at the first', () => {
    expect(reader.read(inFrame(many(64, hex(BLOCK))))).toBeNull();
    expect([reader.blockCount, reader.shape(63, 1)]).toEqual([64, null]);
    expect(reader.read(inFrame(many(65, hex(BLOCK))))).toBeNull();
    expect([reader.blockCount, reader.shape(0, 1)?.code]).toEqual([65, 4021]);
  });

  it('1 500 blocks of 5 columns stay within the pool', () => {
    const five = hex('a3 00 01 01 00 04 85 01 02 03 04 05');
    expect(reader.read(inFrame(many(1500, five)))).toBeNull();
    expect(reader.shape(0, 5)?.code).toBe(4021);
    expect(reader.read(inFrame(many(64, five)))).toBeNull();
    const out = new Float64Array(1);
    reader.numbers(63, 4, out);
    expect([reader.shape(63, 5), out[0]]).toEqual([null, 5]);
  });

  it('64 blocks of 64 columns are good, a 65th column is none of a set', () => {
    const wide = (columns: number): Uint8Array =>
      concat(hex('a3 00 01 01 00 04'), many(columns, hex('07')));
    expect(reader.read(inFrame(many(64, wide(64))))).toBeNull();
    const out = new Float64Array(1);
    reader.numbers(63, 63, out);
    expect([reader.shape(63, 64), out[0]]).toEqual([null, 7]);
    expect(reader.read(inFrame(many(64, wide(200))))).toBeNull();
    expect([reader.columnCount(0), reader.shape(0, 64)?.code]).toEqual([200, 4021]);
  });

  it('4 096 rows are good, 4 097 and none are 4021', () => {
    const rows = (count: number): Uint8Array =>
      concat(
        hex('a4 00 03 01 01 02 07 03 81 a4 00 01 01 00 02 01 04 81 d8 40'),
        head(2, count, 0),
        new Uint8Array(count),
      );
    for (const [count, code] of [
      [1, undefined],
      [4096, undefined],
      [4097, 4021],
      [0, 4021],
    ] as const) {
      expect(reader.read(rows(count))).toBeNull();
      expect(reader.shape(0, 1)?.code).toBe(code);
    }
  });

  it('a list of nulls is numeric, null is absent, and so is nothing else', () => {
    reader.read(block(4, '02 01 04 83 82 f6 f6 f6 82 f6 61 61'));
    expect(reader.shape(0, 3)).toBeNull();
    expect([0, 1, 2].map((column) => reader.kind(0, column))).toEqual([
      'numeric',
      'absent',
      'text',
    ]);
    const out = new Float64Array(2);
    reader.numbers(0, 1, out);
    expect([...out]).toEqual([Number.NaN, Number.NaN]);
    expect(reader.texts(0, 2)).toEqual([null, 'a']);
  });

  it('without array columns d tells the rows, and scalars repeat', () => {
    reader.read(block(5, '03 82 05 06 05 18 80 04 82 f5 62 6f 6b'));
    const out = new Float64Array(3);
    const qualities = new Uint8Array(3);
    expect([reader.shape(0, 2), reader.rows(0)]).toEqual([null, 3]);
    reader.times(0, out);
    expect([...out]).toEqual([0, 5, 11]);
    reader.numbers(0, 0, out);
    expect([...out]).toEqual([1, 1, 1]);
    expect(reader.texts(0, 1)).toEqual(['ok', 'ok', 'ok']);
    reader.qualities(0, qualities);
    expect([...qualities]).toEqual([128, 128, 128]);
  });

  it('64-bit elements are the nearest doubles', () => {
    reader.read(block(4, '02 01 04 81 d8 4f 50 ff ff ff ff ff ff ff ff 01 00 00 00 00 00 20 00'));
    const out = new Float64Array(2);
    reader.numbers(0, 0, out);
    expect([...out]).toEqual([-1, 2 ** 53]);
    reader.read(block(4, '02 01 04 81 d8 47 48 ff ff ff ff ff ff ff ff'));
    reader.numbers(0, 0, out);
    expect(out[0]).toBe(2 ** 64);
  });

  it('fractional steps are floored row by row', () => {
    // dt = 333.3 as float64
    reader.read(block(4, '02 fb 40 74 d4 cc cc cc cc cd 04 81 d8 40 44 00 00 00 00'));
    const out = new Float64Array(4);
    reader.times(0, out);
    expect([...out]).toEqual([0, 333, 666, 999]);
  });
});
