import { expect } from 'vitest';
import type { Codec } from '../../src/model/machine.ts';
import { LOG } from '../../src/model/record.ts';
import { useBed } from './bed.ts';
import { type Value, written } from './encoding.ts';
import { blockOf, type Peer, publisher } from './peer.ts';
import { framesOf } from './reading.ts';
import { headersOf, STUB } from './record.ts';
import { CODECS, rule } from './rule.ts';

/** §6.3 to §6.5: acks, refusals, and what a slow log changes. */

const bed = useBed();

const W = 16_512;

const BAD_SET = [{ s: 99, t: 1, v: [1] }];

const ep = async (peer: Peer): Promise<number> => (await peer.until('welcome')).ep;

const back = async (codec: Codec, peer: Peer, ch: Value): Promise<Peer> =>
  publisher(bed(), codec, { device: peer.device, hello: { ep: await ep(peer), ch } });

const headers = (peer: Peer) => headersOf(bed().log.of(peer.device));

rule(
  'R6.3-1',
  'ack never passes what is not finished, and never decreases',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    await bed().log.holding(async (release) => {
      peer.frame({ n: 1 });
      peer.frame({ n: 2 }, BAD_SET);
      peer.frame({ n: 2 }, BAD_SET);
      peer.frame({ n: 4, lost: 1 });
      await peer.barrier();
      expect(peer.lane(1).ack).toBe(0);
      release();
      await peer.acked(4);
    });
    const again = await back(codec, peer, [[1, 1, 2]]);
    await again.barrier();
    const acks = [peer, again].map((one) =>
      one.heard
        .flatMap(({ f }) => f ?? [])
        .filter(([c]) => c === 1)
        .map(([, ack]) => ack),
    );
    for (const list of acks) expect([...list].sort((a, b) => a - b)).toEqual(list);
    expect(acks[1]?.[0]).toBe(4);
  },
);

rule('R6.3-5 R6.3-6 R8-4', 'the answer to a ping covers all lanes', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  const { f } = await peer.barrier();
  expect(f.map(([c]) => c).sort()).toEqual([0, 1]);
});

rule(
  'R6.5-1 R6.5-3',
  'reject {c, n, e}, once dead letter and stub are durable, before the flow that passes n',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    await bed().log.holding(async (release) => {
      peer.frame({ n: 1 }, BAD_SET);
      peer.frame({ n: 2 });
      await peer.barrier();
      expect(peer.heard.map(({ k }) => k)).not.toContain('reject');
      release();
      await peer.acked(2);
    });
    const at = peer.heard.findIndex(({ k }) => k === 'reject');
    expect(peer.heard[at]).toMatchObject({ c: 1, n: 1, e: 4020 });
    const passing = peer.heard.findIndex(
      ({ k, f }) => k === 'flow' && f.some(([c, ack]) => c === 1 && ack >= 1),
    );
    expect(at).toBeLessThan(passing);
  },
);

rule(
  'R6.5-2',
  'the bytes go to the dead letters as they came, the stub to the log, at QoS 0 too',
  CODECS,
  async (codec) => {
    for (const qos of [0, 1]) {
      const peer = await publisher(bed(), codec, { hello: { ch: [[1, qos, 1]] } });
      const payload = written(codec, { k: 'data', c: 1, n: 1, b: BAD_SET, zzz: 'kept' });
      peer.send(payload);
      await peer.until('reject');
      const letter = bed().log.letters.find(({ device }) => device === peer.device);
      expect(letter).toMatchObject({ lane: 1, n: 1, code: 4020, epoch: await ep(peer) });
      expect(Buffer.from(letter?.bytes ?? [])).toEqual(Buffer.from(payload as string));
      expect(headers(peer)).toMatchObject([{ kind: STUB, lane: 1, n: 1 }]);
    }
  },
);

rule(
  'R6.5-5 R7-17',
  'while the log is slow good data is neither refused nor dropped: lim stalls',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    await bed().log.holding(async (release) => {
      let n = 0;
      for (let sent = 0; sent < 8000; n += 1) sent += peer.frame({ n: n + 1 }) + 64;
      await peer.barrier();
      await peer.barrier();
      expect(peer.lane(1)).toMatchObject({ ack: 0, lim: W });
      release();
      await peer.acked(n);
    });
    expect(peer.heard.map(({ k }) => k)).not.toContain('reject');
  },
);

rule(
  'R7-21 R6.3-3',
  'lane 0 is logged and acked ahead: it does not wait for a stalled readings log',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    await bed().log.holding(
      async () => {
        peer.frame({ n: 1 });
        peer.frame({ n: 1, c: 0 }, [{ s: 2, t: 1, v: [true] }]);
        await peer.acked(1, 0);
        expect(peer.lane(1).ack).toBe(0);
      },
      (log) => log === LOG.readings,
    );
  },
);

rule(
  'R6.4-2 R6.6-4',
  'at QoS 1 a reader gets every acked frame exactly once, whatever was sent again',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    for (const n of [1, 2, 1, 3, 2]) peer.frame({ n }, [blockOf(n)]);
    await peer.acked(3);
    const again = await back(codec, peer, [[1, 1, 2]]);
    for (const n of [2, 3, 4, 3]) again.frame({ n }, [blockOf(n)]);
    await again.acked(4);
    expect(framesOf(bed().log, peer.device).map(({ n }) => n)).toEqual([1, 2, 3, 4]);
  },
);
