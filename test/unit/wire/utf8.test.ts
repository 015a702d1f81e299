import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutText, isUtf8, textOf } from '../../../src/wire/utf8.ts';
import { utf8 } from '../../support/bytes.ts';

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function strictText(bytes: Uint8Array): string | null {
  try {
    return STRICT.decode(bytes);
  } catch {
    return null;
  }
}

/** Bytes that stand at the borders of what UTF-8 allows. */
const BORDERS = [
  0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
  0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
];

describe('isUtf8', () => {
  it('agrees with the platform on every three bytes of the borders, and a fourth', () => {
    const different: number[][] = [];
    const tails = BORDERS.flatMap((c) => [0x41, 0x80, 0xbf, 0xc0].map((d) => [c, d] as const));
    for (const a of BORDERS) {
      for (const b of BORDERS) {
        for (const [c, d] of tails) {
          const bytes = Uint8Array.of(a, b, c, d);
          if (isUtf8(bytes, 0, 4) !== (strictText(bytes) !== null)) different.push([...bytes]);
        }
      }
    }
    expect(different).toEqual([]);
  });

  it('agrees on texts and on damaged texts, and looks at nothing else', () => {
    const text = fc.string({ unit: 'binary' }).map(utf8);
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array()), fc.nat(), fc.nat(255), (bytes, at, byte) => {
        const damaged = bytes.slice();
        if (damaged.length > 0) damaged[at % damaged.length] = byte;
        for (const candidate of [bytes, damaged]) {
          const framed = Uint8Array.of(0xff, ...candidate, 0xff);
          const expected = strictText(candidate);
          expect(isUtf8(framed, 1, framed.length - 1)).toBe(expected !== null);
          if (expected !== null) expect(textOf(framed, 1, framed.length - 1)).toBe(expected);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('cutText', () => {
  it('keeps as much as fits and no half character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, bytesMax) => {
        const cut = cutText(text, bytesMax);
        const next = [...text.slice(cut.length)][0] ?? '';
        expect(text.startsWith(cut)).toBe(true);
        expect(utf8(cut).length).toBeLessThanOrEqual(bytesMax);
        if (cut !== text) expect(utf8(cut + next).length).toBeGreaterThan(bytesMax);
      }),
    );
  });
});
