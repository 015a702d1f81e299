import { describe, expect, it } from 'vitest';
import type { Rung } from '../../../src/model/rung.ts';
import type { Data, Def, ServerBlock, ServerMessage, Sub } from '../../../src/wire/messages.ts';
import { FanoutRig } from '../../support/fanout-rig.ts';

const states = (messages: readonly ServerMessage[]) =>
  messages.flatMap((message) => (message.k === 'state' ? [message.st] : []));
const datas = (messages: readonly ServerMessage[]) =>
  messages.flatMap((message) => (message.k === 'data' ? [message as Data<ServerBlock>] : []));
const defs = (messages: readonly ServerMessage[]) =>
  messages.flatMap((message) => (message.k === 'def' ? [message as Def] : []));

describe('the picture', () => {
  it('is reset, numbers by topic, windows as far as hist, live', () => {
    const rig = new FanoutRig();
    const b = rig.add('plant/b', 'Cel');
    const a = rig.add('plant/a');
    for (let second = 1; second <= 100; second += 1) rig.put(b, second, { mean: second, n: 1 });
    rig.put(a, 50, { mean: 0.5, n: 2 }, { status: 1 });
    rig.open(1);
    rig.sub(1, { agg: ['mean', 'n'], hist: 2000 });
    rig.advance(0);
    expect(rig.taken(1)).toEqual([
      { k: 'state', c: 1, st: 0 },
      {
        k: 'def',
        c: 1,
        ser: [
          [1, 'plant/a'],
          [2, 'plant/b', 'Cel'],
        ],
      },
      {
        k: 'data',
        c: 1,
        n: 1,
        b: [
          { t: 50_000_000, dt: 1_000_000, i: 1, v: [0.5, 2], st: 1 },
          { t: 98_000_000, dt: 1_000_000, i: 2, v: [[98, 99, 100], 1] },
        ],
      },
      { k: 'state', c: 1, st: 2, now: 1_761_962_400_000_000 },
    ]);
  });

  it('is live at once where nothing matches', () => {
    const rig = new FanoutRig();
    rig.open(1);
    rig.sub(1);
    rig.advance(0);
    expect(states(rig.taken(1))).toEqual([0, 2]);
  });

  it('holds only what the patterns match', () => {
    const rig = new FanoutRig();
    for (const topic of ['p/a/x', 'p/b/x', 'p/b/y', 'q/a/x'])
      rig.put(rig.add(topic), 1, { mean: 1 });
    rig.open(1);
    rig.sub(1, { p: ['p/+/x', 'q/#'] });
    rig.advance(0);
    const named = defs(rig.taken(1)).flatMap(({ ser = [] }) => ser.map(([, topic]) => topic));
    expect(named).toEqual(['p/a/x', 'p/b/x', 'q/a/x']);
  });

  it('holds every class, each as far back as hist from its own newest window', () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    for (const second of [8, 9, 10]) rig.put(series, second, { mean: 1 });
    for (const second of [3, 4]) rig.put(series, second, { mean: 2 }, { classId: 1 });
    rig.put(series, 1, { mean: 3 }, { classId: 2 });
    rig.open(1);
    rig.sub(1, { hist: 1000 });
    rig.advance(0);
    const blocks = datas(rig.taken(1)).flatMap(({ b }) => b);
    const byClass = [0, 1, 2].map((cl) =>
      blocks.filter((block) => (block.cl ?? 0) === cl).map(({ t }) => t / 1e6),
    );
    expect(byClass).toEqual([[9], [3], [1]]);
  });

  it('is not live while credit keeps a part of it back', () => {
    const rig = new FanoutRig();
    for (let i = 0; i < 2000; i += 1)
      rig.put(rig.add(`device-${i}/temperature`), 1, { mean: i / 7 });
    rig.open(1);
    rig.sub(1, { lim: 32_832 });
    rig.advance(1000);
    expect(states(rig.taken(1))).toEqual([0]);
    rig.flow(1, [1, 0, 1e9]);
    rig.advance(0);
    const rest = rig.taken(1);
    expect(states(rest)).toEqual([2]);
    expect(rest.at(-1)).toMatchObject({ k: 'state', st: 2 });
  });

  it('does not wait for r, nor for the flush interval when credit comes', () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    for (let second = 0; second < 300; second += 1)
      rig.put(series, second, { first: 'x'.repeat(250) });
    rig.open(1);
    rig.sub(1, { agg: ['first'], hist: 300_000, r: 60_000, lim: 32_832 });
    rig.advance(0);
    let ticks = 0;
    for (let limit = 65_664; !states(rig.taken(1)).includes(2); limit += 32_832) {
      rig.flow(1, [1, ticks, limit]);
      rig.advance(0);
      ticks += 1;
      expect(ticks).toBeLessThan(100);
    }
    expect(rig.ms).toBe(0);
  });
});

describe('updates', () => {
  it('send the windows from the oldest changed one on, newest last', () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    for (let second = 1; second <= 5; second += 1) rig.put(series, second, { mean: second });
    rig.open(1);
    rig.sub(1);
    rig.advance(100);
    rig.taken(1);
    rig.put(series, 6, { mean: 6 });
    rig.put(series, 4, { mean: 44 }, { status: 2 });
    rig.advance(100);
    expect(
      datas(rig.taken(1)).flatMap(({ b }) => b.map(({ t, st, v }) => [t / 1e6, st, v])),
    ).toEqual([
      [4, 2, [44]],
      [5, undefined, [[5, 6]]],
    ]);
  });

  it('of a series come not closer than r, of a subscription not closer than the interval', () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    rig.put(series, 1, { mean: 0 });
    rig.open(1);
    rig.open(2);
    rig.sub(1, { r: 300 });
    rig.sub(2);
    const times: [number[], number[]] = [[], []];
    for (let ms = 0; ms < 1000; ms += 10) {
      rig.put(series, 1, { mean: ms });
      rig.advance(10);
      if (datas(rig.taken(1)).length > 0) times[0].push(ms);
      if (datas(rig.taken(2)).length > 0) times[1].push(ms);
    }
    expect(times[0]).toEqual([0, 290, 590, 890]);
    expect(times[1]).toEqual([0, ...Array.from({ length: 20 }, (_, i) => 40 + 50 * i)]);
  });

  describe('of a node under pressure', () => {
    /** One series that changes every 10 ms, and when its value was told as what. */
    const watched = (
      rungs: Readonly<Record<number, Rung>>,
      untilMs: number,
      sub: Partial<Sub> = {},
    ) => {
      const rig = new FanoutRig();
      const series = rig.add('d/x');
      rig.put(series, 1, { mean: 0 });
      rig.open(1);
      rig.sub(1, sub);
      rig.advance(0);
      rig.taken(1);
      const told: [ms: number, value: unknown][] = [];
      for (let ms = 10; ms <= untilMs; ms += 10) {
        const rung = rungs[ms];
        if (rung !== undefined) rig.fanout.climb(rung);
        rig.put(series, 1, { mean: ms });
        rig.advance(10);
        for (const { b } of datas(rig.taken(1))) told.push([ms, b[0]?.v.flat()[0]]);
      }
      return told;
    };

    it.each([1, 2, 3, 4] as const)(
      'come at most every 500 ms, the newest value (rung %d)',
      (rung) => {
        expect(watched({ 10: rung }, 2000)).toEqual([500, 1000, 1500, 2000].map((ms) => [ms, ms]));
      },
    );

    it('come at once again when it is calm', () => {
      const told = watched({ 10: 1, 610: 0 }, 800).map(([ms]) => ms);
      expect(told).toEqual([500, 610, 650, 700, 750, 800]);
    });

    it('wait from the last one on, not from the moment it became worse', () => {
      const told = watched({ 110: 1, 710: 2 }, 1200).map(([ms]) => ms);
      expect(told).toEqual([50, 100, 600, 1100]);
    });

    it('of a series do not come sooner than r, should that be longer', () => {
      expect(watched({ 10: 1 }, 2000, { r: 700 }).map(([ms]) => ms)).toEqual([700, 1400]);
    });

    it('are none of what did not change, and wake nobody', () => {
      const rig = new FanoutRig();
      rig.put(rig.add('d/x'), 1, { mean: 0 });
      rig.open(1);
      rig.sub(1);
      rig.advance(100);
      rig.taken(1);
      const before = rig.fanout.wakeAtMs;
      rig.fanout.climb(1);
      rig.fanout.climb(0);
      expect(rig.fanout.wakeAtMs).toBe(before);
      rig.advance(2000);
      expect(rig.taken(1)).toEqual([]);
    });

    it('lose no window that changed meanwhile', () => {
      const rig = new FanoutRig();
      const series = rig.add('d/x');
      rig.put(series, 0, { mean: 0 });
      rig.open(1);
      rig.sub(1);
      rig.advance(0);
      rig.taken(1);
      rig.fanout.climb(1);
      for (let second = 1; second <= 20; second += 1) {
        rig.put(series, second, { mean: second });
        rig.advance(10);
      }
      expect(datas(rig.taken(1))).toEqual([]);
      rig.advance(300);
      const [update, ...more] = datas(rig.taken(1));
      expect([update?.lost, more]).toEqual([undefined, []]);
      expect(update?.b[0]?.v.flat()).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });

    it('are not the picture: a full socket is asked as often as ever, and credit goes on at once', () => {
      const rig = new FanoutRig();
      rig.fanout.climb(3);
      for (let i = 0; i < 2000; i += 1) rig.put(rig.add(`device-${i}/temperature`), 1, { mean: i });
      rig.open(1);
      rig.port.unsent = 256 * 1024 + 1;
      rig.sub(1);
      rig.advance(10);
      rig.port.unsent = 0;
      rig.advance(50);
      expect(states(rig.taken(1))).toEqual([0, 2]);
      rig.sub(1, { c: 2, lim: 32_832 });
      rig.advance(0);
      rig.flow(1, [2, 0, 1e9]);
      rig.advance(0);
      expect(states(rig.taken(1))).toEqual([0, 2]);
    });
  });

  it('serve the longest-waiting series first', () => {
    const rig = new FanoutRig();
    const series = ['a', 'b', 'c'].map((name) => rig.add(`d/${name}`));
    for (const one of series) rig.put(one, 1, { first: 'x' });
    rig.open(1);
    rig.sub(1, { agg: ['first'], lim: 32_832 });
    rig.advance(100);
    const client = rig.taken(1);
    expect(states(client)).toEqual([0, 2]);
    for (const i of [2, 0, 1]) rig.put(series[i] as (typeof series)[0], 2, { first: 'y' });
    rig.advance(100);
    const [update] = datas(rig.taken(1));
    // Same window, same status: the order of the rows is the order of the flush.
    expect(update?.b[0]?.i).toEqual([3, 1, 2]);
  });

  it('that credit cut off come before what changed later', () => {
    const rig = new FanoutRig();
    const all = Array.from({ length: 400 }, (_, i) => rig.add(`d/${i}`));
    for (const series of all) rig.put(series, 1, { first: 'x' });
    rig.open(1);
    rig.sub(1, { agg: ['first'], lim: 65_536 });
    rig.advance(100);
    expect(states(rig.taken(1))).toEqual([0, 2]);
    for (const series of all) rig.put(series, 1, { first: 'x'.repeat(250) });
    rig.flow(1, [1, 1, 0]);
    rig.advance(100);
    const numbers = () => datas(rig.taken(1)).flatMap(({ b }) => b.flatMap(({ i }) => i));
    const served = numbers();
    expect(served.length).toBeGreaterThan(100);
    expect(served.length).toBeLessThan(300);
    for (const series of all) rig.put(series, 2, { first: 'y' });
    rig.flow(1, [1, 2, 1e9]);
    rig.advance(100);
    const order = [...new Set(numbers())];
    expect(order.length).toBe(400);
    expect(order.slice(-served.length).sort()).toEqual(served.sort());
  });

  it('that credit cut off inside a series go on with that series', () => {
    const rig = new FanoutRig();
    const [long, short] = [rig.add('d/long'), rig.add('d/short')];
    rig.put(long, 0, { first: 'x' });
    rig.put(short, 0, { first: 'x' });
    rig.open(1);
    rig.sub(1, { agg: ['first'], lim: 32_832 });
    rig.advance(100);
    rig.taken(1);
    for (let second = 1; second <= 300; second += 1)
      rig.put(long, second, { first: 'x'.repeat(250) });
    rig.put(short, 1, { first: 'y' });
    rig.advance(100);
    const served = (limit: number) => {
      const messages = datas(rig.taken(1));
      rig.flow(1, [1, messages.at(-1)?.n ?? 0, limit]);
      rig.advance(100);
      return [...new Set(messages.flatMap(({ b }) => b.flatMap(({ i }) => i)))];
    };
    expect(served(65_664)).toEqual([1]);
    expect(served(1e6)).toEqual([1]);
    expect(served(1e6)).toEqual([1, 2]);
  });

  it('of the other window length are not this subscription’s', () => {
    const rig = new FanoutRig('json', { windowsMs: [1000, 10_000] });
    rig.put(rig.add('d/x'), 1, { mean: 1 });
    rig.open(1);
    rig.sub(1, { win: 10_000 });
    rig.advance(0);
    expect(datas(rig.taken(1))).toEqual([]);
  });

  it('count windows that are kept no more in lost, but not what hist does not reach', () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    for (let second = 0; second < 400; second += 1) rig.put(series, second, { mean: second });
    rig.open(1);
    rig.sub(1, { hist: 1e9, lim: 32_832 });
    rig.advance(100);
    const picture = datas(rig.taken(1));
    expect(picture.map(({ lost }) => lost)).toEqual([undefined]);
    rig.flow(1, [1, 1, 1]);
    // The peer acknowledges but grants nothing: its credit lasts for a while.
    let second = 400;
    for (let isServed = true; isServed; second += 1) {
      rig.put(series, second, { mean: second + 0.1 });
      rig.advance(1000);
      const told = datas(rig.taken(1));
      for (const { n } of told) rig.flow(1, [1, n, 1]);
      isServed = told.length > 0;
    }
    const unsent = second - 1;
    for (; second < unsent + 1000; second += 1) rig.put(series, second, { mean: 1 });
    rig.flow(1, [1, 0, 1e9]);
    rig.advance(100);
    const [update] = datas(rig.taken(1));
    expect(update?.lost).toBe(700);
    expect(update?.b[0]?.t).toBe((unsent + 700) * 1e6);
  });

  it('counts windows, not the seconds in which a sparse series has none', () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    rig.put(series, 0, { mean: 0 });
    rig.open(1);
    rig.sub(1, { lim: 1e9 });
    rig.advance(100);
    const [first] = datas(rig.taken(1));
    for (let i = 1; i <= 320; i += 1) rig.put(series, 10 * i, { mean: i });
    rig.flow(1, [1, first?.n ?? 0, 1e9]);
    rig.advance(100);
    const [update] = datas(rig.taken(1));
    expect(update?.lost).toBe(20);
  });
});

describe('credit', () => {
  it('keeps at most two flushes unacknowledged', () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    rig.put(series, 1, { mean: 0 });
    rig.open(1);
    rig.sub(1, { lim: 1e9 });
    rig.advance(100);
    for (let i = 0; i < 10; i += 1) {
      rig.put(series, 1, { mean: i });
      rig.advance(100);
    }
    expect(datas(rig.taken(1)).map(({ n }) => n)).toEqual([1, 2]);
    rig.flow(1, [1, 1, 0]);
    rig.advance(100);
    expect(datas(rig.taken(1)).map(({ n, b }) => [n, b[0]?.v])).toEqual([[3, [9]]]);
  });

  it.each(['json', 'cbor'] as const)('is never exceeded, def and data counted (%s)', (codec) => {
    const rig = new FanoutRig(codec);
    const all = Array.from({ length: 500 }, (_, i) => rig.add(`plant/device-${i}/x`, 'm/s2'));
    for (const series of all)
      for (let s = 0; s < 20; s += 1) rig.put(series, s, { mean: Math.PI * s });
    rig.open(1);
    rig.sub(1, { lim: 32_832, hist: 20_000 });
    let cost = 0;
    let limit = 32_832;
    let n = 0;
    let isLive = false;
    for (let turns = 0; !isLive; turns += 1) {
      expect(turns).toBeLessThan(1000);
      rig.advance(50);
      for (const bytes of rig.takenBytes(1)) {
        const head = rig.decode(bytes);
        isLive = head.k === 'state' && head.st === 2;
        if (head.k === 'state') continue;
        if (head.k === 'data') n = head.n;
        cost += bytes.length + 64;
      }
      expect(cost).toBeLessThanOrEqual(limit);
      limit += 5000;
      rig.flow(1, [1, n, limit]);
    }
    expect(n).toBeGreaterThan(5);
  });

  it('without lim stops while more than 256 KiB are unsent, and asks again', () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    rig.put(series, 1, { mean: 0 });
    rig.open(1);
    rig.sub(1);
    rig.advance(100);
    rig.taken(1);
    rig.port.unsent = 256 * 1024 + 1;
    rig.put(series, 1, { mean: 1 });
    rig.advance(500);
    expect(rig.taken(1)).toEqual([]);
    rig.port.unsent = 256 * 1024;
    rig.advance(50);
    expect(datas(rig.taken(1)).map(({ b }) => b[0]?.v)).toEqual([[1]]);
  });

  it('or not, one moment puts little more than 256 KiB into a socket', () => {
    const rig = new FanoutRig('json');
    const all = Array.from({ length: 4000 }, (_, i) => rig.add(`plant/device-${i}/x`));
    for (const series of all) for (let s = 0; s < 10; s += 1) rig.put(series, s, { mean: s / 3 });
    rig.open(1);
    for (const c of [1, 2, 3]) rig.sub(1, { c, hist: 10_000, ...(c === 1 ? { lim: 1e12 } : {}) });
    rig.fanout.tick(rig.now);
    const bytes = rig.takenBytes(1).reduce((sum, { length }) => sum + length, 0);
    expect(bytes).toBeGreaterThan(256 * 1024);
    expect(bytes).toBeLessThan(256 * 1024 + 3 * 32_768);
  });

  it('is not counted for the ack of what was never sent: 4001', () => {
    const rig = new FanoutRig();
    rig.put(rig.add('d/x'), 1, { mean: 0 });
    rig.open(1);
    rig.sub(1, { lim: 65_536 });
    rig.advance(0);
    rig.flow(1, [9, 99, 0], [1, 1, 0]);
    expect(rig.port.breaches).toEqual([]);
    rig.flow(1, [1, 2, 0]);
    expect(rig.port.breaches.map(({ breach }) => breach.code)).toEqual([4001]);
  });
});

describe('series', () => {
  it('that appear later are numbered before their first use', () => {
    const rig = new FanoutRig();
    rig.open(1);
    rig.sub(1);
    rig.advance(100);
    rig.taken(1);
    const series = rig.add('d/x', 'm');
    rig.fanout.appeared(series);
    rig.put(series, 1, { mean: 5 });
    rig.advance(100);
    expect(rig.taken(1)).toMatchObject([
      { k: 'def', ser: [[1, 'd/x', 'm']] },
      { k: 'data', n: 1, b: [{ i: 1, v: [5] }] },
    ]);
  });

  it('that are silent for a day are gone, and numbered anew when they speak again', () => {
    const rig = new FanoutRig();
    const [silent, busy] = [rig.add('d/silent'), rig.add('d/busy')];
    rig.put(silent, 1, { mean: 1 });
    rig.put(busy, 1, { mean: 1 });
    rig.open(1);
    rig.sub(1);
    for (let hour = 0; hour < 25; hour += 1) {
      rig.advance(3_600_000);
      rig.put(busy, 2, { mean: hour });
    }
    rig.advance(100);
    expect(defs(rig.taken(1)).flatMap(({ gone = [] }) => gone)).toEqual([2]);
    // A subscription made now does not see it either.
    rig.sub(1, { c: 2 });
    rig.advance(100);
    expect(defs(rig.taken(1)).flatMap(({ ser = [] }) => ser)).toEqual([[3, 'd/busy']]);
    rig.put(silent, 3, { mean: 3 });
    rig.advance(100);
    const named = defs(rig.taken(1)).map(({ c, ser }) => [c, ser]);
    expect(named).toEqual([
      [1, [[4, 'd/silent']]],
      [2, [[5, 'd/silent']]],
    ]);
  });

  it('that begin a new life under an old topic replace the old one', () => {
    const rig = new FanoutRig();
    const old = rig.add('d/x');
    rig.put(old, 1, { mean: 1 });
    rig.open(1);
    rig.sub(1);
    rig.advance(100);
    rig.taken(1);
    rig.put(rig.add('d/x'), 5, { mean: 5 });
    rig.advance(100);
    expect(rig.taken(1)).toMatchObject([
      { k: 'def', gone: [1] },
      { k: 'def', ser: [[2, 'd/x']] },
      { k: 'data', b: [{ i: 2 }] },
    ]);
  });

  it('beyond 5 000 are counted in over, and get a place that becomes free', () => {
    const rig = new FanoutRig('cbor');
    const name = (i: number) => `device-${String(i).padStart(4, '0')}/x`;
    const all = Array.from({ length: 5002 }, (_, i) => rig.add(name(i)));
    for (const series of all) rig.put(series, 1, { mean: 1 });
    rig.open(1);
    rig.sub(1);
    const now = () => {
      for (const series of all.slice(1)) rig.put(series, 1, { mean: 1 });
    };
    rig.advance(1000);
    const first = rig.taken(1);
    expect(first[0]).toMatchObject({ k: 'state', st: 0, over: 2 });
    expect(first.at(-1)).toMatchObject({ k: 'state', st: 2, over: 2 });
    expect(defs(first).flatMap(({ ser = [] }) => ser).length).toBe(5000);
    for (let hour = 0; hour < 25; hour += 1) {
      rig.advance(3_600_000);
      now();
    }
    rig.advance(1000);
    const later = defs(rig.taken(1));
    expect(later).toMatchObject([{ gone: [1] }, { ser: [[5001, name(5000)]] }]);
    rig.fanout.ping(1, undefined, rig.now);
    expect(rig.taken(1)).toMatchObject([{ st: 3, over: 1 }]);
  });

  it('never get the number of another one on the same connection', () => {
    const rig = new FanoutRig();
    for (const name of ['x', 'y']) rig.put(rig.add(`d/${name}`), 1, { mean: 1 });
    rig.open(1);
    rig.sub(1);
    rig.advance(100);
    rig.fanout.end(1, 1, rig.now);
    rig.sub(1, { p: ['d/y'] });
    rig.advance(100);
    const messages = rig.taken(1);
    expect(states(messages)).toEqual([0, 2, 4, 0, 2]);
    expect(defs(messages).flatMap(({ ser = [] }) => ser.map(([number]) => number))).toEqual([
      1, 2, 3,
    ]);
    expect(datas(messages).map(({ n }) => n)).toEqual([1, 1]);
  });
});

describe('state', () => {
  it('beats answer a ping on every subscription, with echo', () => {
    const rig = new FanoutRig();
    rig.open(1);
    for (const c of [3, 7]) rig.sub(1, { c });
    rig.advance(100);
    rig.taken(1);
    rig.fanout.ping(1, 42, rig.now);
    const now = rig.now.wallUs;
    expect(rig.taken(1)).toEqual([
      { k: 'state', c: 3, st: 3, now, echo: 42 },
      { k: 'state', c: 7, st: 3, now, echo: 42 },
    ]);
  });

  it('beats come at least every hb, but not where data flows', () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    rig.put(series, 1, { mean: 1 });
    rig.open(1);
    rig.sub(1, { c: 1 });
    rig.sub(1, { c: 2, p: ['other'] });
    rig.advance(100);
    rig.taken(1);
    let lastMs = 0;
    let beats = 0;
    for (let second = 0; second < 100; second += 1) {
      rig.put(series, 1, { mean: second });
      rig.advance(1000);
      for (const message of rig.taken(1)) {
        if (message.k !== 'state') continue;
        expect(message).toMatchObject({ c: 2, st: 3, now: expect.any(Number) });
        expect(rig.ms - lastMs).toBeLessThanOrEqual(20_000);
        lastMs = rig.ms;
        beats += 1;
      }
    }
    expect(beats).toBeGreaterThanOrEqual(5);
    expect(beats).toBeLessThanOrEqual(7);
  });

  it('of a subscription that goes does not touch the others of its series', () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    rig.put(series, 1, { mean: 1 });
    for (const session of [1, 2, 3, 4]) {
      rig.open(session);
      rig.sub(session);
    }
    rig.advance(100);
    rig.fanout.close(1);
    rig.fanout.end(3, 1, rig.now);
    for (const session of [1, 2, 3, 4]) rig.taken(session);
    rig.put(series, 1, { mean: 2 });
    rig.advance(100);
    expect([1, 2, 3, 4].map((session) => datas(rig.taken(session)).length)).toEqual([0, 1, 0, 1]);
  });

  it('4 is the last word on a channel, and nothing is sent to a session that is closed', () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    rig.put(series, 1, { mean: 1 });
    rig.open(1);
    rig.open(2);
    rig.sub(1);
    rig.sub(2);
    rig.advance(100);
    rig.taken(1);
    rig.taken(2);
    rig.fanout.end(1, 1, rig.now);
    rig.fanout.end(1, 1, rig.now);
    rig.fanout.close(2);
    rig.put(series, 1, { mean: 2 });
    rig.advance(100_000);
    expect(rig.taken(1)).toEqual([{ k: 'state', c: 1, st: 4 }]);
    expect(rig.taken(2)).toEqual([]);
    expect([rig.fanout.subscriptions(1), rig.fanout.subscriptionCount]).toEqual([0, 0]);
  });
});

describe('a sub that cannot be served', () => {
  const refused: readonly (readonly [string, Partial<Sub>, number])[] = [
    ['a level with a bad character', { p: ['a/b c'] }, 4000],
    ['a # that is not last', { p: ['#/a'] }, 4000],
    ['an empty pattern', { p: [''] }, 4000],
    ['latest raw values', { win: 0 }, 4005],
    ['event mode', { win: 0, md: 1 }, 4005],
    ['an unknown mode', { md: 9 }, 4005],
    ['a group', { grp: 1 }, 4005],
    ['an unknown grouping', { grp: 2 }, 4005],
    ['an unknown window', { win: 1500 }, 4005],
    ['an unknown aggregate', { agg: ['mean', 'median'] }, 4005],
    ['an aggregate named twice', { agg: ['mean', 'mean'] }, 4005],
    ['a lim below one largest message', { lim: 32_831 }, 4009],
    ['too many patterns', { p: Array.from({ length: 17 }, () => 'a') }, 4009],
    ['too long a pattern', { p: [`a/${'b'.repeat(255)}`] }, 4009],
  ];

  it.each(refused)('for %s gets state 4 and the session goes on', (_, sub, code) => {
    const rig = new FanoutRig();
    rig.open(1);
    rig.sub(1, { c: 5, ...sub });
    rig.advance(100);
    const [state, ...rest] = rig.taken(1);
    expect(state).toEqual({
      k: 'state',
      c: 5,
      st: 4,
      e: code,
      m: expect.stringMatching(/^.{5,120}$/),
    });
    expect(rest).toEqual([]);
    rig.sub(1, { c: 5 });
    rig.advance(100);
    expect(states(rig.taken(1))).toEqual([0, 2]);
    expect(rig.port.breaches).toEqual([]);
  });

  it('is the one after 32, or any where rx is below 32 KiB', () => {
    const rig = new FanoutRig();
    rig.open(1);
    for (let c = 1; c <= 33; c += 1) rig.sub(1, { c });
    expect(states(rig.taken(1)).filter((st) => st === 0).length).toBe(32);
    rig.open(2, 32_767);
    rig.sub(2);
    expect(rig.taken(2)).toMatchObject([{ k: 'state', st: 4, e: 4009 }]);
  });

  it.each([
    ['c in use', 1, 4001],
    ['c 0', 0, 4000],
    ['c 65536', 65_536, 4000],
  ])('for %s ends the session', (_, c, code) => {
    const rig = new FanoutRig();
    rig.open(1);
    rig.sub(1);
    rig.sub(1, { c });
    expect(rig.port.breaches.map(({ breach }) => breach.code)).toEqual([code]);
  });
});
