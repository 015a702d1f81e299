import { expect } from 'vitest';
import { FanoutRig } from '../support/fanout-rig.ts';
import { useBed } from './bed.ts';
import type { Value } from './encoding.ts';
import { dashboard, publisher } from './peer.ts';
import { CODECS, CORE, rule } from './rule.ts';
import { isLive, subscriptionScenes, topicsOf } from './scenes.ts';

/** §11.5 and §14: limits of subscriptions. */

const bed = useBed();
const { deviceWith, answer } = subscriptionScenes(bed);

rule(
  'R14-9',
  '32 subscriptions pass, the next ⇒ state 4, 4009; an ended one makes room',
  CODECS,
  async (codec) => {
    const peer = await dashboard(bed(), codec);
    for (let c = 1; c <= 32; c += 1) peer.sub({ c });
    await peer.until('state', isLive(32));
    peer.sub({ c: 33 });
    expect(await peer.until('state', ({ c }) => c === 33)).toMatchObject({ st: 4, e: 4009 });
    peer.say('end', { c: 7 });
    peer.sub({ c: 34 });
    await peer.until('state', isLive(34));
  },
);

rule(
  'R14-10',
  '16 patterns of 256 B pass; one more, or one byte more ⇒ state 4, 4009',
  CODECS,
  async (codec) => {
    const pattern = (bytes: number): string => {
      const levels = Array.from({ length: 4 }, () => 'x'.repeat(62)).join('/');
      return `${levels}/${'y'.repeat(bytes - levels.length - 1)}`;
    };
    const many = (count: number): Value => Array.from({ length: count }, () => pattern(256));
    expect(await answer(codec, { p: many(16) })).toEqual({ st: 0, e: undefined });
    expect(await answer(codec, { p: Array.from({ length: 17 }, () => 'a') })).toEqual({
      st: 4,
      e: 4009,
    });
    expect(await answer(codec, { p: [pattern(257)] })).toEqual({ st: 4, e: 4009 });
  },
);

rule('R11.5-2', 'lim of a sub: 32 832 passes, below ⇒ state 4, 4009', CODECS, async (codec) => {
  expect(await answer(codec, { lim: 32_832 })).toEqual({ st: 0, e: undefined });
  for (const lim of [32_831, 0]) expect(await answer(codec, { lim })).toEqual({ st: 4, e: 4009 });
});

rule('R11.5-6', 'an ack above the last n sent ⇒ 4001', CODECS, async (codec) => {
  const device = await deviceWith(codec, 'a');
  const peer = await dashboard(bed(), codec);
  peer.sub({ p: [`${device.device}/#`], lim: 65_536 });
  await peer.until('state', isLive());
  peer.say('flow', { f: [[1, 1, 70_000]] });
  await peer.barrier();
  peer.say('flow', { f: [[1, 2, 80_000]] });
  expect((await peer.end()).code).toBe(4001);
});

rule(
  'R14-4 R14-5',
  'no message is longer than min(rx, 32 KiB); a session that subscribes gets up to 32 KiB',
  CODECS,
  async (codec) => {
    const device = await publisher(bed(), codec);
    const names = Array.from(
      { length: 600 },
      (_, i) => `${'x'.repeat(60)}/${'y'.repeat(40)}/c${i}`,
    );
    for (let set = 0; set * 20 < names.length; set += 1) {
      const cols = names.slice(set * 20, set * 20 + 20);
      device.say('def', { c: 1, s: 100 + set, cols: cols.map((name) => [name]) });
      device.frame({ n: set + 1 }, [
        { s: 100 + set, t: Date.now() * 1000, v: cols.map((_, i) => i) },
      ]);
      await device.acked(set + 1);
    }
    for (const rx of [undefined, 32_768, 1_000_000]) {
      const peer = await dashboard(bed(), codec, { rx });
      peer.sub({ p: [`${device.device}/#`] });
      await peer.until('state', isLive());
      const lengths = peer.payloads.map(({ length }) => length);
      expect(topicsOf(peer)).toHaveLength(600);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(32_768);
      expect(Math.max(...lengths)).toBeGreaterThan(16_384);
    }
  },
);

rule(
  'R11.5-4',
  'without lim a flush stops while the socket has more than 256 KiB unsent',
  CORE,
  () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    rig.put(series, 1, { mean: 1 });
    rig.open(1);
    rig.sub(1);
    rig.advance(100);
    rig.taken(1);
    rig.port.unsent = 256 * 1024 + 1;
    rig.put(series, 2, { mean: 2 });
    rig.advance(1000);
    expect(rig.taken(1).filter(({ k }) => k === 'data')).toEqual([]);
    rig.port.unsent = 256 * 1024;
    rig.advance(100);
    expect(rig.taken(1).filter(({ k }) => k === 'data')).toHaveLength(1);
  },
);
