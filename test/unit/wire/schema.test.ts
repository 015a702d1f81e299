import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Schema } from '../../../src/model/reading.ts';
import { decodeCbor } from '../../../src/wire/decode.ts';
import { encode } from '../../../src/wire/encode.ts';
import { jsonToCbor } from '../../../src/wire/json.ts';
import type { ColumnEntry, Def } from '../../../src/wire/messages.ts';
import { decodeSchema, schemaOf } from '../../../src/wire/schema.ts';
import { hex, toHex } from '../../support/bytes.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const DEVICE = 'plant1/hall2/pump-17';
const def = (cols: readonly ColumnEntry[], of?: string): Def => ({
  k: 'def',
  c: 1,
  s: 1,
  cols,
  of,
});

function schema(of: Def): Schema {
  const result = schemaOf(of, DEVICE, sha256);
  if ('breach' in result) throw new Error(result.breach.message);
  return result.schema;
}

const codeOf = (of: Def, device = DEVICE): number | undefined => {
  const result = schemaOf(of, device, sha256);
  return 'breach' in result ? result.breach.code : undefined;
};

const SCALE = Math.fround(9.80665 / 16_384);
const EXAMPLE = def(['acc/x', 'acc/y', 'acc/z'].map((name) => [name, 'm/s2', SCALE]));

/** 20 + 1 + 128 + 1 + 65 + so many bytes. */
const longTopic = (last: number): Def =>
  def([[`${'x'.repeat(64)}/${'y'.repeat(last)}`]], `${'z'.repeat(64)}/${'w'.repeat(63)}`);

describe('schemaOf', () => {
  it('is the example of App. D: 93 bytes and their hash', () => {
    const { bytes, hash } = schema(EXAMPLE);
    expect(bytes.length).toBe(93);
    expect(toHex(bytes)).toContain(
      toHex(
        hex(`82 60 83 84 65 61 63 63 2f 78 64 6d 2f 73 32
          fb 3f 43 9d 01 40 00 00 00 fb 00 00 00 00 00 00 00 00`),
      ),
    );
    expect(toHex(hash)).toBe('d5 18 e2 f8 c1 b3 fd 16 cb 8d dc 39 52 be f5 f8');
  });

  it('a JSON def with the same numbers gives the same bytes', () => {
    const transcoded = jsonToCbor(encode('json', EXAMPLE), 'client');
    if ('breach' in transcoded) throw new Error(transcoded.breach.message);
    const decoded = decodeCbor(transcoded.bytes, 'client');
    if ('breach' in decoded) throw new Error(decoded.breach.message);
    expect(schema(decoded.message as Def)).toEqual(schema(EXAMPLE));
  });

  it('fills in defaults, and −0 is 0', () => {
    const short = schema(def([['x']]));
    expect(short.columns).toEqual([{ name: 'x', unit: '', scale: 1, offset: 0 }]);
    expect(schema(def([['x', '', 1, -0]]))).toEqual(short);
    expect(schema(def([['x', '', -0]])).bytes).toEqual(schema(def([['x', '', 0]])).bytes);
    expect(schema(def([['x']], 'a')).hash).not.toEqual(short.hash);
  });

  it.each<[string, Def]>([
    ['no cols', { k: 'def', c: 1, s: 1 }],
    ['an empty name', def([['']])],
    ['a space in a name', def([['a b']])],
    ['a level ..', def([['a/../b']])],
    ['a name of 129 bytes', def([[`${'x'.repeat(64)}/${'y'.repeat(64)}`]])],
    ['a level of 65', def([['x'.repeat(65)]])],
    ['a name twice', def([['x'], ['y'], ['x']])],
    ['an empty of', def([['x']], '')],
    ['an of that is no path', def([['x']], '/a')],
    ['a topic of 17 levels', def([['a/b/c/d/e/f/g']], 'h/i/j/k/l/m/n')],
    ['a topic of 257 bytes', longTopic(42)],
    ['a unit with a space', def([['x', 'm s']])],
    ['a unit of 33 characters', def([['x', 'u'.repeat(33)]])],
    ['a unit that is not ASCII', def([['x', '°C']])],
    ['a scale that is not a number', def([['x', '', Number.NaN]])],
    ['an infinite offset', def([['x', '', 1, Number.NEGATIVE_INFINITY]])],
  ])('refuses %s', (_what, of) => {
    expect(codeOf(of)).toBe(4000);
  });

  it('takes 64 columns, 65 are 4009', () => {
    const columns = (count: number): ColumnEntry[] =>
      Array.from({ length: count }, (_, i) => [`x${i}`]);
    expect(codeOf(def(columns(64)))).toBeUndefined();
    expect(codeOf(def(columns(65)))).toBe(4009);
  });

  it('takes the longest names, topics and units', () => {
    expect(codeOf(longTopic(41))).toBeUndefined();
    const name = `${'x'.repeat(64)}/${'y'.repeat(63)}`;
    expect(codeOf(def([[name, `!${'~'.repeat(31)}`]], 'a/b/c'), 'd/e')).toBeUndefined();
    expect(codeOf(def([['k/l/m/n/o']], 'f/g/h/i/j'), 'a/b/c/d/e/f')).toBeUndefined();
  });
});

describe('decodeSchema', () => {
  it('gives back what the log keeps, in copies', () => {
    const original = schema(def([['x', 'm', 2, 3], ['y']], 'a/b'));
    const { bytes, hash } = { bytes: original.bytes.slice(), hash: original.hash.slice() };
    const decoded = decodeSchema(bytes, hash);
    bytes.fill(0);
    hash.fill(0);
    expect(decoded).toEqual(original);
  });

  it.each([
    ['nothing', ''],
    ['a map', 'a1 60 80'],
    ['no columns', '82 60 80'],
    ['a column of three', '82 60 81 83 61 78 60 fb 3f f0 00 00 00 00 00 00'],
    ['an integer scale', '82 60 81 84 61 78 60 01 fb 00 00 00 00 00 00 00 00'],
    [
      'a byte too many',
      '82 60 81 84 61 78 60 fb 3f f0 00 00 00 00 00 00 fb 00 00 00 00 00 00 00 00 00',
    ],
  ])('refuses %s', (_what, bytes) => {
    expect(decodeSchema(hex(bytes), new Uint8Array(16))).toBeNull();
  });
});
