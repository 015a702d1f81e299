import { describe, expect, it } from 'vitest';
import { decodeCbor } from '../../../src/wire/decode.ts';
import type { Sender } from '../../../src/wire/fields.ts';
import { concat, hex, utf8 } from '../../support/bytes.ts';
import { head } from '../../support/cbor-items.ts';

const codeOf = (text: string | Uint8Array, from: Sender): number | undefined => {
  const decoded = decodeCbor(typeof text === 'string' ? hex(text) : text, from);
  return 'breach' in decoded ? decoded.breach.code : undefined;
};

describe('decodeCbor', () => {
  it('decodes the least of each kind', () => {
    const least: readonly (readonly [Sender, string, object])[] = [
      ['client', 'a1 00 00', { k: 'hello' }],
      ['server', 'a3 00 01 0a 20 13 00', { k: 'welcome', now: -1, hb: 0 }],
      ['client', 'a4 00 02 01 01 10 00 11 81 81 60', { k: 'def', c: 1, s: 0, cols: [['']] }],
      ['server', 'a3 00 02 01 01 18 25 81 05', { k: 'def', c: 1, gone: [5] }],
      ['client', 'a2 00 04 05 80', { k: 'flow', f: [] }],
      ['client', 'a1 00 05', { k: 'ping' }],
      ['server', 'a4 00 06 01 01 02 01 0b 19 0f b4', { k: 'reject', c: 1, n: 1, e: 4020 }],
      ['server', 'a2 00 07 0b 00', { k: 'away', e: 0 }],
      ['client', 'a4 00 08 01 01 18 1b 81 61 23 18 1c 00', { k: 'sub', c: 1, p: ['#'], win: 0 }],
      ['server', 'a3 00 09 01 01 18 21 03', { k: 'state', c: 1, st: 3 }],
      ['client', 'a2 00 0a 01 01', { k: 'end', c: 1 }],
    ];
    for (const [from, text, message] of least) {
      expect(decodeCbor(hex(text), from)).toEqual({ message });
    }
  });

  it.each([1, 6, 7, 9])('k %i from a client is the wrong direction, whatever follows', (k) => {
    expect(codeOf(concat(hex('a2 00'), head(0, k, 0), hex('ff ff')), 'client')).toBe(4001);
  });

  it.each([0, 5, 8, 10])('k %i from the server likewise', (k) => {
    expect(codeOf(concat(hex('a1 00'), head(0, k, 0)), 'server')).toBe(4001);
  });

  it('an unknown k is 4005', () => {
    expect(codeOf('a1 00 0b', 'client')).toBe(4005);
    expect(codeOf('a2 00 1b 00 1f ff ff ff ff ff ff 01 01', 'server')).toBe(4005);
  });

  it('a negative key at the top is 4005, deeper it is a key like others', () => {
    expect(codeOf('a2 00 00 20 00', 'client')).toBe(4005);
    expect(decodeCbor(hex('a2 00 00 18 63 a1 20 00'), 'client')).toEqual({
      message: { k: 'hello' },
    });
  });

  it.each([
    ['client', 'hello with ep 0', 'a2 00 00 08 00'],
    ['client', 'hello with an empty ch', 'a2 00 00 09 80'],
    ['client', 'a lane of two elements', 'a2 00 00 09 81 82 00 01'],
    ['client', 'a lane with first 0', 'a2 00 00 09 81 83 00 01 00'],
    ['client', 'a lane that is no list', 'a2 00 00 09 81 00'],
    ['client', 'tok a number', 'a2 00 00 16 00'],
    ['client', 'now a float', 'a2 00 00 0a f9 00 00'],
    ['client', 'hb negative', 'a2 00 00 13 20'],
    ['client', 'def without cols', 'a3 00 02 01 01 10 00'],
    ['client', 'def with an empty cols', 'a4 00 02 01 01 10 00 11 80'],
    ['client', 'a column without a name', 'a4 00 02 01 01 10 00 11 81 80'],
    ['client', 'a column with a scale for a unit', 'a4 00 02 01 01 10 00 11 81 82 61 78 05'],
    ['client', 'a scale that is a text', 'a4 00 02 01 01 10 00 11 81 83 61 78 60 60'],
    ['client', 'flow without f', 'a1 00 04'],
    ['client', 'dropped negative', 'a2 00 04 05 81 84 00 00 00 20'],
    ['client', 'ping with an empty bl', 'a2 00 05 06 80'],
    ['client', 'ping with bl a number', 'a2 00 05 06 00'],
    ['client', 'sub with c 0', 'a4 00 08 01 00 18 1b 81 61 23 18 1c 00'],
    ['client', 'sub with c 65536', 'a4 00 08 01 1a 00 01 00 00 18 1b 81 61 23 18 1c 00'],
    ['client', 'sub without patterns', 'a4 00 08 01 01 18 1b 80 18 1c 00'],
    ['client', 'sub without win', 'a3 00 08 01 01 18 1b 81 61 23'],
    ['client', 'end without c', 'a1 00 0a'],
    ['client', 'a byte too many', 'a2 00 0a 01 01 00'],
    ['client', 'c behind another key', 'a3 00 0a 18 63 00 01 01'],
    ['server', 'def with neither ser nor gone', 'a2 00 02 01 01'],
    ['server', 'a series without a topic', 'a3 00 02 01 01 18 27 81 81 05'],
    ['server', 'welcome without now', 'a2 00 01 13 00'],
    ['server', 'n before c', 'a4 00 06 02 01 01 01 0b 00'],
    ['server', 'a block without i', 'a4 00 03 01 01 02 01 03 81 a2 01 00 04 81 00'],
    ['server', 'o signed', 'a4 00 03 01 01 02 01 03 81 a4 01 00 04 81 00 07 00 09 d8 48 40'],
  ] as const)('refuses from the %s: %s', (from, _what, text) => {
    expect(codeOf(text, from)).toBe(4000);
  });

  it('ignores what stands beyond a positional list, if it is of the profile', () => {
    expect(decodeCbor(hex('a2 00 04 05 81 86 00 01 02 03 a1 61 78 80 f6'), 'server')).toEqual({
      message: { k: 'flow', f: [[0, 1, 2, 3]] },
    });
    expect(codeOf('a2 00 04 05 81 85 00 01 02 03 f7', 'server')).toBe(4000);
  });

  it('ignores keys of the other direction whatever they hold', () => {
    expect(decodeCbor(hex('a5 00 02 01 01 10 60 11 f6 18 25 81 05'), 'server')).toEqual({
      message: { k: 'def', c: 1, gone: [5] },
    });
    expect(decodeCbor(hex('a6 00 02 01 01 10 00 11 81 81 60 18 25 00 18 27 60'), 'client')).toEqual(
      {
        message: { k: 'def', c: 1, s: 0, cols: [['']] },
      },
    );
  });

  it('from the server lost may be any number, from a client it is less than n', () => {
    const data = (block: string): Uint8Array => hex(`a5 00 03 01 01 02 01 04 05 03 81 ${block}`);
    expect(codeOf(data('a3 01 00 04 81 00 07 00'), 'server')).toBeUndefined();
    expect(codeOf(data('a3 00 00 01 00 04 81 00'), 'client')).toBe(4000);
  });

  it('64-bit lists of uints become the nearest doubles', () => {
    const bytes = hex(`a4 00 03 01 01 02 01 03 81 a4 00 00 01 00 04 81 00
      03 d8 47 50 ff ff ff ff ff ff ff ff 01 00 00 00 00 00 00 00`);
    const decoded = decodeCbor(bytes, 'client');
    expect(decoded).toMatchObject({ message: { b: [{ d: [2 ** 64, 1] }] } });
  });

  it('cuts ua at 64 bytes and m at 120, between characters', () => {
    const ua = utf8(`${'ä'.repeat(31)}x€tail`);
    const hello = decodeCbor(concat(hex('a2 00 00 18 1a'), head(3, ua.length, 0), ua), 'client');
    expect(hello).toEqual({ message: { k: 'hello', ua: `${'ä'.repeat(31)}x` } });
    const m = utf8('x'.repeat(130));
    const away = decodeCbor(concat(hex('a3 00 07 0b 00 0c'), head(3, m.length, 0), m), 'server');
    expect(away).toEqual({ message: { k: 'away', e: 0, m: 'x'.repeat(120) } });
  });

  it('shares nothing with the bytes', () => {
    const bytes = hex('a4 00 03 01 01 02 01 03 81 a3 00 00 01 00 04 81 d8 4d 42 01 00');
    const decoded = decodeCbor(bytes, 'client');
    bytes.fill(0xff);
    expect(decoded).toMatchObject({ message: { b: [{ v: [Int16Array.of(1)] }] } });
  });

  it('counts that promise more than there is cost nothing', () => {
    const started = performance.now();
    for (const text of [
      'a2 00 04 05 9b 00 1f ff ff ff ff ff ff',
      'bb 00 00 00 00 ff ff ff ff 00 00',
    ]) {
      expect(codeOf(text, 'client')).toBe(4000);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
