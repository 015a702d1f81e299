import { expect } from 'vitest';
import { useBed } from './bed.ts';
import { afterwards, blockOf, dashboard, publisher } from './peer.ts';
import { CODECS, rule } from './rule.ts';
import { isLive, subscriptionScenes, topicsOf } from './scenes.ts';

/** §11.1 and §11.3: subscriptions and their states. */

const bed = useBed();
const { deviceWith, answer } = subscriptionScenes(bed);

rule(
  'R11.1-1 R11.3-1 R11.3-3 R11.3-6',
  'sub is answered with state 0, then the picture, then state 2 with now, even with nothing',
  CODECS,
  async (codec) => {
    const peer = await dashboard(bed(), codec);
    const before = Date.now() * 1000;
    peer.sub({ p: ['nobody/#'] });
    await peer.until('state', isLive());
    const states = peer.heard.filter(({ k }) => k === 'state');
    expect(states.map(({ c, st }) => [c, st])).toEqual([
      [1, 0],
      [1, 2],
    ]);
    expect(states[1]?.now).toBeGreaterThan(before - 10_000);
    expect(states[1]?.now).toBeLessThan(Date.now() * 1000 + 10_000);
  },
);

rule('R11.1-2', 'patterns: + is one level, # zero or more and last only', CODECS, async (codec) => {
  const device = await deviceWith(codec, 'a', 'b/c', 'b/d', 'b/d/e');
  const { device: path } = device;
  const matched = async (...tails: string[]): Promise<string[]> => {
    const peer = await dashboard(bed(), codec);
    peer.sub({ p: tails.map((tail) => `${path}${tail}`) });
    await peer.until('state', isLive());
    return topicsOf(peer)
      .map((topic) => topic.slice(path.length + 1))
      .sort();
  };
  expect(await matched('/#')).toEqual(['a', 'b/c', 'b/d', 'b/d/e']);
  expect(await matched('/+')).toEqual(['a']);
  expect(await matched('/+/+')).toEqual(['b/c', 'b/d']);
  expect(await matched('/b/d/#')).toEqual(['b/d', 'b/d/e']);
  expect(await matched('/+/d')).toEqual(['b/d']);
  expect(await matched('/a', '/b/c')).toEqual(['a', 'b/c']);
});

rule(
  'R11.1-2 R11.1-8 R13-9',
  'a pattern that is none ⇒ state 4, 4000, and the session goes on',
  CODECS,
  async (codec) => {
    for (const pattern of ['', '/', 'a//b', '#/a', 'a/#/b', 'a#', 'a+', 'a/+b', 'ä', 'a b', '..']) {
      expect(await answer(codec, { p: [pattern] }), pattern).toEqual({ st: 4, e: 4000 });
    }
  },
);

rule(
  'R11.1-4',
  'the picture: per series the newest window and those at most hist before it',
  CODECS,
  async (codec) => {
    const device = await publisher(bed(), codec);
    const now = Math.floor(Date.now() / 1000) * 1_000_000;
    const starts = [0, 1, 2, 5].map((s) => now - s * 1_000_000).reverse();
    device.frame(
      { n: 1 },
      starts.map((t) => blockOf(1, t)),
    );
    await device.acked(1);
    const held = async (hist: number | undefined): Promise<number[]> => {
      const peer = await dashboard(bed(), codec);
      peer.sub({ p: [`${device.device}/#`], hist, agg: ['n'] });
      await peer.until('state', isLive());
      return peer.heard
        .flatMap(({ b = [] }) =>
          b.flatMap(({ t, d = [], v, dt = 0 }) => {
            const rows = Array.isArray(v[0]) ? v[0].length : d.length + 1;
            let start = t;
            return Array.from({ length: rows }, (_, r) => {
              if (r > 0) start += d[r - 1] ?? dt;
              return (now - start) / 1_000_000;
            });
          }),
        )
        .sort();
    };
    expect(await held(undefined)).toEqual([0]);
    expect(await held(2000)).toEqual([0, 1, 2]);
    expect(await held(4999)).toEqual([0, 1, 2]);
    expect(await held(5000)).toEqual([0, 1, 2, 5]);
  },
);

rule('R11.1-5', 'c outside 1–65535 ⇒ 4000, in use ⇒ 4001', CODECS, async (codec) => {
  for (const c of [0, 65_536]) {
    expect((await afterwards(bed(), codec, (peer) => peer.sub({ c }))).code).toBe(4000);
  }
  const peer = await dashboard(bed(), codec);
  for (const c of [1, 65_535]) {
    peer.sub({ c });
    await peer.until('state', isLive(c));
  }
  peer.sub({ c: 65_535 });
  expect((await peer.end()).code).toBe(4001);
});

rule(
  'R11.1-6 R11.3-5',
  'after state 4 the channel may be used again: n and credit anew, numbers never given again',
  CODECS,
  async (codec) => {
    const device = await deviceWith(codec, 'a', 'b');
    const peer = await dashboard(bed(), codec);
    const rounds: { numbers: number[]; n: number }[] = [];
    for (let round = 0; round < 3; round += 1) {
      const before = peer.heard.length;
      peer.sub({ p: [`${device.device}/+`], lim: 32_832 });
      for (;;) {
        const news = peer.heard.slice(before);
        if (news.some(({ st }) => st === 2)) break;
        await peer.event();
      }
      const news = peer.heard.slice(before);
      rounds.push({
        numbers: news.flatMap(({ ser = [] }) => ser.map(([no]) => no)),
        n: news.find(({ k }) => k === 'data')?.n ?? 0,
      });
      peer.say('end', { c: 1 });
      while (peer.heard.at(-1)?.st !== 4) await peer.event();
    }
    expect(rounds.map(({ n }) => n)).toEqual([1, 1, 1]);
    const numbers = rounds.flatMap((round) => round.numbers);
    expect(numbers).toHaveLength(6);
    expect(new Set(numbers).size).toBe(6);
  },
);

rule('R11.1-7', 'end for a channel that is not open is ignored', CODECS, async (codec) => {
  const peer = await dashboard(bed(), codec);
  for (const c of [0, 1, 65_535, 70_000]) peer.say('end', { c });
  peer.sub();
  await peer.until('state', isLive());
  peer.say('end', { c: 2 });
  await peer.barrier();
  expect(peer.heard.filter(({ st }) => st === 4)).toEqual([]);
});

rule('R11.1-8', 'unknown window or aggregate ⇒ state 4, 4005', CODECS, async (codec) => {
  for (const sub of [
    { win: 999 },
    { win: 1001 },
    { win: 7 },
    { agg: ['median'] },
    { agg: ['mean', 'MIN'] },
    { agg: [''] },
  ]) {
    expect(await answer(codec, sub), JSON.stringify(sub)).toEqual({ st: 4, e: 4005 });
  }
});

rule('R11.3-4 R11.3-6', 'a beat carries now', CODECS, async (codec) => {
  const peer = await dashboard(bed(), codec);
  peer.sub();
  await peer.until('state', isLive());
  peer.say('ping', { now: 5 });
  const beat = await peer.until('state', ({ echo }) => echo === 5);
  expect([beat.st, Math.abs(beat.now - Date.now() * 1000) < 1_000_000]).toEqual([3, true]);
});

rule('R11.3-5', 'state 4 is the last message on a channel', CODECS, async (codec) => {
  const device = await deviceWith(codec, 'a');
  const peer = await dashboard(bed(), codec);
  peer.sub({ p: [`${device.device}/#`] });
  await peer.until('state', isLive());
  peer.say('end', { c: 1 });
  for (let n = 2; n <= 5; n += 1) {
    device.frame({ n }, [{ s: 9, t: Date.now() * 1000, v: [n] }]);
    await device.acked(n);
  }
  await peer.barrier();
  const own = peer.heard.filter(({ c }) => c === 1);
  expect(own.at(-1)).toMatchObject({ k: 'state', st: 4 });
  expect('e' in (own.at(-1) ?? {})).toBe(false);
});
