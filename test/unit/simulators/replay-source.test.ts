import { describe, expect, test } from 'vitest';
import { ReplaySource } from '../../../simulators/replay-source.ts';
import { timesOf } from '../../../src/client/block.ts';
import type { DeviceBlock } from '../../../src/wire/messages.ts';

const START = 1_800_000_000_000_000;

/** A recording by seconds since its first row; values are 0, 1, 2 … */
function replay(seconds: readonly number[], speedup: number, batch?: number): ReplaySource {
  const recording = {
    device: 'pump',
    times: Float64Array.from(seconds, (s) => 1_400_000_000_000_000 + s * 1e6),
    values: Float64Array.from(seconds, (_, i) => i),
  };
  return new ReplaySource({ recording, speedup, startUs: START, batch });
}

/** What is emitted up to `seconds` after the start: per frame its blocks, as [times, values]. */
function framesAt(source: ReplaySource, seconds: number): unknown[] {
  const frames: unknown[] = [];
  source.take(START + seconds * 1e6, (lane, blocks) => {
    expect(lane).toBe(1);
    frames.push(blocks.map(shortly));
  });
  return frames;
}

const shortly = (block: DeviceBlock): unknown => [
  timesOf(block).map((t) => t - START),
  [...(block.v[0] as Float64Array)],
];

describe('times', () => {
  test('t′ is start + floor of the distance to the first row over the speedup', () => {
    const source = replay([0, 1, 10], 3, 1);
    expect(framesAt(source, 10)).toEqual([[[[0], [0]]], [[[333_333], [1]]], [[[3_333_333], [2]]]]);
    expect(source.newest.get(1)).toBe(START + 3_333_333);
  });

  test('a row that is older than the one before keeps its place and begins a block', () => {
    const source = replay([0, 2, 1, 2, 5], 1, 5);
    expect(framesAt(source, 5)).toEqual([
      [
        [
          [0, 2_000_000],
          [0, 1],
        ],
        [
          [1_000_000, 2_000_000, 5_000_000],
          [2, 3, 4],
        ],
      ],
    ]);
  });

  test('the first row need not be the oldest', () => {
    const source = replay([5, 0, 6], 1, 1);
    expect(framesAt(source, 0)).toEqual([[[[0], [0]]], [[[-5_000_000], [1]]]]);
    expect(source.dueUs).toBe(START + 1e6);
    expect(source.newest.get(1)).toBe(START);
  });
});

describe('pace', () => {
  test('a row is due at t′, and at once where t′ has passed', () => {
    const source = replay([0, 10, 3, 20], 1, 1);
    expect(source.dueUs).toBe(START);
    expect(framesAt(source, 0)).toHaveLength(1);
    expect(source.dueUs).toBe(START + 10e6);
    expect(framesAt(source, 10)).toHaveLength(2);
    expect(source.dueUs).toBe(START + 20e6);
    expect(framesAt(source, 20)).toHaveLength(1);
    expect(source.dueUs).toBe(Number.POSITIVE_INFINITY);
  });

  test('a batch waits until it is full; the last one is what is left', () => {
    const source = replay([0, 1, 2, 3, 4], 1, 2);
    expect(source.dueUs).toBe(START + 1e6);
    expect(framesAt(source, 2)).toHaveLength(1);
    expect(framesAt(source, 4).map((frame) => (frame as unknown[][][])[0]?.[1])).toEqual([
      [2, 3],
      [4],
    ]);
  });

  test('without a batch, a frame is what comes due within a tenth of a second', () => {
    const source = replay([0, 0.05, 0.09, 0.11, 7], 1);
    expect(source.dueUs).toBe(START + 100_000);
    expect(framesAt(source, 0.1).map((frame) => (frame as unknown[][][])[0]?.[1])).toEqual([
      [0, 1, 2],
    ]);
    expect(source.dueUs).toBe(START + 210_000);
    expect(framesAt(source, 0.21)).toHaveLength(1);
    expect(source.dueUs).toBe(START + 7e6);
  });

  test('many rows at once are frames of 256', () => {
    const source = replay(Array<number>(600).fill(0), 1);
    const sizes = framesAt(source, 0).map((frame) => (frame as unknown[][][])[0]?.[1]?.length);
    expect(sizes).toEqual([256, 256, 88]);
  });

  test('a frame holds at most 64 blocks, however wild the times are', () => {
    const source = replay(
      Array.from({ length: 100 }, (_, i) => -i),
      1,
      100,
    );
    const frames = framesAt(source, 0) as unknown[][];
    expect(frames.map((frame) => frame.length)).toEqual([64, 36]);
  });

  test('stop sends what has come due and forgets the rest', () => {
    const source = replay([0, 1, 2], 1, 3);
    const frames: number[] = [];
    source.stop(START + 1e6, (_, blocks) => frames.push(blocks.flatMap(timesOf).length));
    expect(frames).toEqual([2]);
    expect(source.dueUs).toBe(Number.POSITIVE_INFINITY);
  });
});
