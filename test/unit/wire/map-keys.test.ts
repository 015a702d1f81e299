import { describe, expect, it } from 'vitest';
import { MapKeys } from '../../../src/wire/map-keys.ts';
import { utf8 } from '../../support/bytes.ts';

describe('MapKeys', () => {
  it('knows each key of a map once', () => {
    const keys = new MapKeys(3, 32);
    keys.open(1);
    for (const key of [0, 31, 32, -1, -32, 2 ** 40]) {
      expect([key, keys.addInteger(1, key), keys.addInteger(1, key)]).toEqual([key, true, false]);
    }
    keys.bytes = utf8('abababc');
    expect(keys.addText(1, 0, 2)).toBe(true);
    expect(keys.addText(1, 2, 4)).toBe(false);
    expect(keys.addText(1, 4, 7)).toBe(true);
    expect(keys.addText(1, 4, 4)).toBe(true);
    expect(keys.addText(1, 5, 5)).toBe(false);
  });

  it('tells a text that starts at byte 40 from the integer 40', () => {
    const keys = new MapKeys(2, 32);
    keys.open(1);
    keys.bytes = new Uint8Array(50);
    expect(keys.addText(1, 40, 41)).toBe(true);
    expect(keys.addInteger(1, 40)).toBe(true);
    expect(keys.addInteger(1, 40)).toBe(false);
  });

  it('keeps levels apart and forgets a map with the next one', () => {
    const keys = new MapKeys(3, 32);
    keys.open(1);
    keys.open(2);
    expect([keys.addInteger(1, 5), keys.addInteger(2, 5)]).toEqual([true, true]);
    expect([keys.addInteger(1, 99), keys.addInteger(2, 99)]).toEqual([true, true]);
    keys.open(2);
    expect([keys.addInteger(2, 5), keys.addInteger(2, 99)]).toEqual([true, true]);
    expect([keys.addInteger(1, 5), keys.addInteger(1, 99)]).toEqual([false, false]);
  });
});
