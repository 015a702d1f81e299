import { describe, expect, test } from 'vitest';
import { CLASS } from '../../../src/model/reading.ts';
import type { LaneTriple } from '../../../src/wire/messages.ts';
import { VirtualNode } from '../../support/virtual-node.ts';

/** Windows of lanes 0 and 1 with their least `mf`. */
const [LANE_0, LANE_1] = [4096, 16_512];

/** A node in which so many devices have room for lanes 0 and 1, and the share of lane 0. */
const nodeFor = (devices: number): VirtualNode =>
  new VirtualNode(undefined, {
    budgetBytes: Math.ceil((devices * (LANE_0 + LANE_1) * 16) / 15),
  }).start();

function hello(gateway: VirtualNode, path: string, lanes: readonly number[]): number {
  const session = gateway.connect('cbor', path);
  const ch: LaneTriple[] = lanes.map((lane) => [lane, 1, 1]);
  gateway.send(session, { k: 'hello', ch });
  return session;
}

describe('a node with little room', () => {
  test('lets alarms in without credit for bulk, says why, and gives it when room comes', () => {
    const gateway = nodeFor(4);
    const first = [1, 2, 3, 4].map((i) => hello(gateway, `d${i}`, [0, 1]));
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
    gateway.disconnect(first[0] as number);
    gateway.pass(1000);
    expect(gateway.flow(late, 1).lim).toBe(LANE_1);
    expect(gateway.told(late, 'flow').at(-1)?.why).toBe(0);
  });

  test('tells a hello without lane 0 to come back later', () => {
    const gateway = nodeFor(1);
    hello(gateway, 'a', [0, 1]);
    const session = hello(gateway, 'b', [1]);
    expect(gateway.told(session, 'away')).toMatchObject([{ e: 4100, w: 5000 }]);
    expect(gateway.gateway.ingest.devices.find('b')).toBeUndefined();
  });

  test('refuses upgrades and hellos when the share of lane 0 is gone too', () => {
    const gateway = nodeFor(4);
    const { ingest } = gateway.gateway;
    const refusal = () => ingest.refusalOf('x', false, gateway.now)?.code ?? null;
    for (let i = 0; i < 4; i += 1) hello(gateway, `d${i}`, [0, 1]);
    expect(refusal()).toBeNull();
    hello(gateway, 'alarm', [0]);
    expect(refusal()).toBe(4100);
    expect(gateway.closed(hello(gateway, 'alarm2', [0]))).toBe(4100);
    expect(gateway.closed(hello(gateway, 'dashboard', []))).toBe(4000);
  });

  test('takes a device over into the room that it has already', () => {
    const gateway = nodeFor(1);
    hello(gateway, 'a', [0, 1]);
    const again = hello(gateway, 'a', [0, 1]);
    expect(gateway.flow(again, 1).lim).toBe(LANE_1);
  });

  test('counts the pipeline of devices that left, until it is durable', () => {
    const gateway = nodeFor(1);
    const session = gateway.publisher('a');
    gateway.isPrompt = false;
    gateway.frame(session, { n: 1 });
    gateway.disconnect(session);
    const other = hello(gateway, 'b', [0, 1]);
    expect(gateway.flow(other, 1).lim).toBe(0);
    gateway.isPrompt = true;
    gateway.land();
    gateway.pass(1000);
    expect(gateway.flow(other, 1).lim).toBe(LANE_1);
  });

  test('counts what a lane left there that the next session does not ask for', () => {
    const gateway = nodeFor(2);
    const { budget } = gateway.gateway.ingest;
    const session = gateway.publisher('a');
    gateway.isPrompt = false;
    const cost = gateway.frame(session, { n: 1 }) + 64;
    hello(gateway, 'a', [0]);
    expect(budget.orphanCost).toBe(cost);
    const third = hello(gateway, 'a', [0, 1]);
    expect(budget.orphanCost).toBe(0);
    gateway.disconnect(third);
    expect(budget.orphanCost).toBe(cost);
    gateway.land();
    expect(budget.orphanCost).toBe(0);
  });

  test('covers the pipeline of a lane with its window once it gets one', () => {
    const gateway = nodeFor(2);
    const { budget } = gateway.gateway.ingest;
    const session = gateway.publisher('a');
    gateway.isPrompt = false;
    const cost = gateway.frame(session, { n: 1 }) + 64;
    gateway.disconnect(session);
    const [b, c] = [gateway.publisher('b'), hello(gateway, 'c', [1])];
    hello(gateway, 'a', [0, 1]);
    expect(budget.orphanCost).toBe(cost);
    gateway.disconnect(b);
    gateway.disconnect(c);
    gateway.pass(1000);
    expect(budget.orphanCost).toBe(0);
    gateway.land();
    expect(budget.orphanCost).toBe(0);
  });

  test('counts JSON at what it may become in CBOR', () => {
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
    expect(gateway.flow(hello(gateway, 'b', [0, 1]), 1).lim).toBe(0);
  });

  test('is empty again when all have left', () => {
    const gateway = nodeFor(2);
    const { budget } = gateway.gateway.ingest;
    const full = () => budget.fits(2 * (LANE_0 + LANE_1)) && !budget.fits(3 * (LANE_0 + LANE_1));
    expect(full()).toBe(true);
    const sessions = ['a', 'b', 'c'].map((path) => gateway.publisher(path));
    gateway.isPrompt = false;
    for (const session of sessions.slice(0, 2)) gateway.frame(session, { n: 1 });
    gateway.publisher('a');
    for (const session of gateway.heard.keys()) gateway.disconnect(session);
    expect(full()).toBe(false);
    gateway.land();
    expect(full()).toBe(true);
    expect(gateway.gateway.ingest.creditOutstanding).toBe(0);
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
    const gateway = nodeFor(2);
    const other = gateway.publisher('other');
    const session = backfill(gateway);
    gateway.send(session, { k: 'ping', bl: [[2, 1]] });
    expect(gateway.told(session, 'flow').at(-1)).toMatchObject({
      f: [
        [1, 0, LANE_1],
        [2, 0, 0],
      ],
    });
    expect(gateway.told(session, 'flow').at(-1)?.why).toBeUndefined();
    gateway.disconnect(other);
    gateway.pass(1000);
    expect(gateway.flow(session, 2).lim).toBe(LANE_1);
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
