import { expect } from 'vitest';
import { LOG } from '../../src/model/record.ts';
import { emptyHeader, HEADER_BYTES_MAX, writeHeader } from '../../src/wire/record-header.ts';
import { emptyDisk, VirtualNode } from '../support/virtual-node.ts';
import { useBed } from './bed.ts';
import { Peer, publisher } from './peer.ts';
import { FRAME } from './record.ts';
import { CODECS, CORE, rule } from './rule.ts';
import { sessionScenes, welcomeOf } from './scenes.ts';

/** §4.1, steps 3 and 4: epochs and takeover. */

const bed = useBed();
const { settled, resume } = sessionScenes(bed);

/** A frame of this epoch in the log, as the fence that counts left it. */
function recordOf(device: string, lane: number, epoch: number) {
  const tg = new Uint8Array(HEADER_BYTES_MAX);
  const header = { ...emptyHeader(), kind: FRAME as 0, lane, epoch, n: 1, gen: 1 };
  const end = writeHeader(tg, 0, header);
  const log = lane === 0 ? LOG.alarms : LOG.readings;
  const value = Buffer.from('a40003010102010380', 'hex');
  return {
    log,
    shard: shardOfKey(device),
    offset: 1,
    key: Buffer.from(device),
    tg: tg.slice(0, end),
    value,
  };
}

const shardOfKey = (device: string): number => {
  const node = new VirtualNode().start();
  node.publisher(device);
  return node.gateway.ingest.devices.find(device)?.shard ?? 0;
};

rule('R4.1-10', 'with ep: welcome.ep = hello.ep', CODECS, async (codec) => {
  const { peer, ep } = await settled(codec, 2);
  const again = await resume(codec, peer.device, { ep, ch: [[1, 1, 3]] });
  expect(await welcomeOf(again)).toMatchObject({ ep, f: [[1, 2, 16_512]] });
});

rule('R4.1-10 R13-15', 'with ep: if a newer epoch is known ⇒ 4007', CODECS, async (codec) => {
  const { peer, ep } = await settled(codec, 1);
  const newer = await resume(codec, peer.device, {});
  newer.frame({ n: 1 });
  await newer.acked(1);
  const stale = await Peer.open(bed(), codec, { bearer: peer.device });
  stale.say('hello', { ep, ch: [[1, 1, 2]] });
  const { away, code } = await stale.end();
  expect([away?.e, code]).toEqual([4007, 4007]);
  newer.frame({ n: 2 });
  await newer.acked(2);
});

rule(
  'R4.1-11 R4.1-16',
  'without ep one is minted: unique and greater than all before',
  CODECS,
  async (codec) => {
    const device = bed().newDevice();
    const epochs: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      const peer = await publisher(bed(), codec, { device });
      epochs.push((await welcomeOf(peer)).ep);
      if (i % 2 === 0) {
        peer.frame({ n: 1 });
        await peer.acked(1);
      }
    }
    expect([...epochs].sort((a, b) => a - b)).toEqual(epochs);
    expect(new Set(epochs).size).toBe(5);
    const other = await publisher(bed(), codec);
    expect((await welcomeOf(other)).ep).toBeGreaterThan(epochs.at(-1) as number);
  },
);

rule(
  'R4.1-16',
  'an epoch is minted above every one in the log, of lane 3 too, whatever the clock',
  CORE,
  () => {
    for (const lane of [0, 1, 2, 3]) {
      const disk = emptyDisk();
      new VirtualNode(disk).start();
      const ahead = new VirtualNode().now.wallUs + 86_000_000 * 1024;
      disk.records.push(recordOf('d', lane, ahead));
      const node = new VirtualNode(disk).start();
      const session = node.publisher('d');
      expect(node.told(session, 'welcome')[0]?.ep, `lane ${lane}`).toBeGreaterThan(ahead);
    }
  },
);

rule(
  'R4.1-12 R13-22',
  'the earlier connection gets away 4104 and is closed, and admits nothing more',
  CODECS,
  async (codec) => {
    const { peer, ep } = await settled(codec, 1);
    const newer = await resume(codec, peer.device, {
      ep,
      ch: [
        [0, 1, 1],
        [1, 1, 2],
      ],
    });
    peer.frame({ n: 2 });
    const { away, code } = await peer.end();
    expect([away?.e, code]).toEqual([4104, 4104]);
    await newer.barrier();
    expect(bed().log.of(peer.device)).toHaveLength(1);
    newer.frame({ n: 2 });
    await newer.acked(2);
  },
);

rule('R13-22 R4.1-6', '4104 is for publishers only', CODECS, async (codec) => {
  const device = bed().newDevice();
  const [one, two] = [
    await Peer.open(bed(), codec, { bearer: device }),
    await Peer.open(bed(), codec, { bearer: device }),
  ];
  await one.hello();
  await two.hello();
  await one.barrier();
  await two.barrier();
});

rule(
  'R4.1-15',
  'an epoch of which nothing was admitted is not known: a stray hello makes nobody stale',
  CODECS,
  async (codec) => {
    const { peer, ep } = await settled(codec, 1);
    await resume(codec, peer.device, {});
    const again = await resume(codec, peer.device, { ep, ch: [[1, 1, 2]] });
    expect((await welcomeOf(again)).ep).toBe(ep);
  },
);

rule(
  'R1-5',
  "frames of lane 3 have epochs of their own: they make the device's own none stale",
  CORE,
  () => {
    const disk = emptyDisk();
    new VirtualNode(disk).start();
    disk.records.push(recordOf('d', 3, 5_000_000));
    const node = new VirtualNode(disk).start();
    const session = node.publisher('d', { ep: 77, first: 3 });
    expect([node.closed(session), node.told(session, 'welcome')[0]?.ep]).toEqual([null, 77]);
  },
);

rule(
  'R4.1-17',
  'virtual time: an unknown ep up to a day ahead is taken, one beyond ⇒ 4007',
  CORE,
  () => {
    const node = new VirtualNode().start();
    const most = (Math.floor(node.now.wallUs / 1000) + 86_400_000) * 1024;
    const sessions = [most, most + 1].map((ep, i) => node.publisher(`d${i}`, { ep }));
    expect(sessions.map((session) => node.closed(session))).toEqual([null, 4007]);
  },
);

rule('R4.1-17', 'an impossible epoch ⇒ 4007', CODECS, async (codec) => {
  const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
  peer.say('hello', { ep: Number.MAX_SAFE_INTEGER, ch: [[1, 1, 1]] });
  expect((await peer.end()).code).toBe(4007);
});
