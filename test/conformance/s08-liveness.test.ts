import { expect } from 'vitest';
import { VirtualNode } from '../support/virtual-node.ts';
import { useBed } from './bed.ts';
import { dashboard, publisher } from './peer.ts';
import { CODECS, CORE, rule } from './rule.ts';

/** §8 on the server's side. */

const bed = useBed();

rule('R8-3', 'a WebSocket Ping follows welcome', CODECS, async (codec) => {
  const peer = await dashboard(bed(), codec);
  while (peer.pings === 0) await peer.event();
  expect(peer.pings).toBe(1);
});

rule('R8-3 R13-20', 'virtual time: a Ping every hb; no bytes for 3 hb ⇒ 4102', CORE, () => {
  for (const hb of [5000, 20_000]) {
    const node = new VirtualNode().start();
    const probes = countProbes(node);
    const session = node.connect('cbor', 'd');
    node.send(session, { k: 'hello', hb, ch: [[1, 1, 1]] });
    expect(probes()).toBe(1);
    node.pass(2 * hb + 500);
    expect(probes()).toBe(3);
    expect(node.closed(session)).toBeNull();
    node.pass(hb - 600);
    expect(node.closed(session)).toBeNull();
    node.pass(1200);
    expect(node.told(session, 'away')).toMatchObject([{ e: 4102 }]);
    expect(node.closed(session)).toBe(4102);
  }
});

/** How many WebSocket Pings the node has asked for. */
function countProbes(node: VirtualNode): () => number {
  let count = 0;
  const { gateway } = node;
  const step = gateway.step.bind(gateway);
  gateway.step = (input, now) => {
    const effects = step(input, now);
    count += effects.filter(({ kind }) => kind === 'probe').length;
    return effects;
  };
  return () => count;
}

rule(
  'R8-6 R8-3',
  'virtual time: a blocked client that answers Pings is left alone for hours',
  CORE,
  () => {
    const node = new VirtualNode().start();
    const session = node.publisher('d');
    node.isPrompt = false;
    for (let n = 1; n <= 2; n += 1) {
      node.frame(session, { n }, [{ s: 1, t: 1, dt: 1, v: [new Float64Array(1000)] }]);
    }
    for (let passed = 0; passed < 4 * 3_600_000; passed += 20_000) {
      node.pass(20_000);
      node.step({ kind: 'heard', session });
    }
    expect(node.closed(session)).toBeNull();
  },
);

rule(
  'R8-4',
  'a ping is answered with a flow of all lanes, with echo if it had now',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.say('ping', { now: -5 });
    const flow = await peer.until('flow', ({ echo }) => echo === -5);
    expect(flow.f).toHaveLength(2);
    const before = peer.heard.length;
    peer.say('ping');
    while (peer.heard.length === before) await peer.event();
    expect(peer.heard[before]?.k).toBe('flow');
    expect('echo' in (peer.heard[before] as object)).toBe(false);
  },
);

rule(
  'R8-4',
  'and with a state beat per subscription; with neither lanes nor subscriptions an empty flow',
  CODECS,
  async (codec) => {
    const viewer = await dashboard(bed(), codec);
    expect(await viewer.barrier()).toMatchObject({ k: 'flow', f: [] });
    for (const c of [1, 2]) {
      viewer.sub({ c });
      await viewer.until('state', (one) => one.c === c && one.st === 2);
    }
    viewer.say('ping', { now: 77 });
    const beats = await Promise.all(
      [1, 2].map((c) => viewer.until('state', (one) => one.c === c && one.echo === 77)),
    );
    expect(beats.map(({ st, now }) => [st, now > 0])).toEqual([
      [3, true],
      [3, true],
    ]);
    const both = await publisher(bed(), codec);
    both.sub({ c: 5 });
    await both.until('state', ({ st }) => st === 2);
    both.say('ping', { now: 78 });
    await both.until('state', ({ echo }) => echo === 78);
    expect((await both.until('flow', ({ echo }) => echo === 78)).f).toHaveLength(2);
  },
);

rule('R8-5 R14-15 R13-19', 'five pings at once pass, a sixth ⇒ 4101', CODECS, async (codec) => {
  const peer = await dashboard(bed(), codec);
  for (let i = 0; i < 5; i += 1) await peer.barrier();
  peer.say('ping');
  const { away, code } = await peer.end();
  expect([away?.e, code]).toEqual([4101, 4101]);
});

rule(
  'R8-5 R14-15',
  'virtual time: one a second goes on for ever, a little more does not',
  CORE,
  () => {
    const pinged = (everyMs: number, count: number): number | null => {
      const node = new VirtualNode().start();
      const session = node.publisher('d');
      for (let i = 0; i < count; i += 1) {
        node.send(session, { k: 'ping' });
        node.pass(everyMs);
      }
      return node.closed(session);
    };
    expect(pinged(1000, 600)).toBeNull();
    expect(pinged(990, 600)).toBe(4101);
  },
);

rule(
  'R8-1 R11.3-4',
  'virtual time: on every session a flow or state at least every hb',
  CORE,
  () => {
    const node = new VirtualNode().start();
    const hello = { k: 'hello', hb: 5000 } as const;
    const idle = node.connect('json');
    node.send(idle, hello);
    const viewer = node.connect('cbor');
    node.send(viewer, hello);
    for (const c of [1, 2]) node.send(viewer, { k: 'sub', c, p: ['#'], win: 1000 });
    for (let beat = 1; beat <= 20; beat += 1) {
      const before = [idle, viewer].map((session) => node.heard.get(session)?.messages.length ?? 0);
      node.pass(5000);
      for (const session of [idle, viewer]) node.step({ kind: 'heard', session });
      expect(node.told(idle, 'flow').length).toBeGreaterThanOrEqual(beat);
      const news = node.heard.get(viewer)?.messages.slice(before[1]) ?? [];
      const channels = new Set(news.flatMap((one) => (one.k === 'state' ? [one.c] : [])));
      expect([...channels].sort()).toEqual([1, 2]);
    }
  },
);
