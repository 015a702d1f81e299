import { expect } from 'vitest';
import type { Codec } from '../../src/model/machine.ts';
import { useBed } from './bed.ts';
import { padded, type Value } from './encoding.ts';
import { blockOf, dashboard, type Peer, publisher } from './peer.ts';
import { CODECS, rule } from './rule.ts';

/** §7: lanes, and what goes on without credit. */

const bed = useBed();

const W1 = 16_512;

const W0 = 4096;

/** Sends a frame whose payload is exactly so long. */
function send(peer: Peer, n: number, bytes: number, { c = 1, s = 1 } = {}): void {
  const b = [{ ...blockOf(), s }];
  peer.send(padded(peer.codec, { k: 'data', c, n, b }, bytes));
}

/** A device whose window on lane 1 is used up to the last byte; the log is held. */
async function full(codec: Codec): Promise<Peer> {
  const peer = await publisher(bed(), codec);
  send(peer, 1, W1 / 2 - 64);
  send(peer, 2, W1 / 2 - 64);
  await peer.barrier();
  return peer;
}

rule('R7-5', 'from client to server only data is limited', CODECS, async (codec) => {
  await bed().log.holding(async () => {
    const peer = await full(codec);
    peer.say('def', { c: 1, s: 9, cols: [['b']] });
    peer.sub();
    peer.say('flow', { f: [[1, 0, 99_999]] });
    await peer.until('state', ({ st }) => st === 2);
    peer.say('end', { c: 1 });
    await peer.until('state', ({ st }) => st === 4);
    await peer.barrier();
  });
});

rule(
  'R7-14 R7-17 R8-6',
  'without credit the socket is read on: pings are answered and alarms go through',
  CODECS,
  async (codec) => {
    await bed().log.holding(
      async () => {
        const peer = await full(codec);
        await peer.barrier();
        peer.frame({ n: 1, c: 0 }, [{ s: 2, t: 1, v: [true] }]);
        await peer.acked(1, 0);
      },
      (log) => log === 0,
    );
  },
);

rule('R7-15', 'windows are granted without a ping', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  const { f } = await peer.until('welcome');
  expect(f.every(([, , lim]) => lim > 0)).toBe(true);
  for (let n = 1; n <= 8; n += 1) {
    send(peer, n, 8000);
    await peer.acked(n);
  }
});

rule(
  'R7-12',
  'lane 2 starts with lim 0; the first grant follows the ping that tells its backlog',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec, {
      hello: {
        ch: [
          [1, 1, 1],
          [2, 1, 1],
        ],
      },
    });
    const { f, ch } = await peer.until('welcome');
    expect([f.find(([c]) => c === 2), ch?.find(([c]) => c === 2)]).toEqual([
      [2, 0, 0],
      [2, 1, 8192],
    ]);
    expect((await peer.barrier()).f.find(([c]) => c === 2)).toEqual([2, 0, 0]);
    peer.say('ping', { bl: [[2, 0]] });
    expect((await peer.barrier()).f.find(([c]) => c === 2)).toEqual([2, 0, 0]);
    peer.say('ping', { bl: [[2, 5000]] });
    const flow = await peer.until('flow', (one) => one.f.some(([c, , lim]) => c === 2 && lim > 0));
    expect(flow.f.find(([c]) => c === 2)?.[2]).toBeGreaterThanOrEqual(8256);
    expect(peer.heard.filter((heard) => 'why' in heard)).toEqual([]);
    peer.frame({ n: 1, c: 2 }, [{ s: 3, t: 1, v: [1] }]);
    await peer.acked(1, 2);
  },
);

rule('R7-12', 'a frame on lane 2 before its first grant ⇒ 4006', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec, { hello: { ch: [[2, 1, 1]] } });
  peer.frame({ n: 1, c: 2 }, [{ s: 3, t: 1, v: [1] }]);
  expect((await peer.end()).code).toBe(4006);
});

rule(
  'R7-22',
  'a backlog does not reduce the window of a lower-numbered lane',
  CODECS,
  async (codec) => {
    await bed().log.holding(
      async () => {
        const peer = await full(codec);
        peer.say('ping', { bl: [[1, 5_000_000]] });
        for (let n = 1; n <= 5; n += 1) {
          send(peer, n, 400, { c: 0, s: 2 });
          await peer.acked(n, 0);
        }
        // Its share of lane 0 refills at 16 KiB/s, so a largest frame may take a moment to fit.
        const least = 5 * 464 + W0 / 2;
        if (peer.lane(0).lim < least) {
          await peer.until('flow', ({ f }) => f.some(([c, , lim]) => c === 0 && lim >= least));
        }
      },
      (log) => log === 0,
    );
  },
);

rule('R7-6', 'from server to client data and def are limited', CODECS, async (codec) => {
  const device = await publisher(bed(), codec);
  const names = (from: number): Value =>
    Array.from({ length: 60 }, (_, i) => [`${'n'.repeat(60)}/${'m'.repeat(50)}/c${from + i}`]);
  const sets = 8;
  for (let i = 0; i < sets; i += 1) {
    for (let half = 0; half < 2; half += 1) {
      const cols = (names(i * 60) as readonly Value[]).slice(half * 30, half * 30 + 30);
      device.say('def', { c: 1, s: 10 + 2 * i + half, cols });
      device.frame({ n: 2 * i + half + 1 }, [
        { s: 10 + 2 * i + half, t: 1, v: cols.map((_, at) => at) },
      ]);
      await device.acked(2 * i + half + 1);
    }
  }
  const viewer = await dashboard(bed(), codec);
  const lim = 32_832;
  viewer.sub({ p: [`${device.device}/#`], lim });
  await viewer.barrier();
  const costs = (): number =>
    viewer.payloads.reduce(
      (sum, { length }, i) =>
        ['def', 'data'].includes(viewer.heard[i]?.k ?? '') ? sum + length + 64 : sum,
      0,
    );
  await viewer.barrier();
  expect(costs()).toBeLessThanOrEqual(lim);
  expect(viewer.heard.filter(({ st }) => st === 2)).toEqual([]);
  viewer.say('flow', { f: [[1, 0, 10 * lim]] });
  await viewer.until('state', ({ st }) => st === 2);
  expect(costs()).toBeGreaterThan(lim);
});
