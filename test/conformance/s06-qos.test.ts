import { rmSync } from 'node:fs';
import { expect } from 'vitest';
import { openFileLog } from '../../src/adapters/log/file-log.ts';
import { MemoryLog } from '../../src/adapters/log/memory-log.ts';
import { temporaryDirectory } from '../support/gateway-process.ts';
import { emptyDisk, VirtualNode } from '../support/virtual-node.ts';
import { Bed, useBed } from './bed.ts';
import { publisher } from './peer.ts';
import { headersOf } from './record.ts';
import { CODECS, CORE, rule } from './rule.ts';

/** §6.3 under virtual time, §6.4. */

const bed = useBed();

/** Flows of a session since `from`, with their entries. */
const flowsSince = (node: VirtualNode, session: number, from: number) =>
  node.told(session, 'flow').slice(from);

rule(
  'R6.3-3',
  'virtual time: lane 0 at once; others at once after 20 ms without a flow, else at their end',
  CORE,
  () => {
    const node = new VirtualNode().start();
    const session = node.publisher('d');
    node.send(session, { k: 'def', c: 0, s: 2, cols: [['alarm']] });
    node.pass(100);
    node.frame(session, { n: 1 });
    expect(node.flow(session, 1).ack).toBe(1);
    node.pass(5);
    node.frame(session, { n: 2 });
    expect(node.flow(session, 1).ack).toBe(1);
    node.frame(session, { c: 0, n: 1 }, [{ s: 2, t: 1, v: [true] }]);
    expect(node.flow(session, 0).ack).toBe(1);
    const before = node.told(session, 'flow').length;
    node.frame(session, { n: 3 });
    node.pass(15);
    expect(flowsSince(node, session, before)).toEqual([]);
    node.pass(9);
    expect(node.flow(session, 1).ack).toBe(3);
  },
);

rule('R6.3-6', 'virtual time: one flow covers all lanes that changed', CORE, () => {
  const node = new VirtualNode().start();
  const session = node.publisher('d');
  node.send(session, { k: 'def', c: 0, s: 2, cols: [['alarm']] });
  node.pass(100);
  node.frame(session, { n: 1 });
  node.frame(session, { n: 2 });
  const before = node.told(session, 'flow').length;
  node.frame(session, { c: 0, n: 1 }, [{ s: 2, t: 1, v: [true] }]);
  const [flow] = flowsSince(node, session, before);
  expect(flow?.f.map(([c, ack]) => [c, ack]).sort()).toEqual([
    [0, 1],
    [1, 2],
  ]);
});

rule(
  'R6.3-5 R8-1',
  'virtual time: a flow of all lanes at least every hb, whatever else is said',
  CORE,
  () => {
    for (const codec of ['cbor', 'json'] as const) {
      const node = new VirtualNode().start();
      const session = node.connect(codec, 'd');
      node.send(session, {
        k: 'hello',
        hb: 5000,
        ch: [
          [0, 1, 1],
          [1, 1, 1],
        ],
      });
      for (let beat = 1; beat <= 10; beat += 1) {
        node.pass(5000);
        node.step({ kind: 'heard', session });
        const full = node.told(session, 'flow').filter(({ f }) => f.length === 2);
        expect(full.length, `${codec}, beat ${beat}`).toBeGreaterThanOrEqual(beat);
      }
    }
  },
);

rule(
  'R6.3-4',
  'virtual time: a blocked client is told as soon as it could send again',
  CORE,
  () => {
    const node = new VirtualNode().start();
    const session = node.publisher('d');
    node.isPrompt = false;
    let sent = 0;
    for (let n = 1; sent + 8256 <= 16_512; n += 1) {
      sent += node.frame(session, { n }, [{ s: 1, t: 1, dt: 1, v: [new Float64Array(900)] }]) + 64;
    }
    node.pass(5000);
    expect(node.flow(session, 1).lim).toBe(16_512);
    node.isPrompt = true;
    node.land();
    node.pass(24);
    expect(node.flow(session, 1).lim).toBe(16_512 + sent);
  },
);

rule(
  'R6.3-4 R3.4-4',
  'virtual time: why 2 while the log takes nothing, 0 once it does, each told once',
  CORE,
  () => {
    const node = new VirtualNode(emptyDisk(), { isRecoverable: true }).start();
    const session = node.publisher('d');
    node.isPrompt = false;
    node.frame(session, { n: 1 });
    node.flights.length = 0;
    node.step({ kind: 'failed', log: 0, reason: 'timed out' });
    node.pass(100);
    node.send(session, { k: 'ping' });
    const whys = (): unknown[] =>
      node.told(session, 'flow').flatMap(({ why }) => (why === undefined ? [] : [why]));
    expect(whys()).toEqual([2]);
    node.isPrompt = true;
    for (let i = 0; i < 20; i += 1) {
      node.pass(1000);
      node.readGaps();
      node.land();
      node.step({ kind: 'heard', session });
    }
    expect(whys()).toEqual([2, 0]);
    expect(node.flow(session, 1).ack).toBe(1);
  },
);

rule(
  'R6.3-4 R6.4-5',
  'virtual time: a dur that changed is told, and never more than holds',
  CORE,
  () => {
    let dur = 2;
    const node = new VirtualNode(emptyDisk(), { dur: () => dur }).start();
    const session = node.publisher('d');
    expect(node.told(session, 'welcome')[0]?.dur).toBe(2);
    node.pass(1000);
    dur = 1;
    node.frame(session, { n: 1 });
    node.pass(1000);
    node.frame(session, { n: 2 });
    node.pass(1000);
    const told = node
      .told(session, 'flow')
      .flatMap((flow) => (flow.dur === undefined ? [] : [flow.dur]));
    expect(told).toEqual([1]);
    const acking = node
      .told(session, 'flow')
      .findIndex(({ f }) => f.some(([c, ack]) => c === 1 && ack >= 1));
    const telling = node.told(session, 'flow').findIndex((flow) => flow.dur === 1);
    expect(telling).toBeLessThanOrEqual(acking);
  },
);

rule(
  'R6.4-4 R6.4-5 R6.4-6',
  'dur: 0 a memory log, 1 fsynced here, 2 as the log says; welcome carries it',
  CODECS,
  async (codec) => {
    const directory = temporaryDirectory();
    const file = await openFileLog({ directory, shards: 1, warn: () => undefined });
    expect([new MemoryLog(1).dur, file.dur]).toEqual([0, 1]);
    await file.close();
    rmSync(directory, { recursive: true });
    for (const dur of [0, 1, 2] as const) {
      const one = await new Bed({ dur }).open();
      const peer = await publisher(one, codec);
      expect((await peer.until('welcome')).dur).toBe(dur);
      one.close();
    }
  },
);

rule('R6.4-1', 'QoS 0: acked means received', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec, { hello: { ch: [[1, 0, 1]] } });
  peer.frame({ n: 1 });
  peer.frame({ n: 2 });
  await peer.acked(2);
  expect(headersOf(bed().log.of(peer.device)).map(({ n }) => n)).toEqual([1, 2]);
});

rule(
  'R6.4-1 R6.4-7',
  'virtual time: QoS 0: what was dropped while the log takes nothing is counted in f',
  CORE,
  () => {
    const node = new VirtualNode(emptyDisk(), { isRecoverable: true }).start();
    const session = node.publisher('d', { qos: 0 });
    node.frame(session, { n: 1 });
    node.pass(50);
    node.isPrompt = false;
    node.frame(session, { n: 2 });
    node.flights.length = 0;
    node.step({ kind: 'failed', log: 0, reason: 'timed out' });
    let cost = 0;
    for (const n of [3, 4, 5]) cost += node.frame(session, { n }) + 64;
    node.pass(100);
    const entry = node
      .told(session, 'flow')
      .flatMap(({ f }) => f)
      .findLast(([c]) => c === 1);
    expect(entry?.[3]).toBe(3);
    expect(entry?.[2]).toBeGreaterThanOrEqual(16_512 + cost);
  },
);

rule(
  'R6.4-7 R7-8',
  'settled, and credit returned: durable, rejected, duplicate, QoS 0',
  CODECS,
  async (codec) => {
    for (const qos of [0, 1]) {
      const peer = await publisher(bed(), codec, { hello: { ch: [[1, qos, 1]] } });
      let cost = 0;
      cost += peer.frame({ n: 1 }) + 64;
      await peer.acked(1);
      cost += peer.frame({ n: 2 }, [{ s: 99, t: 1, v: [1] }]) + 64;
      await peer.acked(2);
      cost += peer.frame({ n: 2 }) + 64;
      await peer.barrier();
      expect(peer.lane(1)).toMatchObject({ ack: 2, lim: 16_512 + cost });
    }
  },
);
