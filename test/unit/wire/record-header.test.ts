import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RECORD } from '../../../src/model/record.ts';
import {
  emptyHeader,
  HEADER_BYTES_MAX,
  type RecordHeader,
  readHeader,
  writeHeader,
} from '../../../src/wire/record-header.ts';
import { concat, hex, toHex } from '../../support/bytes.ts';

/** The frame of §17, received 158 ms past the second by generation 7. Source: PROTOCOL App. D. */
const EXAMPLE = hex(`01 00 00 01  e2 01 aa 55 1b 2c 3c 9f  30 11 f8 d6 7e 42 06 00
  07  c9 d5 c2 d7 ad 9e 9a 03  c3 c6 04  00  a4 e8 03
  01  d5 18 e2 f8 c1 b3 fd 16 cb 8d dc 39 52 be f5 f8`);
const HEADER: RecordHeader = {
  kind: RECORD.frame,
  uncertain: false,
  isQosZero: false,
  lane: 1,
  own: hex('e2 01 aa 55 1b 2c 3c 9f'),
  recv: 1_761_962_400_158_000,
  gen: 7,
  epoch: 1_804_242_124_843_721,
  n: 74_563,
  lost: 0,
  clockOffset: 31_250,
  hashes: hex('d5 18 e2 f8 c1 b3 fd 16 cb 8d dc 39 52 be f5 f8'),
};

function written(header: RecordHeader, at = 0): Uint8Array {
  const out = new Uint8Array(at + HEADER_BYTES_MAX);
  return out.slice(at, writeHeader(out, at, header));
}

describe('the record header', () => {
  it('is the example of App. D, byte for byte, wherever it is written', () => {
    expect(EXAMPLE.length).toBe(53);
    expect(toHex(written(HEADER))).toBe(toHex(EXAMPLE));
    expect(toHex(written(HEADER, 11))).toBe(toHex(EXAMPLE));
    const header = emptyHeader();
    expect(readHeader(EXAMPLE, header)).toBe(true);
    expect(header).toEqual(HEADER);
  });

  it('reads back what was written, with one header for all', () => {
    const into = emptyHeader();
    const uint = fc.oneof(fc.nat(300), fc.maxSafeNat());
    const header = fc.record({
      kind: fc.constantFrom(...Object.values(RECORD)),
      uncertain: fc.boolean(),
      isQosZero: fc.boolean(),
      lane: fc.nat(3),
      own: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      recv: fc.maxSafeInteger(),
      gen: uint,
      epoch: uint,
      n: uint,
      lost: uint,
      clockOffset: fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 300 })),
      hashes: fc
        .nat(64)
        .chain((count) => fc.uint8Array({ minLength: 16 * count, maxLength: 16 * count })),
    });
    fc.assert(
      fc.property(header, (record) => {
        const bytes = written(record);
        expect(bytes.length).toBeLessThanOrEqual(HEADER_BYTES_MAX);
        expect(readHeader(bytes, into)).toBe(true);
        expect(into).toEqual(record);
      }),
      { numRuns: 500 },
    );
  });

  it('never takes more than HEADER_BYTES_MAX', () => {
    const max = Number.MAX_SAFE_INTEGER;
    const largest: RecordHeader = {
      ...HEADER,
      gen: max,
      epoch: max,
      n: max,
      lost: max,
      clockOffset: -max,
      hashes: new Uint8Array(64 * 16),
    };
    expect(written(largest).length).toBe(HEADER_BYTES_MAX);
  });

  it('every cut and every byte more is refused', () => {
    const header = emptyHeader();
    for (let end = 0; end < EXAMPLE.length; end += 1) {
      expect(readHeader(EXAMPLE.subarray(0, end), header)).toBe(false);
    }
    expect(readHeader(concat(EXAMPLE, hex('00')), header)).toBe(false);
  });

  it.each([
    ['a version it does not know', 0, 2],
    ['a kind it does not know', 1, 4],
    ['a lane that is none', 3, 4],
    ['a number of hashes that does not fit', 36, 2],
  ])('refuses %s', (_what, at, byte) => {
    const bytes = EXAMPLE.slice();
    bytes[at] = byte;
    expect(readHeader(bytes, emptyHeader())).toBe(false);
  });

  it('refuses varints beyond 2^53−1 and without an end', () => {
    const fixed = EXAMPLE.subarray(0, 20);
    const rest = hex('00 00 00 00 00');
    const header = emptyHeader();
    expect(readHeader(concat(fixed, hex('ff ff ff ff ff ff ff 0f'), rest), header)).toBe(true);
    expect(header.gen).toBe(Number.MAX_SAFE_INTEGER);
    expect(readHeader(concat(fixed, hex('80 80 80 80 80 80 80 10'), rest), header)).toBe(false);
    expect(readHeader(concat(fixed, hex('80 80 80 80 80 80 80 80 00'), rest), header)).toBe(false);
  });

  it('ignores reserved flags', () => {
    const bytes = EXAMPLE.slice();
    bytes[2] = 0xfe;
    const header = emptyHeader();
    expect([readHeader(bytes, header), header.uncertain]).toEqual([true, false]);
  });

  it('any bytes are read or refused', () => {
    const header = emptyHeader();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (tail) => {
        readHeader(concat(EXAMPLE.subarray(0, 20), tail), header);
        readHeader(tail, header);
        expect(header.hashes.length % 16).toBe(0);
      }),
    );
  });
});
