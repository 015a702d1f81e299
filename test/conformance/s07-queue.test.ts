import { expect } from 'vitest';
import { LOG } from '../../src/model/record.ts';
import { VirtualNode } from '../support/virtual-node.ts';
import { CORE, rule } from './rule.ts';

/** §7: who waits for credit, why, how long, and who never does. In virtual time. */

const W1 = 16_512;
const W0 = 4096;
const LARGEST = 8256;
/** What a node takes its log for before it has seen it: 1 MiB in 150 ms. Units: bytes a second. */
const FIRST_DRAIN = (1 << 20) / 0.15;
/** So many that their windows are more than the log takes at once. */
const CROWD = 600;

const pathsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `crowd/d${i}`);

/** Payload bytes of a text column that make the frame exactly as long as the lane allows. */
function fill(node: VirtualNode, session: number, c: number, n: number): number {
  const mf = c === 0 ? 1984 : 8192;
  const text = (bytes: number): string[] => {
    const whole = Array.from({ length: Math.floor(bytes / 200) }, () => 'x'.repeat(200));
    return [...whole, 'x'.repeat(bytes % 200)];
  };
  return node.frame(session, { c, n }, [{ s: c + 1, t: 1, dt: 1, v: [text(mf - 110)] }]) + 64;
}

/** A publisher with a set of text on each of its lanes. */
function publisher(node: VirtualNode, path: string, lanes: readonly number[] = [0, 1]): number {
  const session = node.connect('cbor', path);
  const ch = lanes.map((lane) => [lane, 1, 1] as const);
  node.send(session, { k: 'hello', ch });
  for (const c of lanes) node.send(session, { k: 'def', c, s: c + 1, cols: [['text']] });
  return session;
}

const whyOf = (node: VirtualNode, session: number): number => {
  const [welcome] = node.told(session, 'welcome');
  return node.told(session, 'flow').reduce((why, flow) => flow.why ?? why, welcome?.why ?? 0);
};

/** The log is lost: no append lands any more. */
function lose(node: VirtualNode): void {
  node.isPrompt = false;
  const session = node.publisher('who/finds/out');
  node.frame(session, { n: 1 });
  node.flights.length = 0;
  node.step({ kind: 'failed', log: LOG.readings, reason: 'timeout' });
}

rule(
  'R7-10',
  'virtual time: who cannot be served at once waits in a queue with a reason, and not long',
  CORE,
  () => {
    const node = new VirtualNode().start();
    const sessions = pathsOf(CROWD).map((path) => publisher(node, path, [1]));
    const isOpen = (session: number): boolean => node.flow(session, 1).lim >= LARGEST;
    const waiting = sessions.filter((session) => !isOpen(session));
    expect(waiting.length).toBeGreaterThan(CROWD / 4);
    expect(waiting.map((session) => whyOf(node, session)).every((why) => why === 1)).toBe(true);
    expect(
      sessions
        .filter(isOpen)
        .map((one) => whyOf(node, one))
        .every((why) => why === 0),
    ).toBe(true);
    // What was granted is forgotten after a round trip of 100 ms; then the next have their turn.
    node.pass(1000 * ((CROWD * LARGEST) / FIRST_DRAIN) + 500);
    expect(sessions.filter((session) => !isOpen(session))).toEqual([]);
    expect(waiting.map((session) => whyOf(node, session)).every((why) => why === 0)).toBe(true);
  },
);

rule('R7-10', 'virtual time: who spent its quota waits for it, why 3', CORE, () => {
  const quota = { bytesPerSecond: 10_000, burstBytes: W1 };
  const node = new VirtualNode(undefined, { quota }).start();
  const session = publisher(node, 'd');
  let sent = 0;
  for (let n = 1; n <= 2; n += 1) sent += fill(node, session, 1, n);
  node.pass(30);
  expect(whyOf(node, session)).toBe(3);
  expect(node.flow(session, 1).lim - sent).toBeLessThan(LARGEST);
  node.pass((1000 * LARGEST) / quota.bytesPerSecond + 200);
  expect(node.flow(session, 1).lim - sent).toBeGreaterThanOrEqual(LARGEST);
  expect(whyOf(node, session)).toBe(0);
});

rule(
  'R7-10',
  'virtual time: in an outage it waits with why 2, and is served after it',
  CORE,
  () => {
    const node = new VirtualNode(undefined, { isRecoverable: true }).start();
    lose(node);
    const session = publisher(node, 'd');
    node.pass(1000);
    expect([whyOf(node, session), node.flow(session, 1).lim]).toEqual([2, 0]);
    node.isPrompt = true;
    node.land();
    node.pass(2000);
    expect([whyOf(node, session), node.flow(session, 1).lim]).toEqual([0, W1]);
  },
);

rule('R7-11', 'virtual time: lane 0 has its window where lane 1 has to wait', CORE, () => {
  const node = new VirtualNode().start();
  for (const path of pathsOf(CROWD)) publisher(node, path, [1]);
  const waiting = ['a', 'b', 'c'].map((path) => publisher(node, path));
  expect(waiting.every((session) => node.flow(session, 1).lim < LARGEST)).toBe(true);
  expect(waiting.map((session) => node.flow(session, 0).lim).every((lim) => lim === W0)).toBe(true);
});

rule('R7-11', 'virtual time: in an outage too, and after frames that came again', CORE, () => {
  const node = new VirtualNode(undefined, { isRecoverable: true }).start();
  const first = publisher(node, 'd');
  const ep = node.told(first, 'welcome')[0]?.ep as number;
  for (let n = 1; n <= 2; n += 1) {
    fill(node, first, 0, n);
    node.pass(500);
  }
  lose(node);
  node.disconnect(first);
  const again = node.connect('cbor', 'd');
  node.send(again, { k: 'hello', ep, ch: [[0, 1, 1]] });
  node.send(again, { k: 'def', c: 0, s: 1, cols: [['text']] });
  expect(node.flow(again, 0).lim).toBe(W0);
  const sent = fill(node, again, 0, 1) + fill(node, again, 0, 2);
  node.pass(1000);
  expect(node.flow(again, 0).lim - sent).toBeGreaterThanOrEqual(W0 / 2);
});

/** Floods lane 0 of these sessions for a second, a largest frame whenever there is credit. */
function flood(node: VirtualNode, sessions: readonly number[], seconds: number): number[] {
  const sent = sessions.map(() => ({ cost: 0, n: 0 }));
  for (let ms = 0; ms < seconds * 1000; ms += 20) {
    for (const [i, session] of sessions.entries()) {
      const one = sent[i] as (typeof sent)[0];
      if (node.flow(session, 0).lim - one.cost < W0 / 2) continue;
      one.n += 1;
      one.cost += fill(node, session, 0, one.n);
    }
    node.pass(20);
  }
  return sent.map(({ cost }) => cost);
}

rule(
  'R7-23',
  'virtual time: lane 0 has 16 KiB/s and a window at once; over it, why 3',
  CORE,
  () => {
    const node = new VirtualNode().start();
    const sessions = ['a', 'b'].map((path) => publisher(node, path));
    const seconds = 6;
    const [a = 0, b = 0] = flood(node, sessions, seconds);
    const most = W0 + seconds * 16 * 1024;
    for (const sent of [a, b]) {
      expect(sent).toBeLessThanOrEqual(most);
      expect(sent).toBeGreaterThan(0.9 * most);
    }
    expect(Math.abs(a - b)).toBeLessThanOrEqual(W0);
    const whys = node.told(sessions[0] as number, 'flow').map(({ why }) => why);
    expect(whys).toContain(3);
  },
);

rule('R7-23', 'virtual time: all devices together have half of the drain', CORE, () => {
  const node = new VirtualNode().start();
  const sessions = pathsOf(500).map((path) => publisher(node, path));
  node.pass(3000);
  const seconds = 2;
  const sent = flood(node, sessions, seconds);
  const total = sent.reduce((sum, cost) => sum + cost, 0);
  // Every window was granted before the flood; then there is half of the drain, and a burst of it.
  const burst = sessions.length * W0 + (64 << 10) + (FIRST_DRAIN * 0.15) / 2;
  expect(total).toBeLessThanOrEqual(burst + (FIRST_DRAIN / 2) * (seconds + 0.1));
  expect(total).toBeGreaterThan((FIRST_DRAIN / 2) * seconds * 0.9);
  expect(Math.max(...sent) - Math.min(...sent)).toBeLessThan(4 * W0);
});

/** Devices with nothing but a backlog on lane 2. */
const backfillers = (node: VirtualNode, count: number): number[] =>
  pathsOf(count).map((path) => {
    const session = node.connect('cbor', path);
    node.send(session, { k: 'hello', ch: [[2, 1, 1]] });
    node.send(session, { k: 'ping', bl: [[2, 50_000]] });
    return session;
  });

rule('R5.3-1', 'virtual time: a node whose pool is half gone suggests larger batches', CORE, () => {
  const node = new VirtualNode(undefined, { budgetBytes: 1 << 20, sessions: 70 }).start();
  const session = publisher(node, 'd');
  backfillers(node, 20);
  node.pass(2500);
  node.send(session, { k: 'ping' });
  const suggested = node.told(session, 'flow').flatMap(({ ln }) => (ln === undefined ? [] : [ln]));
  expect(suggested).toHaveLength(1);
  expect(suggested[0]).toBeGreaterThanOrEqual(20);
  expect(suggested[0]).toBeLessThanOrEqual(1000);
});

rule(
  'R7-12',
  'virtual time: the first grant of lane 2 comes through the queue, without a reason before it',
  CORE,
  () => {
    // A pool for a few frames: more backfill than it holds has to take turns.
    const node = new VirtualNode(undefined, { budgetBytes: 1 << 20, sessions: 70 }).start();
    const sessions = backfillers(node, 20);
    const isHeld = (session: number): boolean => node.flow(session, 2).lim === 0;
    const held = sessions.filter(isHeld);
    expect(held.length).toBeGreaterThan(0);
    expect(held.map((session) => whyOf(node, session)).every((why) => why === 0)).toBe(true);
    for (const session of sessions) if (!isHeld(session)) node.disconnect(session);
    node.pass(1000);
    expect(held.filter(isHeld)).toEqual([]);
  },
);
