import { expect } from 'vitest';
import { useBed } from './bed.ts';
import type { Heard } from './hearing.ts';
import { publisher } from './peer.ts';
import { headersOf, isUncertain } from './record.ts';
import { CODECS, rule } from './rule.ts';
import { sessionScenes, welcomeOf } from './scenes.ts';

/** §4.1: numbers at `welcome`, lanes without state, QoS from session to session. */

const bed = useBed();
const { settled, resume } = sessionScenes(bed);

const laneOf = (welcome: Heard, lane: number) => welcome.f.find(([c]) => c === lane);

rule(
  'R4.1-13',
  'adm includes what is still in the pipeline: sent again it is a duplicate',
  CODECS,
  async (codec) => {
    await bed().log.holding(async (release) => {
      const { peer, ep } = await settled(codec, 0);
      const cost = peer.frame({ n: 1 }) + 64;
      await peer.barrier();
      const again = await resume(codec, peer.device, { ep, ch: [[1, 1, 1]] });
      expect(laneOf(await welcomeOf(again), 1)).toEqual([1, 0, 16_512 - cost]);
      again.frame({ n: 1 });
      await again.barrier();
      expect(again.lane(1).ack).toBe(0);
      release();
      await again.acked(1);
      expect(bed().log.of(peer.device)).toHaveLength(1);
    });
  },
);

rule('R4.1-13', 'adm includes refused frames', CODECS, async (codec) => {
  const { peer, ep } = await settled(codec, 1);
  peer.frame({ n: 2 }, [{ s: 99, t: 1, v: [1] }]);
  await peer.until('reject');
  const again = await resume(codec, peer.device, { ep, ch: [[1, 1, 1]] });
  expect(laneOf(await welcomeOf(again), 1)?.[1]).toBe(2);
  again.frame({ n: 2 });
  again.frame({ n: 3 });
  await again.acked(3);
  expect(bed().log.of(peer.device)).toHaveLength(3);
});

rule(
  'R4.1-13 R6.2-6',
  'first − 1 above adm: the numbers between are lost, ack waits for the record',
  CODECS,
  async (codec) => {
    const { peer, ep } = await settled(codec, 2);
    const again = await resume(codec, peer.device, { ep, ch: [[1, 1, 6]] });
    expect(laneOf(await welcomeOf(again), 1)?.[1]).toBe(2);
    again.frame({ n: 6 });
    await again.acked(6);
    const headers = headersOf(bed().log.of(peer.device));
    expect(headers.at(-1)).toMatchObject({ n: 6, lost: 3, ep });
    expect(isUncertain(headers.at(-1) as (typeof headers)[0])).toBe(false);
  },
);

rule(
  'R4.1-18 R4.1-19',
  'a lane without state: adm = ack = first − 1, nothing lost, the next record uncertain',
  CODECS,
  async (codec) => {
    const device = bed().newDevice();
    const peer = await publisher(bed(), codec, {
      device,
      hello: {
        ep: 77,
        ch: [
          [0, 1, 1],
          [1, 1, 10],
        ],
      },
    });
    const welcome = await welcomeOf(peer);
    expect([laneOf(welcome, 0)?.[1], laneOf(welcome, 1)?.[1]]).toEqual([0, 9]);
    // Whatever session sends it: the mark goes with the lane's next record.
    const again = await publisher(bed(), codec, {
      device,
      hello: {
        ep: 77,
        ch: [
          [0, 1, 1],
          [1, 1, 10],
        ],
      },
    });
    again.frame({ n: 10 });
    again.frame({ n: 11 });
    again.frame({ n: 1, c: 0 }, [{ s: 2, t: 1, v: [1] }]);
    await again.acked(11);
    await again.acked(1, 0);
    const headers = headersOf(bed().log.of(device));
    const seen = headers.map((header) => [header.lane, header.n, header.lost, isUncertain(header)]);
    expect(seen.sort()).toEqual([
      [0, 1, 0, false],
      [1, 10, 0, true],
      [1, 11, 0, false],
    ]);
  },
);

rule('R4.1-19', 'a stub carries the uncertain mark as well', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec, { hello: { ep: 77, ch: [[1, 1, 10]] } });
  peer.frame({ n: 10 }, [{ s: 99, t: 1, v: [1] }]);
  await peer.acked(10);
  expect(headersOf(bed().log.of(peer.device)).map(isUncertain)).toEqual([true]);
});

rule(
  'R4.1-22',
  'the QoS of a lane may change within an epoch; numbers go on',
  CODECS,
  async (codec) => {
    const { peer, ep } = await settled(codec, 2);
    const zero = await resume(codec, peer.device, {
      ep,
      ch: [
        [0, 1, 1],
        [1, 0, 3],
      ],
    });
    zero.frame({ n: 3 });
    await zero.acked(3);
    const one = await resume(codec, peer.device, {
      ep,
      ch: [
        [0, 1, 1],
        [1, 1, 4],
      ],
    });
    one.frame({ n: 4 });
    await one.acked(4);
    expect(headersOf(bed().log.of(peer.device)).map(({ n }) => n)).toEqual([1, 2, 3, 4]);
  },
);
