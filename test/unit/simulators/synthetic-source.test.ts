import { describe, expect, test } from 'vitest';
import { SHAPES, type SignalName } from '../../../simulators/signals.ts';
import { type SyntheticOptions, SyntheticSource } from '../../../simulators/synthetic-source.ts';
import { timesOf } from '../../../src/client/block.ts';
import type { DeviceBlock } from '../../../src/wire/messages.ts';

const START = 1_800_000_000_000_000;
const OPTIONS: SyntheticOptions = {
  device: 'sim/0001',
  series: 3,
  rate: 100,
  batch: 10,
  signal: 'mix',
  alarmRate: 0,
  seed: 1,
  startUs: START,
};

/** Everything a device emits in `seconds`, asked every 5 ms, by lane. */
function emitted(options: Partial<SyntheticOptions>, seconds: number): DeviceBlock[][] {
  const source = new SyntheticSource({ ...OPTIONS, ...options });
  const lanes: DeviceBlock[][] = [[], []];
  for (let us = 0; us <= seconds * 1e6; us += 5000) {
    source.take(START + us, (lane, blocks) => lanes[lane]?.push(...blocks));
  }
  return lanes;
}

const columnOf = (blocks: readonly DeviceBlock[], column: number): number[] =>
  blocks.flatMap((block) => [...(block.v[column] as Float64Array)]);

describe('rows', () => {
  test.each([
    { rate: 100 },
    { rate: 3 },
    { rate: 333.3 },
    { rate: 7000, signal: 'vibration' as const },
  ])(
    'come at the rate, without a gap between frames: $rate/s',
    ({ rate, signal = 'sine' as SignalName }) => {
      const batch = Math.max(1, Math.round(rate / 10));
      const times = emitted({ rate, batch, signal }, 5)[1]?.flatMap(timesOf) ?? [];
      expect(times.length).toBeGreaterThan(5 * rate - 2 * batch - 1);
      expect(times.length).toBeLessThanOrEqual(5 * rate + 1);
      const steps = times.slice(1).map((t, i) => t - (times[i] as number));
      // A row may be 1 µs off the grid where the period is no whole number of µs.
      for (const step of steps) expect(Math.abs(step - 1e6 / rate)).toBeLessThan(2);
    },
  );

  test('a frame is due when its last row is there, and not earlier', () => {
    const source = new SyntheticSource(OPTIONS);
    const frames: DeviceBlock[] = [];
    source.take(source.dueUs - 1, (_, blocks) => frames.push(...blocks));
    expect(frames).toHaveLength(0);
    const due = source.dueUs;
    source.take(due, (_, blocks) => frames.push(...blocks));
    expect(frames).toHaveLength(1);
    expect(timesOf(frames[0] as DeviceBlock).at(-1)).toBe(due);
    expect(source.newest.get(1)).toBe(due);
  });

  test('stop emits the rows that are there, and no row twice', () => {
    const source = new SyntheticSource(OPTIONS);
    const times: number[] = [];
    const emit = (_: number, blocks: readonly DeviceBlock[]) =>
      times.push(...blocks.flatMap(timesOf));
    const end = START + 1_234_000;
    source.take(START + 1_000_000, emit);
    source.stop(end, emit);
    expect(new Set(times).size).toBe(times.length);
    expect(times.at(-1)).toBeLessThanOrEqual(end);
    expect(times.at(-1)).toBeGreaterThan(end - 10_000);
  });

  test('a process that stood still leaves readings out and counts them', () => {
    const source = new SyntheticSource(OPTIONS);
    let rows = 0;
    const emit = (_: number, blocks: readonly DeviceBlock[]) => {
      rows += blocks.flatMap(timesOf).length;
    };
    source.take(START + 60_000_000, emit);
    expect(rows).toBeLessThanOrEqual(20);
    expect(source.skipped % 3).toBe(0);
    expect(rows + source.skipped / 3).toBeGreaterThan(5980);
    source.take(START + 61_500_000, emit);
    expect(rows).toBeGreaterThan(140);
  });
});

describe('signals', () => {
  test('the same seed gives the same readings, another seed others', () => {
    expect(emitted({}, 2)).toEqual(emitted({}, 2));
    expect(emitted({ seed: 2 }, 2)).not.toEqual(emitted({}, 2));
    expect(emitted({ device: 'sim/0002' }, 2)).not.toEqual(emitted({}, 2));
  });

  test.each(Object.keys(SHAPES) as SignalName[])('%s stays on its chart and moves', (signal) => {
    const values = columnOf(emitted({ signal, series: 1, rate: 20, batch: 2 }, 60)[1] ?? [], 0);
    const present = values.filter((value) => !Number.isNaN(value));
    expect(Math.min(...present)).toBeGreaterThan(55 - 33);
    expect(Math.max(...present)).toBeLessThan(55 + 33);
    expect(new Set(present).size).toBeGreaterThan(1);
  });

  test('dropouts has stretches without a value, the others have none', () => {
    const missing = (signal: SignalName): number =>
      columnOf(emitted({ signal, series: 1 }, 60)[1] ?? [], 0).filter(Number.isNaN).length;
    expect(missing('dropouts')).toBeGreaterThan(100);
    expect(missing('walk') + missing('spikes') + missing('square')).toBe(0);
  });

  test('vibration is int16 on three axes, with the scale of an accelerometer', () => {
    const source = new SyntheticSource({ ...OPTIONS, signal: 'vibration', rate: 5000, batch: 500 });
    expect(source.sets[0]?.cols).toEqual([
      ['acc/x', 'm/s2', 9.80665 / 16384],
      ['acc/y', 'm/s2', 9.80665 / 16384],
      ['acc/z', 'm/s2', 9.80665 / 16384],
    ]);
    const blocks = emitted({ signal: 'vibration', rate: 5000, batch: 500 }, 20)[1] ?? [];
    expect(blocks[0]?.v.every((column) => column instanceof Int16Array)).toBe(true);
    const [x = Number.NaN, z = Number.NaN] = [0, 2].map((column) => {
      const values = columnOf(blocks, column);
      return values.reduce((sum, value) => sum + value, 0) / values.length / 16384;
    });
    // At rest the z axis feels 1 g, the others nothing; and nothing wraps around.
    expect(Math.abs(x)).toBeLessThan(0.05);
    expect(Math.abs(z - 1)).toBeLessThan(0.05);
    expect(Math.min(...columnOf(blocks, 2).slice(0, 10_000))).toBeGreaterThan(0);
  });
});

test('alarms go on lane 0, at their rate, on and off', () => {
  const source = new SyntheticSource({ ...OPTIONS, alarmRate: 2 });
  expect(source.lanes).toEqual([0, 1, 2]);
  expect(new SyntheticSource(OPTIONS).lanes).toEqual([1, 2]);
  const alarms = emitted({ alarmRate: 2 }, 10)[0] ?? [];
  expect(alarms.length).toBeGreaterThanOrEqual(19);
  expect(alarms.slice(0, 4).map((block) => block.v[0])).toEqual([1, 0, 1, 0]);
});
