import { describe, expect, it } from 'vitest';
import { SliceSize } from '../../../../src/adapters/log/slice-size.ts';

const KIB = 1024;
/** A disk whose sync costs so much by itself, and that takes 1000 bytes in a millisecond. */
function measured(syncMs: number): SliceSize {
  const slices = new SliceSize(KIB);
  slices.wrote(1000, syncMs);
  for (let i = 0; i < 100; i += 1) slices.wrote(100_000, 100 + syncMs);
  return slices;
}

describe('the size of a group of the file log', () => {
  it('is what 25 ms take while no alarms come, or fifty syncs', () => {
    expect(measured(0.1).bytesMost(0)).toBeCloseTo(25_000, -1);
    expect(measured(1).bytesMost(0)).toBeCloseTo(50_000, -2);
  });

  it('is what 11 ms take while alarms come, until a second later', () => {
    const slices = measured(0.25);
    slices.alarm(1000);
    expect(slices.bytesMost(1500)).toBeCloseTo(11_000, -1);
    expect(slices.bytesMost(2001)).toBeCloseTo(25_000, -1);
  });

  it('is fifty syncs where a sync is cheap, and 5 ms where it costs next to nothing', () => {
    for (const [syncMs, bytes] of [
      [0.15, 7500],
      [0.01, 5000],
    ] as const) {
      const slices = measured(syncMs);
      slices.alarm(0);
      expect(slices.bytesMost(1)).toBeCloseTo(bytes, -1);
    }
  });

  it('is sixteen syncs where a sync is dear', () => {
    const slices = measured(2);
    slices.alarm(0);
    expect(slices.bytesMost(1)).toBeCloseTo(32_000, -2);
  });

  it('does not follow syncs that fell into a pause, unless they are many', () => {
    const slices = measured(0.5);
    slices.wrote(1000, 0.5);
    for (let i = 0; i < 2; i += 1) slices.wrote(1000, 40);
    slices.alarm(0);
    expect(slices.bytesMost(1)).toBeCloseTo(11_000, -2);
    for (let i = 0; i < 100; i += 1) slices.wrote(1000, 5);
    expect(slices.bytesMost(1)).toBeGreaterThan(70_000);
  });

  it('does not follow syncs that cost nothing, unless they are many', () => {
    const slices = measured(0.5);
    for (let i = 0; i < 3; i += 1) slices.wrote(1000, 0.5);
    for (let i = 0; i < 3; i += 1) slices.wrote(1000, 0.01);
    slices.alarm(0);
    expect(slices.bytesMost(1)).toBeCloseTo(11_000, -2);
    for (let i = 0; i < 200; i += 1) slices.wrote(1000, 0.01);
    expect(slices.bytesMost(1)).toBeLessThan(6000);
  });

  it('has no limit before anything is known of the disk', () => {
    const slices = new SliceSize(KIB);
    slices.alarm(0);
    expect(slices.bytesMost(0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is not less than the least', () => {
    const slices = new SliceSize(64 * KIB);
    slices.wrote(100_000, 100_000);
    slices.alarm(0);
    expect(slices.bytesMost(0)).toBe(64 * KIB);
  });
});
