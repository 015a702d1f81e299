import { describe, expect, test } from 'vitest';
import { setAsideFor } from '../../../src/ingest/credit/memory.ts';
import { CLASS } from '../../../src/model/reading.ts';
import type { LaneTriple } from '../../../src/wire/messages.ts';
import { VirtualNode } from '../../support/virtual-node.ts';

/** Windows of lanes 0 and 1 with their least `mf`. */
const [LANE_0, LANE_1] = [4096, 16_512];

/** What a device owns on lane 1: a largest frame. */
const OWN_1 = 8256;

/** A node that takes so many devices with lanes 0 and 1, a few with lane 0 alone besides, and has a pool. */
const nodeFor = (sessions: number, budgetBytes = setAsideFor(sessions) + 200_000): VirtualNode =>
  new VirtualNode(undefined, { budgetBytes, sessions }).start();

/** The part of the budget that nobody owns, and what of it is promised. */
const poolOf = (gateway: VirtualNode) => gateway.gateway.ingest.credit.books.memory;
const orphans = (gateway: VirtualNode): number => gateway.gateway.ingest.credit.orphanedBytes;

function hello(gateway: VirtualNode, path: string, lanes: readonly number[]): number {
  const session = gateway.connect('cbor', path);
  const ch: LaneTriple[] = lanes.map((lane) => [lane, 1, 1]);
  gateway.send(session, { k: 'hello', ch });
  return session;
}

describe('a node with little room', () => {
  test('lets alarms in without credit for bulk, says why, and gives it when room comes', () => {
    // So that lane 0 alone finds room beside 32 devices.
    const gateway = nodeFor(32);
    // What is not owned is gone: the pool holds less than a largest frame beside what is kept.
    const [first] = Array.from({ length: 32 }, (_, i) => hello(gateway, `d${i}`, [0, 1]));
    const pool = poolOf(gateway);
    const taken = pool.room - 4000;
    pool.used += taken;
    // All at once they have used up what lane 0 may have of the drain.
    gateway.pass(1000);
    const late = hello(gateway, 'late', [0, 1]);
    expect(gateway.told(late, 'welcome')).toMatchObject([
      {
        f: [
          [0, 0, LANE_0],
          [1, 0, 0],
        ],
        why: 4,
      },
    ]);
    gateway.pass(1000);
    expect(gateway.flow(late, 1).lim).toBe(0);
    pool.used -= taken;
    gateway.disconnect(first as number);
    gateway.pass(1000);
    expect(gateway.flow(late, 1).lim).toBeGreaterThanOrEqual(OWN_1);
    expect(gateway.told(late, 'flow').at(-1)?.why).toBe(0);
  });

  test('tells a hello without lane 0 to come back later, with a spread', () => {
    const gateway = nodeFor(1);
    hello(gateway, 'a', [0, 1]);
    const session = hello(gateway, 'b', [1]);
    expect(gateway.told(session, 'away')).toMatchObject([{ e: 4100, w: 7500 }]);
    expect(gateway.gateway.ingest.devices.find('b')).toBeUndefined();
  });

  test('refuses upgrades and hellos when the share of lane 0 is gone too, with a spread', () => {
    const gateway = nodeFor(64, setAsideFor(64) + 200_000);
    const { ingest } = gateway.gateway;
    const refusal = () => ingest.refusalOf('x', false, gateway.now);
    for (let i = 0; i < 64; i += 1) hello(gateway, `d${i}`, [0, 1]);
    expect(gateway.gateway.ingest.credit.memory.share).toBe(1);
    expect(refusal()).toBeNull();
    for (let i = 0; i < 3; i += 1) hello(gateway, `alarm${i}`, [0]);
    expect(refusal()).toMatchObject({ code: 4100, waitMs: 7500 });
    expect(gateway.closed(hello(gateway, 'onemore', [0]))).toBe(4100);
    expect(gateway.closed(hello(gateway, 'dashboard', []))).toBe(4000);
  });

  test('takes a device over into the room that it has already', () => {
    const gateway = nodeFor(1);
    hello(gateway, 'a', [0, 1]);
    const again = hello(gateway, 'a', [0, 1]);
    expect(gateway.flow(again, 1).lim).toBe(LANE_1);
    expect(gateway.gateway.ingest.credit.memory.share).toBe(1);
  });

  test('counts what a lane left there that the next session does not ask for', () => {
    const gateway = nodeFor(2);
    const session = gateway.publisher('a');
    gateway.isPrompt = false;
    const cost = gateway.frame(session, { n: 1 }) + 64;
    hello(gateway, 'a', [0]);
    expect(orphans(gateway)).toBe(cost);
    const third = hello(gateway, 'a', [0, 1]);
    expect(orphans(gateway)).toBe(0);
    expect(gateway.flow(third, 1).lim).toBe(LANE_1 - cost);
    gateway.disconnect(third);
    expect(orphans(gateway)).toBe(cost);
    gateway.land();
    expect(orphans(gateway)).toBe(0);
  });

  test('counts JSON at what it may become in CBOR, its pipeline too', () => {
    const gateway = nodeFor(4);
    const session = gateway.connect('json', 'a');
    gateway.send(session, {
      k: 'hello',
      ch: [
        [0, 1, 1],
        [1, 1, 1],
      ],
    });
    expect(gateway.flow(session, 1).lim).toBe(LANE_1);
    expect(gateway.gateway.ingest.credit.memory.share).toBe(1);
    expect(gateway.closed(hello(gateway, 'b', [1]))).toBe(4100);
    gateway.isPrompt = false;
    gateway.send(session, { k: 'def', c: 1, s: 1, cols: [['temp']] });
    const cost = gateway.frame(session, { n: 1 }) + 64;
    // In CBOR from now on; what JSON left in the pipeline still counts fourfold.
    const again = hello(gateway, 'a', [0]);
    expect(orphans(gateway)).toBe(4 * cost);
    gateway.disconnect(again);
    gateway.land();
    expect(orphans(gateway)).toBe(0);
  });

  test('is empty again when all have left', () => {
    const gateway = nodeFor(2);
    const { credit } = gateway.gateway.ingest;
    const sessions = ['a', 'b', 'c'].map((path) => gateway.publisher(path));
    gateway.isPrompt = false;
    for (const session of sessions.slice(0, 2)) gateway.frame(session, { n: 1 });
    gateway.publisher('a');
    for (const session of gateway.heard.keys()) gateway.disconnect(session);
    expect(credit.promisedBytes).toBeGreaterThan(0);
    gateway.land();
    expect([credit.promisedBytes, credit.memory.share, credit.outstanding]).toEqual([0, 0, 0]);
    expect(credit.books.rows.inUse).toBe(0);
  });
});

describe('a quota', () => {
  test('holds over lanes 1 and 2 and over a reconnect, says why, and is waited for', () => {
    const quota = { bytesPerSecond: 2000, burstBytes: 16_512 };
    const gateway = new VirtualNode(undefined, { quota }).start();
    const session = gateway.publisher('a');
    expect(gateway.flow(session, 1).lim).toBe(16_512);
    const cost = gateway.frame(session, { n: 1 }) + 64;
    gateway.pass(30);
    // Nothing is left to grant: the limit waits for tokens.
    expect(gateway.flow(session, 1).lim).toBe(16_512);
    gateway.disconnect(session);
    const again = gateway.publisher('a', {
      ep: gateway.told(session, 'welcome')[0]?.ep as number,
      first: 2,
    });
    // What was granted and not used came back to the quota, and no more.
    expect(gateway.flow(again, 1).lim).toBeLessThanOrEqual(16_512 - cost + 2000 * 0.1);
    gateway.pass(1000);
    expect(gateway.flow(again, 1).lim).toBe(16_512);
  });
});

describe('lane 2', () => {
  const backfill = (gateway: VirtualNode): number => {
    const session = hello(gateway, 'd', [1, 2]);
    gateway.send(session, { k: 'def', c: 2, s: 2, cols: [['temp']] });
    return session;
  };

  test('has no credit until its backlog is told, then a window that settlement renews', () => {
    const gateway = nodeFor(4);
    const session = backfill(gateway);
    expect(gateway.told(session, 'welcome')).toMatchObject([
      {
        f: [
          [1, 0, LANE_1],
          [2, 0, 0],
        ],
      },
    ]);
    gateway.send(session, { k: 'ping', bl: [[2, 0]] });
    expect(gateway.flow(session, 2).lim).toBe(0);
    gateway.send(session, { k: 'ping', bl: [[2, 50_000]] });
    expect(gateway.flow(session, 2).lim).toBe(LANE_1);
    const block = { s: 2, t: gateway.now.wallUs, v: [1] };
    const cost = gateway.frame(session, { c: 2, n: 1 }, [block]) + 64;
    gateway.pass(50);
    expect(gateway.flow(session, 2)).toEqual({ ack: 1, lim: LANE_1 + cost });
  });

  test('before its first grant is over the credit with any frame', () => {
    const gateway = nodeFor(4);
    const session = backfill(gateway);
    gateway.frame(session, { c: 2, n: 1 }, [{ s: 2, t: 1, v: [1] }]);
    expect(gateway.closed(session)).toBe(4006);
  });

  test('waits for room without a reason before its first grant, and gets it in time', () => {
    const gateway = nodeFor(4);
    const session = backfill(gateway);
    const pool = poolOf(gateway);
    const taken = pool.room - 4000;
    pool.used += taken;
    gateway.send(session, { k: 'ping', bl: [[2, 1]] });
    expect(gateway.told(session, 'flow').at(-1)).toMatchObject({
      f: [
        [1, 0, LANE_1],
        [2, 0, 0],
      ],
    });
    expect(gateway.told(session, 'flow').at(-1)?.why).toBeUndefined();
    pool.used -= taken;
    gateway.pass(1000);
    expect(gateway.flow(session, 2).lim).toBeGreaterThanOrEqual(OWN_1);
  });

  test('without credit and backlog does not keep its device from being idle', () => {
    const gateway = nodeFor(4);
    const session = backfill(gateway);
    const { ingest } = gateway.gateway;
    const isUnblocked = () =>
      ingest.isUnblocked(ingest.devices.find('d') as never, CLASS.live, gateway.now);
    gateway.pass(10_000);
    expect(isUnblocked()).toBe(true);
    gateway.send(session, { k: 'ping', bl: [[2, 9]] });
    expect(isUnblocked()).toBe(false);
  });
});
