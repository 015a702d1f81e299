import { describe, expect, test } from 'vitest';
import { Conducts, tooMany } from '../../../src/ingest/conduct.ts';
import type { Identity } from '../../../src/model/identity.ts';
import { CONDUCTS_MAX } from '../../../src/model/limits.ts';
import { VirtualNode } from '../../support/virtual-node.ts';

const who: Identity = {
  subject: 'd',
  isPublisher: true,
  reads: [],
  isMetricsReader: false,
  expiresUs: Number.POSITIVE_INFINITY,
};
const node = (): VirtualNode => new VirtualNode(undefined, { isOpen: false }).start();

function hello(gateway: VirtualNode, isLocal = false): number {
  const session = gateway.connect('cbor', null);
  gateway.disconnect(session);
  gateway.step({ kind: 'connected', session, codec: 'cbor', identity: who, isLocal });
  gateway.send(session, { k: 'hello', ch: [[1, 1, 1]] });
  return session;
}

describe('a device whose sessions end within a minute', () => {
  test('may have ten of them a minute, then waits', () => {
    const gateway = node();
    const { ingest } = gateway.gateway;
    for (let i = 0; i < 10; i += 1) {
      const session = hello(gateway);
      expect(gateway.closed(session)).toBeNull();
      gateway.disconnect(session);
    }
    expect(ingest.refusalOf('d', false, gateway.now)).toMatchObject({ code: 4101, waitMs: 6000 });
    expect(ingest.refusalOf('d', true, gateway.now)).toBeNull();
    expect(ingest.refusalOf('other', false, gateway.now)).toBeNull();
    expect(gateway.told(hello(gateway), 'away')).toMatchObject([{ e: 4101, w: 6000 }]);
    const local = hello(gateway, true);
    expect(gateway.closed(local)).toBeNull();
    gateway.disconnect(local);
    gateway.pass(6001);
    expect(gateway.closed(hello(gateway))).toBeNull();
  });

  test('is not limited on this machine, nor for sessions of a minute or ended by our codes', () => {
    const gateway = node();
    for (let i = 0; i < 11; i += 1) gateway.disconnect(hello(gateway, true));
    for (let i = 0; i < 11; i += 1) {
      const session = hello(gateway);
      gateway.step({ kind: 'heard', session });
      gateway.pass(60_000);
      gateway.disconnect(session);
    }
    const session = hello(gateway);
    gateway.step({ kind: 'leave' });
    gateway.disconnect(session);
    expect(gateway.gateway.ingest.conducts.size).toBe(0);
  });

  test('is forgiven, and forgotten, after a while', () => {
    const gateway = node();
    gateway.disconnect(hello(gateway));
    expect(gateway.gateway.ingest.conducts.size).toBe(1);
    gateway.pass(120_000);
    expect(gateway.gateway.ingest.conducts.size).toBe(0);
  });
});

test('new definitions are limited per device, over all its connections', () => {
  const gateway = node();
  let defined = 0;
  for (let connection = 0; connection < 3; connection += 1) {
    const session = hello(gateway, true);
    for (let s = 1; s <= 64 && gateway.closed(session) === null; s += 1) {
      gateway.send(session, { k: 'def', c: 1, s, cols: [[`c${connection}/${s}`]] });
      if (gateway.closed(session) === null) defined += 1;
      else expect(gateway.closed(session)).toBe(4101);
    }
    gateway.disconnect(session);
  }
  expect(defined).toBe(128);
});

test('a definition that a record used costs nothing, however often it comes', () => {
  const gateway = node();
  for (let i = 0; i < 130; i += 1) {
    const session = hello(gateway, true);
    gateway.send(session, { k: 'def', c: 1, s: 1, cols: [['temp', 'Cel']] });
    if (i === 0) gateway.frame(session, { n: 1 });
    expect(gateway.closed(session)).toBeNull();
    gateway.disconnect(session);
  }
});

test('conduct is kept of so many devices at most, those heard of last', () => {
  const conducts = new Conducts();
  for (let i = 0; i <= CONDUCTS_MAX; i += 1) conducts.of(`d${i}`).shortSessions.take(0);
  expect(conducts.size).toBe(CONDUCTS_MAX);
  expect(conducts.find('d0')).toBeUndefined();
  expect(tooMany(conducts.of('d1'), { monoMs: 0, wallUs: 0 } as never)).toBeNull();
});
