import { expect } from 'vitest';
import type { Codec } from '../../src/model/machine.ts';
import { useBed } from './bed.ts';
import { type Fields, padded, type Value } from './encoding.ts';
import { afterwards, type Peer, publisher } from './peer.ts';
import { CODECS, rule } from './rule.ts';

/** §5.2, §5.3 and §14: how many blocks, how long a frame and a message.  */

const bed = useBed();

const T = 1_700_000_000_000_000;

const block = (fields: Fields): Fields => ({ s: 1, t: T, v: [1], ...fields });

/** Sends these blocks as one frame: the code it is rejected with, or 0 once it is acked. */
async function verdict(codec: Codec, blocks: Value, peer?: Peer): Promise<number> {
  const session = peer ?? (await publisher(bed(), codec));
  session.frame({ n: 1 }, blocks);
  await session.acked(1);
  const reject = session.heard.find(({ k }) => k === 'reject');
  return reject?.e ?? 0;
}

const many = (count: number): Value => Array.from({ length: count }, () => block({}));

rule(
  'R5.2-1 R14-7 R13-28',
  '64 blocks pass, 65 are rejected 4021; none ⇒ 4000',
  CODECS,
  async (codec) => {
    expect(await verdict(codec, many(64))).toBe(0);
    expect(await verdict(codec, many(65))).toBe(4021);
    expect((await afterwards(bed(), codec, (peer) => peer.frame({ n: 1 }, []))).code).toBe(4000);
  },
);

rule('R5.2-1', "all blocks are of sets of the frame's lane", CODECS, async (codec) => {
  expect(await verdict(codec, [block({}), block({ s: 2 })])).toBe(4021);
});

rule(
  'R5.3-4 R14-3 R13-17',
  'a frame of mf bytes passes, one byte more ⇒ 4009, naming the frame',
  CODECS,
  async (codec) => {
    for (const [lane, s, mf] of [
      [0, 2, 1984],
      [1, 1, 8192],
    ] as const) {
      const words = { k: 'data', c: lane, n: 1, b: [{ s, t: T, v: [1] }] };
      const frameOf = (bytes: number) => padded(codec, words, bytes);
      const peer = await publisher(bed(), codec);
      const exact = frameOf(mf);
      expect(Buffer.byteLength(exact)).toBe(mf);
      peer.send(exact);
      await peer.acked(1, lane);
      const ended = await afterwards(bed(), codec, (one) => one.send(frameOf(mf + 1)));
      expect(ended).toEqual({ code: 4009, named: [lane, 1] });
    }
  },
);

rule(
  'R14-1 R13-6',
  'a message of 16 KiB is decoded, one byte more ⇒ 1009',
  CODECS,
  async (codec) => {
    const ping = (bytes: number) => (peer: Peer) => peer.send(padded(codec, { k: 'ping' }, bytes));
    const peer = await publisher(bed(), codec);
    ping(16_384)(peer);
    await peer.barrier();
    expect((await afterwards(bed(), codec, ping(16_385))).code).toBe(1009);
  },
);
