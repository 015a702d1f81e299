import { describe, expect, it } from 'vitest';
import { readDeadLetter, writeDeadLetter } from '../../../../src/adapters/log/dead-letter-codec.ts';
import {
  ENTRY_BYTES_MAX,
  entryBytes,
  getU64,
  isSealed,
  putU64,
  sealEntry,
  viewOf,
} from '../../../../src/adapters/log/entry.ts';
import { readRecord, recordBytes, writeRecord } from '../../../../src/adapters/log/record-codec.ts';
import { readSchema, writeSchema } from '../../../../src/adapters/log/schema-codec.ts';
import { batchOf, letterOf, rowOf, schemaOf } from '../../../support/batches.ts';

/** What a codec reads of a scan: the bytes of an entry. */
const scanOver = (bytes: Uint8Array, at = 0, end = bytes.length) => ({
  bytes,
  view: viewOf(bytes),
  at,
  end,
});

/** An entry with this body, as a scan stands at it. */
function entryOf(body: Uint8Array) {
  const bytes = new Uint8Array(16 + body.length);
  bytes.set(body, 16);
  sealEntry(viewOf(bytes), 0, bytes.length, 0);
  return scanOver(bytes);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('a record in a segment', () => {
  const batch = batchOf({
    log: 1,
    shard: 0x0203,
    key: 'a/b',
    tg: Uint8Array.of(0xaa, 0xbb),
    value: Uint8Array.of(0xcc),
  });
  const bytes = new Uint8Array(64);
  const into = { bytes, view: viewOf(bytes), at: 8 };
  const end = writeRecord(into, batch, 0, { sequence: 2 ** 32 + 5, offset: 7 });

  it('has the bytes that docs/INTERFACE.md says', () => {
    expect(hex(bytes.subarray(8, end))).toBe(
      '1c000000' + // length: what follows the first 8 bytes
        '7ab88987' + // crc32 of it (computed by Python's zlib)
        '0500000001000000' + // sequence
        '01' + // log: alarms
        '0302' + // shard
        '0700000000000000' + // offset
        '03612f62' + // key
        '0200aabb' + // tg
        'cc', // value
    );
    expect(end - 8).toBe(recordBytes(batch, 0));
  });

  it('reads back as it was', () => {
    const record = readRecord(scanOver(bytes, 8, end));
    expect(record === null ? null : rowOf(record)).toEqual({
      log: 1,
      shard: 0x0203,
      offset: 7,
      key: 'a/b',
      tg: Uint8Array.of(0xaa, 0xbb),
      value: Uint8Array.of(0xcc),
    });
  });

  it.each([
    ['an unknown log', 24, 3],
    ['a key beyond the end', 35, 200],
    ['a tg beyond the end', 39, 9],
  ])('is malformed with %s', (_, at, value) => {
    const wrong = bytes.slice();
    wrong[at] = value;
    expect(readRecord(scanOver(wrong, 8, end))).toBeNull();
  });

  it('is malformed without room for its lengths', () => {
    expect(readRecord(scanOver(bytes, 8, 8 + 29))).toBeNull();
  });
});

describe('an entry', () => {
  it.each([0, 7, ENTRY_BYTES_MAX - 7, 0xffffffff])('cannot have the length %d', (length) => {
    const bytes = new Uint8Array(16);
    viewOf(bytes).setUint32(0, length, true);
    expect(entryBytes(viewOf(bytes), 0)).toBe(0);
  });

  it.each([8, ENTRY_BYTES_MAX - 8])('can have the length %d', (length) => {
    const bytes = new Uint8Array(16);
    viewOf(bytes).setUint32(0, length, true);
    expect(entryBytes(viewOf(bytes), 0)).toBe(length + 8);
  });

  it('is broken by any flipped bit behind its length', () => {
    const { bytes, view, end } = entryOf(Uint8Array.of(1, 2, 3));
    expect(isSealed(view, 0, end)).toBe(true);
    for (let at = 4; at < end; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        expect(isSealed(view, 0, end)).toBe(false);
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
      }
    }
  });

  it.each([0, 1, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER])('carries the number %d', (n) => {
    const view = viewOf(new Uint8Array(8));
    putU64(view, 0, n);
    expect(getU64(view, 0)).toBe(n);
    expect(view.getBigUint64(0, true)).toBe(BigInt(n));
  });
});

describe('a dead letter', () => {
  const letter = letterOf({ shard: 3, lane: 0, n: 2 ** 40, bytes: Uint8Array.of(0xa1, 0xff) });

  it('has the bytes that its doc comment says', () => {
    expect(hex(writeDeadLetter({ ...letter, epoch: 1, n: 2, recv: -2 }, 9))).toBe(
      '0300' + // shard
        '0900000000000000' + // offset
        'b50f' + // code 4021
        '00' + // lane
        '0100000000000000' + // epoch
        '0200000000000000' + // n
        'feffffffffffffff' + // receive time
        '03612f62' + // device
        'a1ff', // payload
    );
  });

  it('reads back as it was', () => {
    expect(readDeadLetter(entryOf(writeDeadLetter(letter, 9)))).toEqual({ ...letter, offset: 9 });
  });

  it('is malformed when it ends too early', () => {
    const body = writeDeadLetter(letter, 0);
    expect(readDeadLetter(entryOf(body.subarray(0, 30)))).toBeNull();
    expect(readDeadLetter(entryOf(body.subarray(0, 39)))).toBeNull();
  });
});

describe('a schema', () => {
  it('reads back as it was', () => {
    expect(readSchema(entryOf(writeSchema(schemaOf(5, 'abc'))))).toEqual(schemaOf(5, 'abc'));
  });

  it('is malformed when it ends inside its hash', () => {
    expect(readSchema(entryOf(new Uint8Array(15)))).toBeNull();
  });
});
