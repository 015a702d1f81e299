import { describe, expect, it } from 'vitest';
import { type Head, peekHead } from '../../../src/wire/cbor-head.ts';
import { hex } from '../../support/bytes.ts';

function peek(text: string): { isHead: boolean; head: Head } {
  const head = { k: 9, c: 9, n: 9, lost: 9 };
  return { isHead: peekHead(hex(text), head), head };
}

describe('peekHead', () => {
  it.each([
    ['data', 'a4 00 03 01 01 02 07 03', { k: 3, c: 1, n: 7, lost: 0 }],
    ['data with lost', 'a5 00 03 01 01 02 07 04 05', { k: 3, c: 1, n: 7, lost: 5 }],
    [
      'lost not less than n: not its business',
      'a5 00 03 01 00 02 01 04 05',
      { k: 3, c: 0, n: 1, lost: 5 },
    ],
    [
      'lost behind another key: not seen',
      'a6 00 03 01 01 02 07 06 01 04 05',
      { k: 3, c: 1, n: 7, lost: 0 },
    ],
    [
      'what stands behind the last pair: not seen',
      'a3 00 03 01 01 02 07 04 05',
      { k: 3, c: 1, n: 7, lost: 0 },
    ],
    [
      'more pairs than the profile allows',
      'b8 21 00 03 01 01 02 07',
      { k: 3, c: 1, n: 7, lost: 0 },
    ],
    [
      'every width',
      'b9 00 04 18 00 19 00 03 18 01 1a 00 00 00 01 19 00 02 1b 00 1f ff ff ff ff ff ff',
      { k: 3, c: 1, n: Number.MAX_SAFE_INTEGER, lost: 0 },
    ],
    ['hello', 'a1 00 00', { k: 0, c: 0, n: 0, lost: 0 }],
    ['hello with keys that are none of it', 'a2 00 00 01 61 78', { k: 0, c: 0, n: 0, lost: 0 }],
    ['def', 'a4 00 02 01 02 10 01 11', { k: 2, c: 2, n: 0, lost: 0 }],
    ['def with a key 2 that is none of it', 'a4 00 02 01 02 02 60', { k: 2, c: 2, n: 0, lost: 0 }],
    ['away without c', 'a2 00 07 0b 19 10 69', { k: 7, c: 0, n: 0, lost: 0 }],
    ['away with n alone', 'a3 00 07 02 05 0b 19 10 69', { k: 7, c: 0, n: 5, lost: 0 }],
    ['an unknown kind', 'a2 00 0b 01 60', { k: 11, c: 0, n: 0, lost: 0 }],
    [
      'a kind beyond 31 bits',
      'a2 00 1a ff ff ff ff 01 60',
      { k: 0xffff_ffff, c: 0, n: 0, lost: 0 },
    ],
  ])('reads %s', (_what, text, head) => {
    expect(peek(text)).toEqual({ isHead: true, head });
  });

  it.each([
    ['nothing', ''],
    ['no pairs', 'a0'],
    ['an indefinite map', 'bf 00 03 01 01 02 07'],
    ['a reserved count', 'bc 00 03 01 01 02 07'],
    ['an array', '84 00 03 01 01'],
    ['another key first', 'a4 01 01 00 03 02 07'],
    ['a text key first', 'a4 61 6b 03 01 01 02 07'],
    ['k a text', 'a4 00 61 33 01 01 02 07'],
    ['k negative', 'a4 00 20 01 01 02 07'],
    ['k cut off', 'a4 00'],
    ['k of three bytes, two there', 'a4 00 19 00'],
    ['data without c', 'a3 00 03 02 07 03'],
    ['data whose pairs end before n', 'a2 00 03 01 01 02 07'],
    ['data with c and no n', 'a3 00 03 01 01 03'],
    ['data with n 0', 'a4 00 03 01 01 02 00'],
    ['data with n 2^53', 'a4 00 03 01 01 02 1b 00 20 00 00 00 00 00 00'],
    ['data with c a float', 'a4 00 03 01 f9 3c 00 02 07'],
    ['sub with c a text', 'a4 00 08 01 61 31'],
  ])('refuses %s, and names nothing', (_what, text) => {
    const { isHead, head } = peek(text);
    expect(isHead).toBe(false);
    expect(head.k === 3 && head.n >= 1).toBe(false);
  });

  it('refuses an unreadable lost, and c and n can be named', () => {
    expect(peek('a5 00 03 01 01 02 07 04 20')).toEqual({
      isHead: false,
      head: { k: 3, c: 1, n: 7, lost: 0 },
    });
    expect(peek('a5 00 03 01 01 02 07 04').isHead).toBe(false);
  });
});
