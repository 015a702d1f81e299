import { beforeEach, describe, expect, test } from 'vitest';
import { breach } from '../../../src/model/errors.ts';
import type { Identity } from '../../../src/model/identity.ts';
import type { SessionId } from '../../../src/model/machine.ts';
import type { Hello } from '../../../src/wire/messages.ts';
import { VirtualNode } from '../../support/virtual-node.ts';

const FOR_EVER = Number.POSITIVE_INFINITY;
const DEVICE: Identity = {
  subject: 'a/b',
  isPublisher: true,
  reads: [],
  isMetricsReader: false,
  expiresUs: FOR_EVER,
};
const READER: Identity = { ...DEVICE, subject: 'alice', isPublisher: false, reads: [['#']] };
const NOBODY: Identity = { ...DEVICE, subject: 'prometheus', isPublisher: false };

let node: VirtualNode;
beforeEach(() => {
  node = new VirtualNode(undefined, { isOpen: false }).start();
});

const hello = (session: SessionId, message: Partial<Hello>): void =>
  node.send(session, { k: 'hello', ...message });

/** Answers the question about a token that the core asked last. */
function answer(verdict: Parameters<typeof breach>[0] | Identity): void {
  const asked = node.asked.at(-1);
  if (!asked) throw new Error('the core asked about no token');
  const { session } = asked;
  const found = typeof verdict === 'number' ? breach(verdict) : verdict;
  node.step({ kind: 'verified', session, verdict: found });
}

const isWelcome = (session: SessionId): boolean => node.told(session, 'welcome').length > 0;

describe('a credential of the upgrade', () => {
  test.each<[string, Identity | null, Partial<Hello>, number | null]>([
    ['a device publishes', DEVICE, { ch: [[1, 1, 1]] }, null],
    ['a device without a read scope may connect without lanes', DEVICE, {}, null],
    ['a reader reads', READER, {}, null],
    ['a reader does not publish', READER, { ch: [[1, 1, 1]] }, 4004],
    ['who may neither publish nor read is not let in', NOBODY, {}, 4004],
    ['nor does it publish', NOBODY, { ch: [[1, 1, 1]] }, 4004],
    ['nobody publishes', null, { ch: [[1, 1, 1]] }, 4003],
    ['nobody reads', null, {}, 4003],
    ['tok is ignored beside it', DEVICE, { tok: 'nonsense', ch: [[1, 1, 1]] }, null],
  ])('%s', (_, identity, message, code) => {
    const session = node.connect('cbor', identity);
    hello(session, message);
    expect(node.closed(session)).toBe(code);
    expect(isWelcome(session)).toBe(code === null);
    expect(node.asked).toEqual([]);
    if (code !== null) expect(node.told(session, 'away')).toMatchObject([{ e: code }]);
  });

  test('is the device, whatever tok says', () => {
    hello(node.connect('cbor', DEVICE), { tok: 'x/y', ch: [[1, 1, 1]] });
    expect(node.gateway.ingest.devices.find('a/b')).toBeDefined();
    expect(node.gateway.ingest.devices.find('x/y')).toBeUndefined();
  });

  test('that expired between the upgrade and hello does not count', () => {
    const session = node.connect('cbor', { ...DEVICE, expiresUs: node.now.wallUs + 1_000_000 });
    node.pass(1000);
    hello(session, { ch: [[1, 1, 1]] });
    expect(node.closed(session)).toBe(4003);
  });
});

describe('the token of hello', () => {
  test('is verified before anybody is welcome', () => {
    const session = node.connect();
    hello(session, { tok: 'token', ch: [[1, 1, 1]] });
    expect(node.asked).toEqual([{ session, token: 'token' }]);
    node.pass(100);
    expect(node.heard.get(session)).toEqual({ messages: [], closed: null });
    expect(node.gateway.ingest.devices.find('a/b')).toBeUndefined();
    answer(DEVICE);
    expect(node.told(session, 'welcome')).toMatchObject([{ ch: [[1, 1, 8192]] }]);
    expect(node.gateway.ingest.devices.find('a/b')?.session).toBe(session);
  });

  test.each<[string, Identity | 4003 | 4004 | 4101, Partial<Hello>, number | null]>([
    ['a reader reads', READER, {}, null],
    ['a reader does not publish', READER, { ch: [[1, 1, 1]] }, 4004],
    ['one that allows neither', NOBODY, {}, 4004],
    ['a bad one', 4003, {}, 4003],
    ['a bad one of a publisher', 4003, { ch: [[1, 1, 1]] }, 4003],
    ['one with too many scopes', 4004, {}, 4004],
    ['one too many', 4101, {}, 4101],
    ['one that has expired meanwhile', { ...READER, expiresUs: 1 }, {}, 4003],
  ])('%s', (_, verdict, message, code) => {
    const session = node.connect('json');
    hello(session, { tok: 'token', ...message });
    answer(verdict);
    expect(node.closed(session)).toBe(code);
    expect(isWelcome(session)).toBe(code === null);
  });

  test('who showed too many bad ones is told how long to stay away', () => {
    const session = node.connect();
    hello(session, { tok: 'token' });
    answer(4101);
    expect(node.told(session, 'away')).toMatchObject([{ e: 4101, w: 5000 }]);
  });

  test('is not even looked at when hello itself is wrong', () => {
    const session = node.connect();
    hello(session, { tok: 'token', rx: 7 });
    expect(node.closed(session)).toBe(4009);
    expect(node.asked).toEqual([]);
  });

  test('nothing may follow hello before welcome', () => {
    for (const message of [
      { k: 'hello', tok: 'token' },
      { k: 'ping' },
      { k: 'sub', c: 1, p: ['#'], win: 1000 },
    ] as const) {
      const session = node.connect();
      hello(session, { tok: 'token' });
      node.send(session, message);
      expect(node.closed(session)).toBe(4001);
    }
  });

  test('an answer that comes after the end changes nothing', () => {
    const gone = node.connect();
    hello(gone, { tok: 'token', ch: [[1, 1, 1]] });
    node.disconnect(gone);
    answer(DEVICE);
    expect(isWelcome(gone)).toBe(false);
    expect(node.gateway.ingest.devices.find('a/b')).toBeUndefined();
    const late = node.connect();
    hello(late, { tok: 'token' });
    node.pass(6000);
    expect(node.closed(late)).toBe(4102);
    answer(READER);
    expect(isWelcome(late)).toBe(false);
  });

  test('an answer that nobody asked for changes nothing', () => {
    const session = node.connect('json');
    node.step({ kind: 'verified', session, verdict: READER });
    expect(node.heard.get(session)).toEqual({ messages: [], closed: null });
    hello(session, { tok: 'token' });
    answer(READER);
    node.step({ kind: 'verified', session, verdict: breach(4003) });
    expect(node.closed(session)).toBeNull();
  });
});

describe('a credential that expires', () => {
  /** A publisher whose credential has so long to live. */
  function expiresIn(ms: number): SessionId {
    const expiresUs = node.now.wallUs + ms * 1000;
    const session = node.connect('cbor', { ...DEVICE, expiresUs });
    hello(session, { ch: [[1, 1, 1]] });
    node.send(session, { k: 'def', c: 1, s: 1, cols: [['temp', 'Cel']] });
    return session;
  }

  const aways = (session: SessionId): number[] => node.told(session, 'away').map(({ e }) => e);

  test('is announced a minute before and ends its session when it ends', () => {
    const session = expiresIn(3_600_000);
    // The device stays alive: only its credential ends.
    const alive = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 1000) {
        node.pass(Math.min(1000, ms - passed));
        node.step({ kind: 'heard', session });
      }
    };
    alive(3_539_000);
    expect(aways(session)).toEqual([]);
    alive(1000);
    expect(node.told(session, 'away')).toMatchObject([{ e: 4202, w: 30_000, dl: 60_000 }]);
    expect(node.closed(session)).toBeNull();
    node.frame(session, { n: 1 });
    alive(100);
    expect(node.flow(session, 1).ack).toBe(1);
    alive(59_500);
    expect(node.closed(session)).toBeNull();
    alive(1000);
    expect(aways(session)).toEqual([4202, 4003]);
    expect(node.closed(session)).toBe(4003);
  });

  test.each([60_000, 59_999, 30_000, 1000])(
    'with %d ms left is not announced, only ended',
    (leftMs) => {
      const session = expiresIn(leftMs);
      node.pass(leftMs - 1);
      expect(aways(session)).toEqual([]);
      node.pass(501);
      expect(aways(session)).toEqual([4003]);
      expect(node.closed(session)).toBe(4003);
    },
  );

  test('never passes unnoticed: what was promised with dl is kept', () => {
    for (const leftMs of [60_001, 60_250, 60_499, 60_500, 60_501, 61_000, 75_333]) {
      const session = expiresIn(leftMs);
      const bornMs = node.now.monoMs;
      let toldMs = Number.NaN;
      while (node.closed(session) === null) {
        node.pass(100);
        node.step({ kind: 'heard', session });
        if (aways(session).length === 1 && Number.isNaN(toldMs)) toldMs = node.now.monoMs;
      }
      expect(aways(session)).toEqual([4202, 4003]);
      expect(node.now.monoMs - toldMs).toBeGreaterThanOrEqual(59_900);
      expect(node.now.monoMs - bornMs).toBeGreaterThanOrEqual(leftMs);
      expect(node.now.monoMs - bornMs).toBeLessThanOrEqual(leftMs + 600);
    }
  });

  test('in open mode nothing expires', () => {
    const open = new VirtualNode().start();
    const session = open.connect('json');
    open.send(session, { k: 'hello' });
    for (let hours = 0; hours < 48; hours += 1) {
      for (let s = 0; s < 3600; s += 50) {
        open.pass(50_000);
        open.step({ kind: 'heard', session });
      }
    }
    expect(open.told(session, 'away')).toEqual([]);
  });
});

describe('what may be read', () => {
  function publish(path: string): SessionId {
    const session = node.connect('cbor', { ...DEVICE, subject: path });
    hello(session, { ch: [[1, 1, 1]] });
    node.send(session, { k: 'def', c: 1, s: 1, cols: [['temp', 'Cel']] });
    node.frame(session, { n: 1 });
    return session;
  }

  function subscribe(reads: Identity['reads'], ...p: string[]): SessionId {
    const session = node.connect('json', { ...READER, reads });
    hello(session, {});
    node.send(session, { k: 'sub', c: 1, p, win: 1000 });
    node.pass(200);
    return session;
  }

  const named = (session: SessionId): string[] =>
    node.told(session, 'def').flatMap(({ ser = [] }) => ser.map(([, topic]) => topic));

  test('is what matches the subscription and a read scope, now and later', () => {
    publish('plant1/pump');
    publish('plant2/pump');
    node.pass(100);
    const session = subscribe([['plant1', '#']], '#');
    expect(named(session)).toEqual(['plant1/pump/temp']);
    publish('plant1/fan');
    publish('plant3/fan');
    node.pass(200);
    expect(named(session)).toEqual(['plant1/pump/temp', 'plant1/fan/temp']);
    expect(node.told(session, 'state').map(({ st, over }) => [st, over])).toEqual([
      [0, undefined],
      [2, undefined],
    ]);
  });

  test('a subscription to what can never be read is refused, and the session goes on', () => {
    publish('plant2/pump');
    const session = subscribe([['plant1', '#']], 'plant2/#', 'plant3/+');
    expect(node.told(session, 'state')).toMatchObject([{ st: 4, e: 4004 }]);
    node.send(session, { k: 'sub', c: 1, p: ['plant1/+/temp'], win: 1000 });
    node.pass(200);
    expect(node.told(session, 'state').at(-1)).toMatchObject({ st: 2 });
    expect(node.closed(session)).toBeNull();
  });

  test('a device without a read scope reads nothing, not even itself', () => {
    const session = publish('plant1/pump');
    node.send(session, { k: 'sub', c: 1, p: ['plant1/pump/#'], win: 1000 });
    expect(node.told(session, 'state')).toMatchObject([{ st: 4, e: 4004 }]);
  });
});
