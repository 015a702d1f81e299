import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMark, encodeMark } from '../../../src/wire/mark.ts';
import { hex, toHex } from '../../support/bytes.ts';

describe('marks', () => {
  it('are a list of [device path, class, watermark]', () => {
    const mark = encodeMark([{ device: 'a/b', class: 2, watermark: -1 }]);
    expect(toHex(mark)).toBe('81 83 63 61 2f 62 02 20');
  });

  it('read back what was written, from a view as well', () => {
    const entry = fc.record({
      device: fc.string({ unit: 'binary' }),
      class: fc.constantFrom(0 as const, 1 as const, 2 as const),
      watermark: fc.maxSafeInteger(),
    });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1 }), (entries) => {
        const bytes = Buffer.concat([Buffer.from([9]), encodeMark(entries)]).subarray(1);
        expect(decodeMark(bytes)).toEqual(entries);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['no entries', '80'],
    ['an entry of two', '81 82 61 61 00'],
    ['a class that is none', '81 83 61 61 03 00'],
    ['a watermark that is a float', '81 83 61 61 00 f9 00 00'],
    ['a path that is not UTF-8', '81 83 61 ff 00 00'],
    ['a count beyond the end', '9a 00 01 00 00 83 61 61 00 00'],
    ['a byte too many', '81 83 61 61 00 00 00'],
  ])('refuse %s', (_what, bytes) => {
    expect(decodeMark(hex(bytes))).toBeNull();
  });

  it('refuse every cut', () => {
    const bytes = encodeMark([
      { device: 'a', class: 0, watermark: 1_761_962_400_158_000 },
      { device: 'b', class: 1, watermark: 7 },
    ]);
    for (let end = 0; end < bytes.length; end += 1) {
      expect(decodeMark(bytes.subarray(0, end))).toBeNull();
    }
  });
});
