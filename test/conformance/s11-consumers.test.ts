import { expect } from 'vitest';
import type { Def, ServerMessage } from '../../src/wire/messages.ts';
import { FanoutRig } from '../support/fanout-rig.ts';
import { useBed } from './bed.ts';
import { blockOf, publisher } from './peer.ts';
import { CODECS, CORE, rule } from './rule.ts';
import { datas, subscriptionScenes } from './scenes.ts';

/** §11.1, §11.2 and §11.5: many series, slow consumers, credit. */

const bed = useBed();
const { viewing } = subscriptionScenes(bed);

const S = 1_000_000;

const DAY_MS = 86_400_000;

const states = (messages: readonly ServerMessage[]): number[] =>
  messages.flatMap((message) => (message.k === 'state' ? [message.st] : []));

const defs = (messages: readonly ServerMessage[]): Def[] =>
  messages.flatMap((message) => (message.k === 'def' ? [message as Def] : []));

rule(
  'R11.2-2 R11.2-3 R11.5-5',
  'a slow consumer is not disconnected: it gets fewer, fresher updates',
  CODECS,
  async (codec) => {
    const device = await publisher(bed(), codec);
    device.say('def', { c: 1, s: 9, cols: Array.from({ length: 8 }, (_, i) => [`c${i}`]) });
    const viewer = await viewing(codec, device, { agg: ['last', 'n'], lim: 32_832 });
    const t = Math.floor(Date.now() / 1000) * S;
    const values = (n: number) => Array.from({ length: 8 }, () => `${n}`.padStart(250, 'x'));
    // Each update is some 2 KiB: the credit is used up long before the last of these.
    for (let n = 1; n <= 30; n += 1) {
      device.frame({ n }, [{ s: 9, t: t + n, v: values(n) }]);
      await device.acked(n);
    }
    await viewer.barrier();
    const updates = viewer.heard.filter(({ k }) => k === 'data').length;
    expect(updates).toBeLessThan(30);
    viewer.say('flow', { f: [[1, updates, 1_000_000]] });
    const last = await viewer.until('data', ({ b }) =>
      b.some(({ v }) => v.flat().includes(values(30)[0] as string)),
    );
    expect(last.n).toBeLessThanOrEqual(updates + 2);
  },
);

rule(
  'R11.2-5 R14-12',
  'windows older than the 300 kept are skipped and counted in lost; what hist does not reach is not',
  CORE,
  () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    for (let second = 0; second < 400; second += 1) rig.put(series, second, { mean: second / 7 });
    rig.open(1);
    rig.sub(1, { hist: 1e9, lim: 1e6 });
    rig.advance(100);
    const [picture] = datas(rig.taken(1));
    expect([picture?.lost, picture?.b[0]?.t]).toEqual([undefined, 100 * S]);
    rig.port.unsent = 1e9;
    for (let second = 400; second < 1000; second += 1)
      rig.put(series, second, { mean: second / 7 });
    rig.advance(1000);
    rig.port.unsent = 0;
    rig.advance(100);
    const [update] = datas(rig.taken(1));
    expect([update?.lost, update?.b[0]?.t]).toEqual([300, 700 * S]);
  },
);

rule(
  'R11.2-6',
  'a flush comes when r has passed since the last one of the series; the picture does not wait',
  CORE,
  () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    rig.put(series, 1, { mean: 0 });
    rig.open(1);
    rig.sub(1, { r: 300 });
    const times: number[] = [];
    for (let ms = 0; ms < 1000; ms += 10) {
      rig.put(series, 1, { mean: ms });
      rig.advance(10);
      if (datas(rig.taken(1)).length > 0) times.push(ms);
    }
    expect(times[0]).toBe(0);
    for (const [i, time] of times.slice(1).entries()) {
      expect(time - (times[i] as number)).toBeGreaterThanOrEqual(290);
      expect(time - (times[i] as number)).toBeLessThanOrEqual(360);
    }
  },
);

rule(
  'R11.2-17',
  'under load updates come more seldom, at most 1 s apart and the newest; the picture does not wait',
  CORE,
  () => {
    const rig = new FanoutRig();
    rig.fanout.climb(1);
    const all = Array.from({ length: 3000 }, (_, i) => rig.add(`d/${i}`));
    for (const series of all) rig.put(series, 1, { mean: 0 });
    rig.open(1);
    rig.sub(1);
    rig.advance(0);
    expect(states(rig.taken(1))).toEqual([0, 2]);
    const [series] = all;
    if (!series) throw new Error('no series');
    const told: (readonly [ms: number, shown: unknown])[] = [];
    for (let ms = 10; ms <= 5000; ms += 10) {
      rig.put(series, 1, { mean: ms });
      rig.advance(10);
      for (const { b } of datas(rig.taken(1))) told.push([ms, b[0]?.v.flat()]);
    }
    expect(told.length).toBeGreaterThanOrEqual(4);
    expect(told.length).toBeLessThan(50);
    for (const [i, [ms, shown]] of told.entries()) {
      expect(ms - (told[i - 1]?.[0] ?? 0)).toBeLessThanOrEqual(1000);
      expect(shown).toEqual([ms]);
    }
  },
);

rule(
  'R11.2-14',
  'a series is numbered before its first use, and gone after a day without a reading',
  CORE,
  () => {
    const rig = new FanoutRig();
    const [lasting, silent] = [rig.add('d/a'), rig.add('d/b')];
    rig.put(lasting, 1, { mean: 1 });
    rig.put(silent, 1, { mean: 1 });
    rig.open(1);
    rig.sub(1);
    rig.advance(100);
    const picture = rig.taken(1);
    const named = picture.findIndex(({ k }) => k === 'def');
    expect(named).toBeGreaterThanOrEqual(0);
    expect(named).toBeLessThan(picture.findIndex(({ k }) => k === 'data'));
    const hourly = (from: number, to: number): void => {
      for (let hour = from; hour < to; hour += 1) {
        rig.put(lasting, 1 + hour * 3600, { mean: 1 });
        rig.advance(DAY_MS / 24);
      }
    };
    hourly(1, 24);
    expect(defs(rig.taken(1)).flatMap(({ gone = [] }) => gone)).toEqual([]);
    hourly(24, 27);
    expect(defs(rig.taken(1)).flatMap(({ gone = [] }) => gone)).toEqual([2]);
  },
);

rule(
  'R11.1-9 R14-11',
  '5 000 series are numbered, by topic; over tells how many more, and a free place goes to the next',
  CORE,
  () => {
    const rig = new FanoutRig('cbor', { goneMs: 600_000 });
    const topics = Array.from({ length: 5002 }, (_, i) => `d/${`${i}`.padStart(5, '0')}`);
    const all = topics.toReversed().map((topic) => rig.add(topic));
    for (const series of all) rig.put(series, 1, { mean: 1 });
    rig.open(1);
    rig.sub(1);
    rig.advance(1000);
    const picture = rig.taken(1);
    const numbered = defs(picture).flatMap(({ ser = [] }) => ser.map(([, topic]) => topic));
    expect(numbered).toEqual(topics.slice(0, 5000));
    expect(picture.flatMap((one) => (one.k === 'state' ? [one.over] : []))).toEqual([2, 2]);
    const victim = all.find(({ topic }) => topic === topics[7]);
    for (let minute = 1; minute <= 12; minute += 1) {
      for (const series of all)
        if (series !== victim) rig.put(series, 1 + minute * 60, { mean: minute });
      rig.advance(60_000);
    }
    const news = defs(rig.taken(1));
    expect(news.flatMap(({ gone = [] }) => gone)).toEqual([8]);
    expect(news.flatMap(({ ser = [] }) => ser.map(([, topic]) => topic))).toEqual([topics[5000]]);
  },
);

rule('R11.3-3', 'live is said once after each reset, when nothing is unsent', CORE, () => {
  const rig = new FanoutRig();
  for (let i = 0; i < 2000; i += 1) rig.put(rig.add(`device-${i}/temperature`), 1, { mean: i / 7 });
  rig.open(1);
  rig.sub(1, { lim: 32_832 });
  rig.advance(1000);
  expect(states(rig.taken(1))).toEqual([0]);
  rig.flow(1, [1, 0, 1e9]);
  rig.advance(5000);
  const rest = rig.taken(1);
  expect(states(rest)).toEqual([2]);
  expect(rest.at(-1)).toMatchObject({ k: 'state', st: 2 });
});

rule(
  'R11.5-1',
  'n counts data from 1; flow [c, n, lim] acknowledges and grants',
  CODECS,
  async (codec) => {
    const device = await publisher(bed(), codec);
    const viewer = await viewing(codec, device, { agg: ['last'], lim: 65_536 });
    let lim = 65_536;
    const t = Math.floor(Date.now() / 1000) * S;
    for (let n = 1; n <= 6; n += 1) {
      device.frame({ n }, [blockOf(n, t + n)]);
      await device.acked(n);
      const seen = viewer.heard.length;
      await viewer.until('data', (one) => one.n === n);
      lim += (viewer.payloads[seen]?.length ?? 0) + 64;
      viewer.say('flow', { f: [[1, n, lim]] });
    }
    const numbers = viewer.heard.filter(({ k }) => k === 'data').map(({ n }) => n);
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6]);
  },
);

rule('R11.5-3', 'with lim at most two flushes are unacknowledged', CODECS, async (codec) => {
  const device = await publisher(bed(), codec);
  const viewer = await viewing(codec, device, { agg: ['last'], lim: 1_000_000 });
  const t = Math.floor(Date.now() / 1000) * S;
  for (let n = 1; n <= 8; n += 1) {
    device.frame({ n }, [blockOf(n, t + n)]);
    await device.acked(n);
    if (n <= 2) await viewer.until('data', (one) => one.n === n);
  }
  await viewer.barrier();
  expect(viewer.heard.filter(({ k }) => k === 'data')).toHaveLength(2);
  viewer.say('flow', { f: [[1, 2, 1_000_000]] });
  expect((await viewer.until('data', (one) => one.n === 3)).b[0]?.v.flat()).toEqual([8]);
});

rule('R11.5-1', 'a client may pause by not granting, and def counts', CORE, () => {
  const rig = new FanoutRig();
  for (let i = 0; i < 3000; i += 1) rig.put(rig.add(`${'d'.repeat(60)}/${i}`), 1, { mean: i });
  rig.open(1);
  rig.sub(1, { lim: 32_832 });
  rig.advance(1000);
  const bytes = rig.takenBytes(1).filter((one) => rig.decode(one).k !== 'state');
  const cost = bytes.reduce((sum, { length }) => sum + length + 64, 0);
  expect(bytes.map((one) => rig.decode(one).k)).toContain('def');
  expect(cost).toBeLessThanOrEqual(32_832);
  rig.advance(100_000);
  expect(rig.takenBytes(1).filter((one) => rig.decode(one).k !== 'state')).toEqual([]);
});
