import { describe, expect, it } from 'vitest';
import { LOG } from '../../../src/model/record.ts';
import { decodeCause, encodeCause, isNotAfter } from '../../../src/wire/result-cause.ts';

const CAUSE = { log: LOG.alarms, shard: 7, offset: 2 ** 40 + 3, index: 258 };

describe('the cause of a window result', () => {
  it('is fourteen bytes: version, log, offset, index', () => {
    const bytes = Uint8Array.of(1, 1, 3, 0, 0, 0, 0, 1, 0, 0, 2, 1, 0, 0);
    expect(encodeCause(CAUSE)).toEqual(bytes);
    expect(decodeCause(bytes, 7)).toEqual(CAUSE);
  });

  it('is read where it lies in a larger buffer', () => {
    const larger = new Uint8Array(20);
    larger.set(encodeCause(CAUSE), 5);
    expect(decodeCause(larger.subarray(5, 19), 7)).toEqual(CAUSE);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['another version', (bytes) => bytes.with(0, 2)],
    ['another log', (bytes) => bytes.with(1, 2)],
    ['cut', (bytes) => bytes.subarray(1)],
    ['none', () => new Uint8Array(0)],
  ])('is none that we know: %s', (_, change) => {
    expect(decodeCause(change(encodeCause(CAUSE)), 0)).toBeNull();
  });

  it('comes after another one by offset, then by index', () => {
    const at = (offset: number, index: number) => ({ ...CAUSE, offset, index });
    expect(isNotAfter(at(5, 9), at(6, 0))).toBe(true);
    expect(isNotAfter(at(6, 0), at(5, 9))).toBe(false);
    expect(isNotAfter(at(5, 1), at(5, 1))).toBe(true);
    expect(isNotAfter(at(5, 2), at(5, 1))).toBe(false);
  });
});
