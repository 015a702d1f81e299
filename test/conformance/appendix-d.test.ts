import { expect } from 'vitest';
import { TidegateReader } from '../../src/consumer/tidegate-reader.ts';
import { LOG } from '../../src/model/record.ts';
import { hex } from '../support/bytes.ts';
import { recordOf } from '../support/log-records.ts';
import { emptyDisk, VirtualNode } from '../support/virtual-node.ts';
import { useBed } from './bed.ts';
import type { Value } from './encoding.ts';
import { publisher } from './peer.ts';
import { FENCE, headerOf, headersOf } from './record.ts';
import { CODECS, READER, rule } from './rule.ts';
import { recordScenes } from './scenes.ts';

/** App. D: headers of records, read by hand. */

const bed = useBed();
const { device } = recordScenes(bed);

rule(
  'RD-3 RD-4 RD-5 RD-6 RD-9 RD-10 RD-11',
  'version 1, kind, flags, lane, gen, epoch and n; 0 for both in a fence',
  CODECS,
  async (codec) => {
    const peer = await device(codec);
    const { ep } = await peer.until('welcome');
    const records = headersOf(bed().log.of(peer.device));
    for (const header of records)
      expect(header).toMatchObject({ version: 1, flags: 0, gen: 1, ep });
    const fences = bed()
      .log.records.filter((one) => one.log !== LOG.aggregates)
      .map((one) => ({ log: one.log, ...headerOf(one) }))
      .filter(({ kind }) => kind === FENCE);
    expect(fences).toHaveLength(8);
    for (const { log, lane, ...fence } of fences) {
      expect(fence).toMatchObject({
        version: 1,
        flags: 0,
        gen: 1,
        ep: 0,
        n: 0,
        lost: 0,
        hashes: [],
      });
      expect(lane).toBe(log === LOG.alarms ? 0 : 1);
    }
  },
);

rule(
  'RD-5',
  'flags: bit 1 is the QoS of the lane, bit 0 the uncertain mark',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec, { hello: { ep: 77, ch: [[1, 0, 5]] } });
    peer.frame({ n: 5 });
    peer.frame({ n: 6 });
    await peer.acked(6);
    expect(headersOf(bed().log.of(peer.device)).map(({ flags }) => flags)).toEqual([3, 2]);
  },
);

rule('RD-3', 'a reader stops at a version it does not know', READER, () => {
  const reader = new TidegateReader();
  const { key, tg, value } = recordOf({});
  tg[0] = 2;
  expect(() => reader.read('readings', 0, { offset: 0, key, value, headers: { tg } })).toThrow(
    /does not know/,
  );
});

rule(
  'RD-7',
  'own is random per ownership, and the same in all records of one',
  CODECS,
  async (codec) => {
    const peer = await device(codec);
    const owns = new Set(
      bed()
        .log.records.filter(({ log }) => log !== LOG.aggregates)
        .map((record) => headerOf(record).own),
    );
    expect(owns.size).toBe(1);
    expect([...owns][0]).not.toBe('0000000000000000');
    expect(bed().log.of(peer.device).length).toBe(3);
    const disk = emptyDisk();
    new VirtualNode(disk).start();
    new VirtualNode(disk).start();
    expect(new Set(disk.records.map((record) => headerOf(record).own)).size).toBe(2);
    expect(new Set(disk.records.map((record) => headerOf(record).gen))).toEqual(new Set([1, 2]));
  },
);

rule('RD-8 R4.3-7', 'receive time in µs', CODECS, async (codec) => {
  const before = Date.now() * 1000;
  const peer = await device(codec);
  for (const { recv } of headersOf(bed().log.of(peer.device))) {
    expect(Math.abs(recv - before)).toBeLessThan(5_000_000);
  }
});

rule(
  'RD-12',
  'lost: n − 1 − the previous record of the epoch, 0 without one; 0 at QoS 0 and with uncertain',
  CODECS,
  async (codec) => {
    const lostOf = async (
      hello: Record<string, Value>,
      ...frames: readonly (readonly [number, number])[]
    ): Promise<number[]> => {
      const peer = await publisher(bed(), codec, { hello });
      for (const [n, lost] of frames) peer.frame({ n, lost });
      await peer.acked(frames.at(-1)?.[0] ?? 0);
      return headersOf(bed().log.of(peer.device)).map((header) => header.lost);
    };
    expect(await lostOf({ ch: [[1, 1, 1]] }, [3, 2], [4, 0], [9, 4])).toEqual([2, 0, 4]);
    expect(await lostOf({ ch: [[1, 0, 1]] }, [3, 2], [9, 5])).toEqual([0, 0]);
    expect(await lostOf({ ep: 77, ch: [[1, 1, 5]] }, [7, 2], [9, 1])).toEqual([0, 1]);
  },
);

rule('RD-13', 'clock offset, zigzag; 0 = unknown', CODECS, async (codec) => {
  const offsetOf = async (now: number | undefined): Promise<number> => {
    const peer = await publisher(bed(), codec, { hello: { now } });
    peer.frame({ n: 1 });
    await peer.acked(1);
    return headersOf(bed().log.of(peer.device))[0]?.clockOffset ?? Number.NaN;
  };
  expect(await offsetOf(undefined)).toBe(0);
  expect(Math.abs((await offsetOf(Date.now() * 1000 + 60_000_000)) + 60_000_000)).toBeLessThan(
    1_000_000,
  );
});

rule('RD-4 RD-7 RD-8 RD-13 RD-14', 'the header of the page, byte by byte', READER, () => {
  const tg = hex(`01 00 00 01  e2 01 aa 55 1b 2c 3c 9f  30 11 f8 d6 7e 42 06 00
    07  c9 d5 c2 d7 ad 9e 9a 03  c3 c6 04  00  a4 e8 03
    01  d5 18 e2 f8 c1 b3 fd 16 cb 8d dc 39 52 be f5 f8`);
  expect(tg).toHaveLength(53);
  expect(headerOf({ tg })).toEqual({
    version: 1,
    kind: 0,
    flags: 0,
    lane: 1,
    own: 'e201aa551b2c3c9f',
    recv: 1_761_962_400_158_000,
    gen: 7,
    ep: 1_804_242_124_843_721,
    n: 74_563,
    lost: 0,
    clockOffset: 31_250,
    hashes: ['d518e2f8c1b3fd16cb8ddc3952bef5f8'],
  });
});
