import { expect } from 'vitest';
import type { Codec } from '../../src/model/machine.ts';
import { useBed } from './bed.ts';
import { type Fields, padded, type Value, Verbatim } from './encoding.ts';
import { afterwards, blockOf, type Peer, publisher } from './peer.ts';
import { FRAME, headersOf, isUncertain, STUB } from './record.ts';
import { CODECS, rule } from './rule.ts';

/** §6.1 and §6.2: numbers, order of checks, what is lost. */

const bed = useBed();

const W = 16_512;

const BAD_SET = [{ s: 99, t: 1, v: [1] }];

/** Blocks that are malformed in either codec. */
const BROKEN = new Verbatim(Uint8Array.of(0x81, 0xff), '[{"s":"x"}]');

const ep = async (peer: Peer): Promise<number> => (await peer.until('welcome')).ep;

const back = async (codec: Codec, peer: Peer, ch: Value): Promise<Peer> =>
  publisher(bed(), codec, { device: peer.device, hello: { ep: await ep(peer), ch } });

const headers = (peer: Peer) => headersOf(bed().log.of(peer.device));

/** Uses up the window of lane 1, then sends one frame more. */
function exhausted(peer: Peer, last: { readonly n: number; readonly lost?: number }): void {
  let n = 1;
  for (let sent = 0; sent < W; n += 1) {
    const bytes = Math.min(8192, W - sent - 64);
    peer.send(padded(peer.codec, { k: 'data', c: 1, n, b: [blockOf()] }, bytes));
    sent += bytes + 64;
  }
  peer.frame(last);
}

rule('R6.1-4', 'lost ≥ n ⇒ 4000, naming the frame', CODECS, async (codec) => {
  for (const [n, lost] of [
    [1, 1],
    [3, 3],
    [3, 4],
  ] as const) {
    const ended = await afterwards(bed(), codec, (peer) => peer.frame({ n, lost }));
    expect(ended).toEqual({ code: 4000, named: [1, n] });
  }
  const peer = await publisher(bed(), codec);
  peer.frame({ n: 3, lost: 2 });
  await peer.acked(3);
});

rule(
  'R6.2-1',
  'the order: lane, mf, lost < n, credit, sequence, the rest, sets and shape',
  CODECS,
  async (codec) => {
    const long = (fields: Fields): Uint8Array | string =>
      padded(codec, { k: 'data', c: 1, n: 1, b: [blockOf()], ...fields }, 8193);
    const misordered = (fields: Fields, b: Value) => (peer: Peer) =>
      void peer.frame({ n: 1, ...fields }, b);
    const cases: readonly [what: string, act: (peer: Peer) => void, code: number][] = [
      ['a lane not granted before mf', (peer) => peer.send(long({ c: 2 })), 4001],
      ['mf before lost < n', (peer) => peer.send(long({ n: 2, lost: 5 })), 4009],
      ['lost < n before credit', (peer) => exhausted(peer, { n: 4, lost: 9 }), 4000],
      ['credit before sequence', (peer) => exhausted(peer, { n: 90 }), 4006],
      ['sequence before sets', misordered({ n: 3 }, BAD_SET), 4008],
      [
        'the rest before sets',
        misordered({}, [...BAD_SET, { s: 99, t: 1, v: [1], '!x': 1 }]),
        4005,
      ],
    ];
    for (const [what, act, code] of cases) {
      const ended = await bed().log.holding(async () => await afterwards(bed(), codec, act));
      expect(ended.code, what).toBe(code);
    }
    // JSON is parsed once, before.
    const broken = await afterwards(bed(), codec, misordered({ n: 3 }, BROKEN));
    expect(broken.code).toBe(codec === 'cbor' ? 4008 : 4000);
  },
);

rule('R6.2-1', 'a frame that closes its session is not admitted', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  peer.frame({ n: 1 });
  await peer.acked(1);
  peer.frame({ n: 2 }, BROKEN);
  await peer.closed;
  const again = await back(codec, peer, [[1, 1, 2]]);
  again.frame({ n: 2 });
  await again.acked(2);
  expect(headers(peer).map(({ n }) => n)).toEqual([1, 2]);
});

rule(
  'R6.2-2',
  'n ≤ adm is a duplicate: discarded undecoded, settled at once',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    const first = peer.frame({ n: 1 }) + 64;
    await peer.acked(1);
    // In CBOR the rest is not even looked at; JSON is parsed before.
    const second = codec === 'cbor' ? peer.frame({ n: 1 }, BROKEN) : peer.frame({ n: 1 }, BAD_SET);
    await peer.barrier();
    expect(peer.lane(1)).toMatchObject({ ack: 1, lim: W + first + second + 64 });
    expect(headers(peer)).toHaveLength(1);
  },
);

rule(
  'R6.2-2',
  'a duplicate of what is still in the pipeline is settled before it',
  CODECS,
  async (codec) => {
    await bed().log.holding(async () => {
      const peer = await publisher(bed(), codec);
      const cost = peer.frame({ n: 1 }) + 64;
      peer.frame({ n: 1 });
      await peer.barrier();
      expect(peer.lane(1)).toMatchObject({ ack: 0, lim: W + cost });
    });
  },
);

rule('R6.2-7', 'a duplicate counts toward received', CODECS, async (codec) => {
  await bed().log.holding(async () => {
    const ended = await afterwards(bed(), codec, (peer) => {
      const bytes = W / 2 - 64;
      const frame = (n: number): void =>
        peer.send(padded(codec, { k: 'data', c: 1, n, b: [blockOf()] }, bytes));
      frame(1);
      frame(2);
      // Settled at once, so that the next frame would fit if this one had not counted.
      peer.send(padded(codec, { k: 'data', c: 1, n: 1, b: [blockOf()] }, bytes));
      frame(3);
    });
    expect(ended.code).toBe(4006);
  });
});

rule(
  'R6.2-3',
  'n − lost − 1 ≤ adm: admitted, and the numbers skipped are lost',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.frame({ n: 1 });
    peer.frame({ n: 5, lost: 3 });
    peer.frame({ n: 7, lost: 6 });
    peer.frame({ n: 8, lost: 0 });
    await peer.acked(8);
    expect(headers(peer).map(({ n, lost }) => [n, lost])).toEqual([
      [1, 0],
      [5, 3],
      [7, 1],
      [8, 0],
    ]);
  },
);

rule('R6.2-4 R13-16', 'an undeclared hole at QoS 1 ⇒ 4008', CODECS, async (codec) => {
  for (const [n, lost] of [
    [2, 0],
    [5, 3],
  ] as const) {
    expect((await afterwards(bed(), codec, (peer) => peer.frame({ n, lost }))).code).toBe(4008);
  }
});

rule('R6.2-5', 'an undeclared hole at QoS 0 is admitted', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec, { hello: { ch: [[1, 0, 1]] } });
  peer.frame({ n: 4 });
  peer.frame({ n: 9, lost: 1 });
  await peer.acked(9);
  expect(headers(peer).map(({ n }) => n)).toEqual([4, 9]);
});

rule(
  'R6.2-6',
  'ack does not pass lost numbers before the record that counts them is durable',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.frame({ n: 1 });
    await peer.acked(1);
    await bed().log.holding(async (release) => {
      peer.frame({ n: 4, lost: 2 });
      await peer.barrier();
      expect(peer.lane(1).ack).toBe(1);
      release();
      await peer.acked(4);
    });
    expect(headers(peer).at(-1)).toMatchObject({ n: 4, lost: 2 });
  },
);

rule(
  'R6.2-6 R4.1-13',
  'lost counts from the previous record, over connections, stubs included',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.frame({ n: 1 });
    peer.frame({ n: 2 }, BAD_SET);
    await peer.acked(2);
    const second = await back(codec, peer, [[1, 1, 4]]);
    const third = await back(codec, second, [[1, 1, 6]]);
    third.frame({ n: 8, lost: 2 });
    await third.acked(8);
    expect(headers(peer).map(({ kind, n, lost }) => [kind, n, lost])).toEqual([
      [FRAME, 1, 0],
      [STUB, 2, 0],
      [FRAME, 8, 5],
    ]);
  },
);

rule(
  'R6.2-8',
  'missing at QoS 0 is never lost; a lane that goes from QoS 0 to 1 is uncertain once',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec, { hello: { ch: [[1, 0, 1]] } });
    peer.frame({ n: 3, lost: 2 });
    await peer.acked(3);
    const one = await back(codec, peer, [[1, 1, 6]]);
    one.frame({ n: 6 });
    one.frame({ n: 8, lost: 1 });
    await one.acked(8);
    const seen = headers(peer).map((header) => [header.n, header.lost, isUncertain(header)]);
    expect(seen).toEqual([
      [3, 0, false],
      [6, 0, true],
      [8, 1, false],
    ]);
  },
);

rule(
  'R6.2-8 R6.3-1',
  'at QoS 0 numbers skipped by first are processed, not waited for',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec, { hello: { ch: [[1, 0, 1]] } });
    peer.frame({ n: 1 });
    await peer.acked(1);
    const again = await back(codec, peer, [[1, 0, 6]]);
    await again.barrier();
    expect(again.lane(1).ack).toBe(5);
    again.frame({ n: 6 });
    await again.acked(6);
    expect(headers(peer).map(({ n, lost }) => [n, lost])).toEqual([
      [1, 0],
      [6, 0],
    ]);
  },
);
