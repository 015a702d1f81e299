import { describe, expect, it } from 'vitest';
import { decodeCbor } from '../../../src/wire/decode.ts';
import { FrameReader } from '../../../src/wire/frame-reader.ts';
import { jsonToCbor } from '../../../src/wire/json.ts';
import { concat, hex, toHex, utf8 } from '../../support/bytes.ts';

const HEAD = '"k":"data","c":1,"n":7';
const block = (rest: string): Uint8Array => utf8(`{${HEAD},"b":[{"s":1,"t":0,${rest}}]}`);

function cborOf(text: string | Uint8Array): Uint8Array {
  const transcoded = jsonToCbor(typeof text === 'string' ? utf8(text) : text, 'client');
  if ('breach' in transcoded) throw new Error(transcoded.breach.message);
  return transcoded.bytes;
}

function refused(text: string | Uint8Array): unknown {
  const transcoded = jsonToCbor(typeof text === 'string' ? utf8(text) : text, 'client');
  return 'breach' in transcoded ? { ...transcoded, breach: transcoded.breach.code } : 'accepted';
}

/** The column as it stands in the transcoded frame, behind its `04 81`. */
const columnOf = (column: string): string =>
  toHex(cborOf(block(`"v":[${column}]`))).split('00 01 01 01 00 04 81 ')[1] ??
  toHex(cborOf(block(`"v":[${column}]`))).split('01 01 00 04 81 ')[1] ??
  '';

describe('jsonToCbor', () => {
  it('writes canonical CBOR, whatever the order of the names', () => {
    const text = `{"b":[{"v":[1],"fid":2,"t":5,"q":3,"s":1,"d":[]}],"wm":-1,"bl":0,"lost":2,"n":7,
      "c":1,"k":"data"}`;
    expect(toHex(cborOf(text))).toBe(
      'a7 00 03 01 01 02 07 04 02 03 81 a6 00 01 01 05 03 80 04 81 01 05 03 08 02 06 00 07 20',
    );
  });

  it('takes an integer by value, and of equal names the last', () => {
    expect(toHex(cborOf('{"k":"end","c":2,"c":1.0}'))).toBe('a2 00 0a 01 01');
    expect(toHex(cborOf('{"k":"end","c":1e3}'))).toBe('a2 00 0a 01 19 03 e8');
    expect(toHex(cborOf('{"k":"end","c":-0}'))).toBe('a2 00 0a 01 00');
    expect(toHex(cborOf('{"k":"flow","k":"end","c":1}'))).toBe('a2 00 0a 01 01');
  });

  it('leaves out names that nobody knows, and any number of them', () => {
    const more = Array.from({ length: 200 }, (_, i) => `"x${i}":[{"!y":null}]`).join(',');
    expect(toHex(cborOf(`{"k":"end",${more},"c":1,"n":"?","__proto__":1}`))).toBe('a2 00 0a 01 01');
    expect(toHex(cborOf('{"k":"flow","f":[[0,1,2,3,{"x":1}]]}'))).toBe(
      'a2 00 04 05 81 84 00 01 02 03',
    );
  });

  it.each([
    ['integers and nulls stay a list', '[1,null,-2.0,1e3]', '84 01 f6 21 19 03 e8'],
    ['no values stay a list', '[null]', '81 f6'],
    ['an empty list', '[]', '80'],
    [
      'a fraction makes float64',
      '[1,0.5]',
      `d8 56 50 ${'00 00 00 00 00 00 f0 3f'} 00 00 00 00 00 00 e0 3f`,
    ],
    ['with NaN for null', '[0.5,null]', 'd8 56 50 00 00 00 00 00 00 e0 3f 00 00 00 00 00 00 f8 7f'],
    [
      'booleans beside numbers are 0 and 1',
      '[true,2]',
      'd8 56 50 00 00 00 00 00 00 f0 3f 00 00 00 00 00 00 00 40',
    ],
    ['booleans alone stay', '[true,false,null]', '83 f5 f4 f6'],
    ['a number beyond 2^53 is a float', '[1e16]', 'd8 56 48 00 80 e0 37 79 c3 41 43'],
    ['a number beyond float64 is null', '[1,1e400]', '82 01 f6'],
    ['text stays', '["a",null]', '82 61 61 f6'],
    ['text and numbers stay, to be refused by the shape', '["1",1.5]', '82 61 31 fa 3f c0 00 00'],
    ['a scalar integer', '7.0', '07'],
    ['a scalar fraction, exact in float32', '0.5', 'fa 3f 00 00 00'],
    ['a scalar fraction', '0.1', 'fb 3f b9 99 99 99 99 99 9a'],
    ['a scalar text', '"ok"', '62 6f 6b'],
    ['a scalar boolean', 'true', 'f5'],
    ['null', 'null', 'f6'],
    ['a scalar beyond float64', '-1e400', 'f6'],
  ])('columns: %s', (_what, column, bytes) => {
    expect(columnOf(column)).toBe(bytes);
  });

  it('a column of text and numbers is 4021, not 4000', () => {
    const reader = new FrameReader();
    for (const column of ['["1",1.5]', '["a",2]', '[true,"a"]']) {
      expect(reader.read(cborOf(block(`"dt":1,"v":[${column}]`)))).toBeNull();
      expect(reader.shape(0, 1)?.code).toBe(4021);
    }
  });

  it('a column of more rows than a block may have is transcoded whole', () => {
    const long = new Array(5000).fill(0.5);
    const decoded = decodeCbor(cborOf(block(`"dt":1,"v":[[${long.join(',')}],[0.25]]`)), 'client');
    expect(decoded).toMatchObject({
      message: { b: [{ v: [Float64Array.from(long), Float64Array.of(0.25)] }] },
    });
  });

  it('a lone surrogate becomes U+FFFD', () => {
    expect(columnOf('"\\ud800"')).toBe('63 ef bf bd');
  });

  it.each([
    ['no JSON', '{"k":"end","c":1'],
    ['nothing', ''],
    ['NaN', '{"k":"end","c":NaN}'],
    ['a byte order mark', '\ufeff{"k":"end","c":1}'],
    ['an array', '[{"k":"end","c":1}]'],
    ['null', 'null'],
    ['no k', '{"c":1}'],
    ['k a number', '{"k":10,"c":1}'],
    ['c a text', '{"k":"end","c":"1"}'],
    ['c a fraction', '{"k":"end","c":1.5}'],
    ['c null', '{"k":"end","c":null}'],
    ['c beyond 2^53-1', '{"k":"end","c":9007199254740992}'],
    ['f an object', '{"k":"flow","f":{}}'],
    ['f of numbers', '{"k":"flow","f":[1]}'],
    ['tok a number', '{"k":"hello","tok":1}'],
    ['a null unit', '{"k":"def","c":1,"s":1,"cols":[["x",null]]}'],
    ['an infinite scale', '{"k":"def","c":1,"s":1,"cols":[["x","",1e400]]}'],
  ])('refuses %s', (_what, text) => {
    expect(refused(text)).toEqual({ breach: 4000 });
  });

  it.each([
    ['b a number', `{${HEAD},"b":1}`],
    ['a block that is a list', `{${HEAD},"b":[[]]}`],
    ['a block that is null', `{${HEAD},"b":[null]}`],
    ['v no list', `{${HEAD},"b":[{"s":1,"t":0,"v":1}]}`],
    ['a list in a column', `{${HEAD},"b":[{"s":1,"t":0,"v":[[[]]]}]}`],
    ['an object in a column', `{${HEAD},"b":[{"s":1,"t":0,"v":[[{}]]}]}`],
    ['an object for a column', `{${HEAD},"b":[{"s":1,"t":0,"v":[{}]}]}`],
    ['d of fractions', `{${HEAD},"b":[{"s":1,"t":0,"d":[0.5],"v":[1]}]}`],
    ['an infinite dt', `{${HEAD},"b":[{"s":1,"t":0,"dt":1e400,"v":[1]}]}`],
    ['lost a text', `{${HEAD},"lost":"1","b":[{"s":1,"t":0,"v":[1]}]}`],
    ['seven levels', `{${HEAD},"b":[{"s":1,"t":0,"v":[1]}],"x":[[[[[[1]]]]]]}`],
    ['seven levels in a name that is overwritten', `{${HEAD},"x":[[[[[[1]]]]]],"x":1,"b":[]}`],
  ])('refuses %s, and names the frame', (_what, text) => {
    expect(refused(text)).toEqual({ breach: 4000, c: 1, n: 7 });
  });

  it('six levels are good, and brackets in strings are none', () => {
    expect(toHex(cborOf('{"k":"end","c":1,"x":[[[[[1]]]]]}'))).toBe('a2 00 0a 01 01');
    expect(toHex(cborOf('{"k":"end","c":1,"x":"[[[[[[[\\"[[[[[[[","y":"\\\\"}'))).toBe(
      'a2 00 0a 01 01',
    );
  });

  it('a head is named only if c and n are integers, n at least 1', () => {
    for (const head of ['"c":1,"n":0', '"c":1.5,"n":7', '"c":-1,"n":7', '"n":7', '"c":1']) {
      expect(refused(`{"k":"data",${head},"b":1}`)).toEqual({ breach: 4000 });
    }
    expect(refused('{"k":"data","c":1.0,"n":1e2,"b":1}')).toEqual({ breach: 4000, c: 1, n: 100 });
  });

  it('what must be understood is 4005, at the top and in blocks only', () => {
    expect(refused('{"k":"hello","!x":1}')).toEqual({ breach: 4005 });
    expect(refused(block('"v":[1],"!":null'))).toEqual({ breach: 4005, c: 1, n: 7 });
    expect(refused('{"k":"hello","x":{"!x":1}}')).toBe('accepted');
    expect(refused('{"k":"hello","b":[{"!x":1}]}')).toBe('accepted');
  });

  it('an unknown k is 4005, one of the other direction 4001', () => {
    expect(refused('{"k":"trace","c":1.5}')).toEqual({ breach: 4005 });
    expect(refused('{"k":"constructor"}')).toEqual({ breach: 4005 });
    expect(refused('{"k":"welcome"}')).toEqual({ breach: 4001 });
  });

  it('invalid UTF-8 is 4000', () => {
    expect(refused(concat(utf8('{"k":"hello","tok":"'), hex('c3 28'), utf8('"}')))).toEqual({
      breach: 4000,
    });
  });

  it('leaves ranges and missing names to the CBOR path', () => {
    for (const text of ['{"k":"end"}', '{"k":"end","c":-1}', '{"k":"hello","ch":[]}']) {
      const decoded = decodeCbor(cborOf(text), 'client');
      expect(decoded).toMatchObject({ breach: { code: 4000 } });
    }
  });

  it('nesting as deep as a message may be long is refused, not a crash', () => {
    expect(refused('['.repeat(16_000) + ']'.repeat(16_000))).toEqual({ breach: 4000 });
    const deep = `{"k":"hello","x":${'['.repeat(8000)}${']'.repeat(8000)}}`;
    expect(refused(deep)).toEqual({ breach: 4000 });
  });
});
