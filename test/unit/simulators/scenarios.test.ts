import { expect, test } from 'vitest';
import { seeded } from '../../../simulators/random.ts';
import type { Source } from '../../../simulators/source.ts';
import { BurstSource } from '../../../simulators/sources/burst-source.ts';
import { LateSource } from '../../../simulators/sources/late-source.ts';
import { PoisonSource } from '../../../simulators/sources/poison-source.ts';
import { SkewedSource } from '../../../simulators/sources/skewed-source.ts';
import { SyntheticSource } from '../../../simulators/synthetic-source.ts';
import { Weather } from '../../../simulators/weather.ts';
import type { DeviceBlock } from '../../../src/wire/messages.ts';

const SECOND = 1_000_000;
/** A row a second, a frame a row: frame i lies at START + i seconds. */
const source = (): SyntheticSource =>
  new SyntheticSource({
    device: 'sim/1',
    series: 1,
    rate: 1,
    batch: 1,
    signal: 'sine',
    alarmRate: 0,
    seed: 1,
    startUs: 1000 * SECOND,
  });

/** Lets a source live until this time, looking every tenth of a second; then stops it. */
function live(of: Source, seconds: number) {
  const told: { atUs: number; block: DeviceBlock }[] = [];
  const last = (1000 + seconds) * SECOND;
  for (let now = 1000 * SECOND; now <= last; now += SECOND / 10) {
    if (of.dueUs <= now)
      of.take(now, (_, [block]) => told.push({ atUs: now, block: block as DeviceBlock }));
  }
  of.stop(last, (_, [block]) => told.push({ atUs: last, block: block as DeviceBlock }));
  return told;
}

test('burst: the same rows, at the ends of periods', () => {
  const plain = live(source(), 60).map(({ block }) => block);
  const told = live(new BurstSource(source(), 10 * SECOND), 60);
  expect(told.map(({ block }) => block)).toEqual(plain);
  expect(new Set(told.map(({ atUs }) => atUs % (10 * SECOND)))).toEqual(new Set([0]));
});

test('late: the same rows in the end, some behind newer ones, by 3 to 60 s', () => {
  const plain = live(source(), 600).map(({ block }) => block.t);
  const told = live(new LateSource(source(), seeded(1, 'late')), 600);
  expect(told.map(({ block }) => block.t).sort((a, b) => a - b)).toEqual(plain);
  const delays = told.map(({ atUs, block }) => (atUs - block.t) / SECOND).filter((s) => s > 1);
  expect(delays.length).toBeGreaterThan(30);
  expect(Math.max(...delays)).toBeGreaterThan(40);
  expect(Math.max(...delays)).toBeLessThan(62);
});

test('poison: every twentieth frame has a quality that does not exist', () => {
  const told = live(new PoisonSource(source()), 100);
  expect(told.length).toBeGreaterThanOrEqual(100);
  expect(told.filter(({ block }) => block.q === 999)).toHaveLength(5);
});

test('skewed: times and the last watermark are wrong by the same amount', () => {
  const [right, wrong] = [source(), new SkewedSource(source(), -7 * SECOND)];
  const expected = live(right, 9).map(({ block }) => block.t - 7 * SECOND);
  expect(live(wrong, 9).map(({ block }) => block.t)).toEqual(expected);
  expect(wrong.newest.get(1)).toBe(expected.at(-1));
  expect(wrong.skewUs).toBe(-7 * SECOND);
});

test('weather: cuts, and how long the network is away', () => {
  const weather = new Weather({ firstMs: 10, everyMs: 100, awayMs: 30 }, 1000);
  expect([1000, 1009, 1010, 1039, 1040, 1109, 1110].map((ms) => weather.isUp(ms))).toEqual([
    true,
    true,
    false,
    false,
    true,
    true,
    false,
  ]);
  expect(weather.isCutDue(1009)).toBe(false);
  expect(weather.isCutDue(1010)).toBe(true);
  expect(weather.isCutDue(1011)).toBe(false);
  expect(weather.cutAtMs).toBe(1110);
});
