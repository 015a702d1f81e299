import { expect } from 'vitest';
import { VirtualNode } from '../support/virtual-node.ts';
import { useBed } from './bed.ts';
import { padded } from './encoding.ts';
import { afterwards, blockOf, type Peer, publisher } from './peer.ts';
import { CODECS, CORE, rule } from './rule.ts';

/** §7 and §1's cost: what a peer can rely on whatever the allocator. */

const bed = useBed();

const W1 = 16_512;

const W0 = 4096;

/** Sends a frame whose payload is exactly so long. */
function send(peer: Peer, n: number, bytes: number, { c = 1, s = 1 } = {}): void {
  const b = [{ ...blockOf(), s }];
  peer.send(padded(peer.codec, { k: 'data', c, n, b }, bytes));
}

rule(
  'R1-4',
  'cost = payload length in bytes + 64; for JSON its UTF-8 length',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    const length = peer.frame({ n: 1 }, [blockOf('é€😀')]);
    await peer.acked(1);
    expect(peer.lane(1).lim).toBe(W1 + length + 64);
    expect(length).toBeGreaterThan(JSON.stringify('é€😀').length);
  },
);

rule('R7-1', 'costs count from 0 at welcome, per channel and connection', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  const cost = peer.frame({ n: 1 }) + 64;
  await peer.acked(1);
  expect([peer.lane(0).lim, peer.lane(1).lim]).toEqual([W0, W1 + cost]);
  const { ep } = await peer.until('welcome');
  const again = await publisher(bed(), codec, {
    device: peer.device,
    hello: {
      ep,
      ch: [
        [0, 1, 1],
        [1, 1, 2],
      ],
    },
  });
  expect([again.lane(0).lim, again.lane(1).lim]).toEqual([W0, W1]);
});

rule(
  'R7-4',
  'an entry of f, bl or wm for a channel that the server does not have is ignored',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.say('flow', {
      f: [
        [1, 99, 99],
        [7, 99, 99],
        [0, 5, 5],
        [65_536, 1, 1],
      ],
    });
    peer.say('ping', {
      bl: [
        [2, 5],
        [77, 5],
      ],
      wm: [
        [2, 5],
        [77, 5],
      ],
    });
    peer.frame({ n: 1 });
    await peer.acked(1);
  },
);

rule('R7-7', 'lim never decreases on a connection', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  for (let n = 1; n <= 30; n += 1) peer.frame({ n });
  await peer.acked(30);
  await peer.barrier();
  const limits = peer.heard
    .flatMap(({ f }) => f ?? [])
    .filter(([c]) => c === 1)
    .map(([, , lim]) => lim);
  expect([...limits].sort((a, b) => a - b)).toEqual(limits);
});

rule(
  'R7-8',
  'lim = settled + W: credit returns with settlement, not with receipt',
  CODECS,
  async (codec) => {
    await bed().log.holding(async (release) => {
      const peer = await publisher(bed(), codec);
      const cost = peer.frame({ n: 1 }) + 64;
      await peer.barrier();
      expect(peer.lane(1)).toMatchObject({ ack: 0, lim: W1 });
      release();
      await peer.acked(1);
      expect(peer.lane(1).lim).toBe(W1 + cost);
    });
  },
);

rule(
  'R7-8',
  'settled is less what earlier connections have in the pipeline, of any epoch',
  CODECS,
  async (codec) => {
    await bed().log.holding(async (release) => {
      const peer = await publisher(bed(), codec);
      const first = peer.frame({ n: 1 }) + 64;
      await peer.barrier();
      const anew = await publisher(bed(), codec, { device: peer.device });
      expect(anew.lane(1).lim).toBe(W1 - first);
      const second = anew.frame({ n: 1 }) + 64;
      await anew.barrier();
      const third = await publisher(bed(), codec, { device: peer.device });
      expect(third.lane(1).lim).toBe(W1 - first - second);
      expect(third.lane(0).lim).toBe(W0);
      release();
      await third.until('flow', ({ f }) => f.some(([c, , lim]) => c === 1 && lim === W1));
    });
  },
);

rule(
  'R7-9',
  'virtual time: Σ(lim − settled) stays within the budget, pipelines of left devices included',
  CORE,
  () => {
    const budgetBytes = 100_000;
    const node = new VirtualNode(undefined, { budgetBytes }).start();
    node.isPrompt = false;
    for (let i = 0; i < 40; i += 1) {
      const session = node.publisher(`d${i}`);
      if (node.closed(session) === null) node.frame(session, { n: 1 });
      if (i % 3 === 0) node.disconnect(session);
      node.pass(600);
      expect(node.gateway.ingest.credit.outstanding).toBeLessThanOrEqual(budgetBytes);
      expect(node.gateway.ingest.credit.promisedBytes).toBeLessThanOrEqual(budgetBytes);
    }
    expect(node.gateway.ingest.credit.outstanding).toBeGreaterThan(budgetBytes / 2);
  },
);

rule(
  'R7-13 R13-14',
  'received + cost = lim passes, one byte more ⇒ 4006',
  CODECS,
  async (codec) => {
    await bed().log.holding(async () => {
      const lanes = [
        [1, 1, W1],
        [0, 2, W0],
      ] as const;
      for (const [c, s, window] of lanes) {
        const half = window / 2 - 64;
        const exact = await publisher(bed(), codec);
        for (const n of [1, 2]) send(exact, n, Math.min(half, c === 0 ? 1984 : 8192), { c, s });
        await exact.barrier();
        const beyond = await afterwards(bed(), codec, (peer) => {
          send(peer, 1, half, { c, s });
          send(peer, 2, half - 400, { c, s });
          send(peer, 3, 337, { c, s });
        });
        expect(beyond, `lane ${c}`).toEqual({ code: 4006, named: null });
      }
    });
  },
);

rule(
  'R7-13',
  'the greatest limit ever sent counts: a frame up to it passes after a flow',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    send(peer, 1, 8192);
    await peer.acked(1);
    await bed().log.holding(async () => {
      let room = peer.lane(1).lim - 8256;
      expect(room).toBe(W1);
      for (let n = 2; room >= 500; n += 1) {
        const bytes = Math.min(8192, room - 64);
        send(peer, n, bytes);
        room -= bytes + 64;
      }
      await peer.barrier();
      peer.frame({ n: 4 });
      expect((await peer.end()).code).toBe(4006);
    });
  },
);
