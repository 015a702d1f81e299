import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../src/model/invariant.ts';
import { encode, encodeBlocks, encodeData } from '../../../src/wire/encode.ts';
import { shortestFloat32 } from '../../../src/wire/json-text.ts';
import type { ColumnValues, Message } from '../../../src/wire/messages.ts';
import { toHex } from '../../support/bytes.ts';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const column = (values: ColumnValues): string =>
  toHex(encodeBlocks('cbor', [{ s: 0, t: 0, v: [values] }])).slice(
    '81 a3 00 00 01 00 04 81 '.length,
  );
const jsonColumn = (values: ColumnValues): string =>
  text(encodeBlocks('json', [{ s: 0, t: 0, v: [values] }])).slice('[{"s":0,"t":0,"v":['.length, -3);
const serverColumn = (values: ColumnValues): string =>
  text(encode('json', { k: 'data', c: 1, n: 1, b: [{ t: 0, i: 0, v: [values] }] }));

describe('encode, CBOR', () => {
  it.each<[string, ColumnValues, string]>([
    [
      'integers, shortest',
      [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32, -1, -25],
      '8a 00 17 18 18 18 ff 19 01 00 19 ff ff 1a 00 01 00 00 1b 00 00 00 01 00 00 00 00 20 38 18',
    ],
    [
      'numbers with a fraction are floats all',
      [1, 0.5, 0.1],
      '83 fa 3f 80 00 00 fa 3f 00 00 00 fb 3f b9 99 99 99 99 99 9a',
    ],
    [
      'NaN and infinities are short floats',
      [Number.NaN, Number.NEGATIVE_INFINITY],
      '82 fa 7f c0 00 00 fa ff 80 00 00',
    ],
    ['-0 is a float', [-0], '81 fa 80 00 00 00'],
    ['texts, booleans and null', ['é', true, false, null], '84 62 c3 a9 f5 f4 f6'],
    [
      'a typed array that lies unaligned in a larger one',
      new Int16Array(8).subarray(3, 4).fill(-2),
      'd8 4d 42 fe ff',
    ],
    ['a Buffer is uint8', Buffer.from([1, 2]), 'd8 40 42 01 02'],
    ['64 bits', BigInt64Array.of(-1n), 'd8 4f 48 ff ff ff ff ff ff ff ff'],
  ])('columns: %s', (_what, values, bytes) => {
    expect(column(values)).toBe(bytes);
  });

  it('writes the head in front of blocks encoded before, lost only if there is some', () => {
    const blocks = encodeBlocks('cbor', [{ s: 1, t: 0, v: [1] }]);
    const before = toHex(encodeData('cbor', { c: 1, n: 7, lost: 0 }, blocks));
    const after = toHex(encodeData('cbor', { c: 1, n: 7, lost: 2, bl: 0, wm: -1 }, blocks));
    expect(before).toBe('a4 00 03 01 01 02 07 03 81 a3 00 01 01 00 04 81 01');
    expect(after).toBe('a7 00 03 01 01 02 07 04 02 03 81 a3 00 01 01 00 04 81 01 06 00 07 20');
  });

  it('fills what is left out before an offset', () => {
    const def: Message = { k: 'def', c: 1, s: 1, cols: [['x', undefined, undefined, 2]] };
    expect(toHex(encode('cbor', def))).toBe('a4 00 02 01 01 10 01 11 81 84 61 78 60 01 02');
    expect(text(encode('json', def))).toBe('{"k":"def","c":1,"s":1,"cols":[["x","",1,2]]}');
    const short: Message = { k: 'def', c: 1, s: 1, cols: [['x', undefined]] };
    expect(toHex(encode('cbor', short))).toBe('a4 00 02 01 01 10 01 11 81 81 61 78');
    expect(text(encode('json', short))).toBe('{"k":"def","c":1,"s":1,"cols":[["x"]]}');
  });

  it('cuts m at 120 bytes in both codecs', () => {
    const away: Message = { k: 'away', e: 4000, m: 'ä'.repeat(61) };
    expect(encode('cbor', away).length).toBe(
      'a3 00 07 0b 19 0f a0 0c 78 78'.split(' ').length + 120,
    );
    expect(text(encode('json', away))).toBe(`{"k":"away","e":4000,"m":"${'ä'.repeat(60)}"}`);
  });

  it('long and non-ASCII texts', () => {
    const to = `wss://${'x'.repeat(300)}/é`;
    const bytes = encode('cbor', { k: 'away', e: 4200, to });
    expect(toHex(bytes.subarray(0, 11))).toBe('a3 00 07 0b 19 10 68 0d 79 01 35');
    expect(text(bytes.subarray(11))).toBe(to);
  });

  it('a message of ours that breaks App. A is our bug', () => {
    expect(() => encode('cbor', { k: 'end', c: 1.5 })).toThrow(InvariantError);
  });

  it('results are never views of what the encoder uses again', () => {
    const first = encode('cbor', { k: 'end', c: 1 });
    encode('cbor', { k: 'end', c: 2 });
    expect(toHex(first)).toBe('a2 00 0a 01 01');
    expect(first.buffer.byteLength).toBe(first.length);
  });
});

describe('encode, JSON', () => {
  it.each<[string, ColumnValues, string]>([
    ['no value is null', [Number.NaN, Number.POSITIVE_INFINITY, null, 1], '[null,null,null,1]'],
    ['in typed arrays too', Float64Array.of(Number.NaN, 0.1), '[null,0.1]'],
    ['a scalar NaN', Number.NaN, 'null'],
    [
      'a device prints float32 as short as float32 can be',
      Float32Array.of(0.1, 9.81),
      '[0.1,9.81]',
    ],
    [
      '64 bits are the nearest doubles',
      BigUint64Array.of(2n ** 64n - 1n),
      '[18446744073709552000]',
    ],
    ['texts', ['"', 'ü'], '["\\"","ü"]'],
  ])('columns: %s', (_what, values, json) => {
    expect(jsonColumn(values)).toBe(json);
  });

  it('the server prints the double that a float32 is: page, log and API agree bit for bit', () => {
    expect(serverColumn(Float32Array.of(0.1))).toContain('[[0.10000000149011612]]');
  });
});

describe('shortestFloat32', () => {
  it.each([
    0.1, 0.3, 16_777.216, 9.80665, 1e-7, 3.4028234663852886e38, 1.1754943508222875e-38, 1e-45,
    1.4e-42, 123_456.789, -0.015_625, 5.9604645e-8,
  ])('%d comes back, and no shorter decimal would', (value) => {
    const single = Math.fround(value);
    const shortest = shortestFloat32(single);
    expect(Math.fround(shortest)).toBe(single);
    const digits = shortest.toExponential().replace(/e.*|\D/g, '').length;
    for (let fewer = 1; fewer < digits; fewer += 1) {
      expect(Math.fround(Number(single.toPrecision(fewer)))).not.toBe(single);
    }
  });

  it('leaves integers alone, a counter must not change, and what is not finite', () => {
    for (const value of [
      0,
      -3,
      33_554_432,
      2 ** 52 + 2 ** 30,
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ]) {
      expect(shortestFloat32(value)).toBe(value);
    }
  });
});
