import { describe, expect, test } from 'vitest';
import { LOG } from '../../../src/model/record.ts';
import { decodeCbor } from '../../../src/wire/decode.ts';
import { emptyHeader, readHeader } from '../../../src/wire/record-header.ts';
import { VirtualNode } from '../../support/virtual-node.ts';

const node = (): VirtualNode => new VirtualNode().start();

/** Headers of the frames and stubs in the readings log. */
function rows(
  gateway: VirtualNode,
): { n: number; lost: number; kind: number; uncertain: boolean }[] {
  return gateway.disk.records
    .filter(({ log, key }) => log === LOG.readings && key.length > 0)
    .map(({ tg }) => {
      const header = emptyHeader();
      expect(readHeader(tg, header)).toBe(true);
      const { n, lost, kind, uncertain } = header;
      return { n, lost, kind, uncertain };
    });
}

describe('a frame', () => {
  test('is acked and its credit returned once it is durable, not before', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    gateway.isPrompt = false;
    const cost = gateway.frame(session, { n: 1 }) + 64;
    gateway.pass(100);
    expect(gateway.flow(session, 1)).toEqual({ ack: 0, lim: 16_512 });
    gateway.land();
    gateway.pass(30);
    expect(gateway.flow(session, 1)).toEqual({ ack: 1, lim: 16_512 + cost });
  });

  test('of lane 0 is told at once, flows of lane 1 are paced to one in 20 ms', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    gateway.send(session, { k: 'def', c: 0, s: 2, cols: [['alarm']] });
    gateway.pass(100);
    for (let n = 1; n <= 40; n += 1) {
      gateway.frame(session, { n });
      gateway.pass(1);
    }
    const bulk = gateway.told(session, 'flow').length;
    expect(bulk).toBeGreaterThanOrEqual(2);
    expect(bulk).toBeLessThanOrEqual(4);
    gateway.frame(session, { c: 0, n: 1 }, [{ s: 2, t: gateway.now.wallUs, v: [true] }]);
    expect(gateway.flow(session, 0).ack).toBe(1);
  });

  test('sent again is settled at once and logged once', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    const cost = gateway.frame(session, { n: 1 }) + 64;
    gateway.frame(session, { n: 1 });
    gateway.pass(50);
    expect(gateway.flow(session, 1)).toEqual({ ack: 1, lim: 16_512 + 2 * cost });
    expect(rows(gateway)).toHaveLength(1);
    expect(gateway.gateway.ingest.ledger).toMatchObject({ received: 2, durable: 1, duplicate: 1 });
  });

  test('after numbers declared lost is admitted, and the header counts them', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    gateway.frame(session, { n: 1 });
    gateway.frame(session, { n: 5, lost: 3 });
    gateway.frame(session, { n: 6, lost: 4 });
    expect(rows(gateway).map(({ n, lost }) => [n, lost])).toEqual([
      [1, 0],
      [5, 3],
      [6, 0],
    ]);
    expect(gateway.gateway.ingest.ledger.lost).toEqual([0, 3, 0, 0]);
    gateway.pass(50);
    expect(gateway.flow(session, 1).ack).toBe(6);
  });

  test('after first in hello jumped counts from the previous record, and ack waits for it', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    const ep = gateway.told(session, 'welcome')[0]?.ep as number;
    gateway.frame(session, { n: 1 });
    gateway.frame(session, { n: 2 });
    const again = gateway.publisher('d', { ep, first: 6 });
    expect(gateway.flow(again, 1).ack).toBe(2);
    gateway.frame(again, { n: 6 });
    expect(rows(gateway).at(-1)).toMatchObject({ n: 6, lost: 3, uncertain: false });
    gateway.pass(50);
    expect(gateway.flow(again, 1).ack).toBe(6);
  });

  test('of an epoch without state carries the uncertain mark, once', () => {
    const gateway = node();
    const session = gateway.publisher('d', { ep: 77, first: 10 });
    expect(gateway.flow(session, 1).ack).toBe(9);
    gateway.frame(session, { n: 10 });
    gateway.frame(session, { n: 11 });
    expect(rows(gateway)).toMatchObject([
      { n: 10, lost: 0, uncertain: true },
      { n: 11, lost: 0, uncertain: false },
    ]);
  });

  test('of a lane of which nothing was ever admitted is acked as its hello says, back too', () => {
    const gateway = node();
    const ep = gateway.told(gateway.publisher('d'), 'welcome')[0]?.ep as number;
    const ackOf = (first: number): number =>
      gateway.flow(gateway.publisher('d', { ep, first }), 1).ack;
    expect([ackOf(1), ackOf(2), ackOf(1)]).toEqual([0, 1, 0]);
    const session = gateway.publisher('d', { ep, first: 2 });
    gateway.frame(session, { n: 2 });
    expect(ackOf(1)).toBe(2);
  });

  test('at QoS 0 after a hole is admitted and the gap counted; a lane back at QoS 1 is uncertain', () => {
    const gateway = node();
    const session = gateway.publisher('d', { qos: 0 });
    const ep = gateway.told(session, 'welcome')[0]?.ep as number;
    gateway.frame(session, { n: 4 });
    expect(rows(gateway)).toMatchObject([{ n: 4, lost: 0 }]);
    const again = gateway.publisher('d', { ep, first: 5 });
    gateway.frame(again, { n: 5 });
    expect(rows(gateway).at(-1)).toMatchObject({ n: 5, lost: 0, uncertain: true });
  });

  test.each<[string, (gateway: VirtualNode, session: number) => void, number, boolean]>([
    ['on a lane not granted', (g, s) => g.frame(s, { c: 3, n: 1 }), 4001, false],
    ['over the credit', (g, s) => overspend(g, s), 4006, false],
    ['with an undeclared hole', (g, s) => g.frame(s, { n: 3, lost: 1 }), 4008, false],
    ['with lost = n', (g, s) => g.frame(s, { n: 3, lost: 3 }), 4000, true],
    ['longer than mf', (g, s) => g.frame(s, { n: 1 }, [wide(1100)]), 4009, true],
    ['malformed', (g, s) => g.sendBytes(s, Buffer.from('a4000301010201039f', 'hex')), 4000, true],
    ['with a must-understand key', (g, s) => g.sendBytes(s, mustUnderstand()), 4005, true],
  ])('%s closes its session', (_, act, code, isNamed) => {
    const gateway = node();
    const session = gateway.publisher('d');
    gateway.isPrompt = false;
    act(gateway, session);
    const [away] = gateway.told(session, 'away');
    expect(away?.e).toBe(code);
    expect(gateway.closed(session)).toBe(code);
    expect(away?.n !== undefined && away.c === 1).toBe(isNamed);
    expect(gateway.gateway.ingest.ledger.closed.get(code)).toBe(1);
    expect(gateway.closed(gateway.publisher('another'))).toBeNull();
  });

  test.each<[string, Parameters<VirtualNode['frame']>[2], number]>([
    ['of a set not defined', [{ s: 9, t: 1, v: [1] }], 4020],
    ['with rows of two lengths', [{ s: 1, t: 1, v: [[1, 2]] }], 4021],
    ['of a time before 1970', [{ s: 1, t: -1, v: [1] }], 4021],
    ['of a set of another lane', [{ s: 2, t: 1, v: [1] }], 4021],
    ['with 65 blocks', Array.from({ length: 65 }, () => ({ s: 1, t: 1, v: [1] })), 4021],
  ])('%s is rejected for good, with stub and dead letter, and passed over', (_, blocks, code) => {
    const gateway = node();
    const session = gateway.publisher('d');
    gateway.send(session, { k: 'def', c: 0, s: 2, cols: [['alarm']] });
    gateway.isPrompt = false;
    gateway.frame(session, { n: 1 }, blocks);
    expect(gateway.told(session, 'reject')).toHaveLength(0);
    expect(gateway.flights[0]?.batch.deadLetters).toMatchObject([{ n: 1, code, device: 'd' }]);
    gateway.isPrompt = true;
    gateway.frame(session, { n: 2 });
    gateway.pass(50);
    expect(gateway.told(session, 'reject')).toMatchObject([{ c: 1, n: 1, e: code }]);
    expect(gateway.flow(session, 1).ack).toBe(2);
    const stub = gateway.disk.records.find(({ tg, key }) => key.length > 0 && tg[1] === 3);
    expect(decodeCbor(stub?.value as Uint8Array, 'server')).toMatchObject({ message: { e: code } });
    const heard = gateway.heard.get(session)?.messages ?? [];
    const rejectAt = heard.findIndex(({ k }) => k === 'reject');
    const flowAt = heard.findIndex((m) => m.k === 'flow' && m.f.some(([, ack]) => ack >= 1));
    expect(rejectAt).toBeLessThan(flowAt);
  });

  test('in the pipeline of an earlier connection counts against the window of the next', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    const ep = gateway.told(session, 'welcome')[0]?.ep as number;
    gateway.isPrompt = false;
    const cost = gateway.frame(session, { n: 1 }) + 64;
    gateway.disconnect(session);
    const again = gateway.publisher('d', { ep, first: 1 });
    expect(gateway.flow(again, 1)).toEqual({ ack: 0, lim: 16_512 - cost });
    gateway.frame(again, { n: 1 });
    expect(gateway.gateway.ingest.ledger.duplicate).toBe(1);
    gateway.land();
    gateway.pass(30);
    expect(gateway.flow(again, 1)).toEqual({ ack: 1, lim: 16_512 + cost });
  });

  test('names the sets it holds, in their order, whatever the frame before it held', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    gateway.send(session, { k: 'def', c: 1, s: 2, cols: [['wind', 'm/s']] });
    const [one, two] = [gateway.block(), { ...gateway.block(), s: 2 }];
    const unknown = { ...one, s: 9 };
    const frames = [[one, two, one], [two], [two, one], [two, unknown], [one]];
    for (const [i, blocks] of frames.entries()) gateway.frame(session, { n: i + 1 }, blocks);
    const named = gateway.disk.records
      .filter(({ log, key }) => log === LOG.readings && key.length > 0)
      .map(({ tg }) => {
        const header = emptyHeader();
        readHeader(tg, header);
        return Buffer.from(header.hashes).toString('hex');
      });
    const [first, a, , , b] = named;
    expect(first).toBe(`${b}${a}`);
    expect(named).toEqual([`${b}${a}`, a, `${a}${b}`, '', b]);
    expect(a).not.toBe(b);
  });

  test('of JSON means the same as of CBOR', () => {
    const gateway = node();
    const session = gateway.connect('json', 'd');
    gateway.send(session, { k: 'hello', ch: [[1, 1, 1]] });
    gateway.send(session, { k: 'def', c: 1, s: 1, cols: [['temp', 'Cel']] });
    gateway.frame(session, { n: 1 });
    gateway.pass(50);
    expect(gateway.flow(session, 1).ack).toBe(1);
    expect(rows(gateway)).toMatchObject([{ n: 1, kind: 0 }]);
  });
});

describe('a session', () => {
  test('is told its state by ping, with echo', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    gateway.send(session, { k: 'ping', now: 42 });
    expect(gateway.told(session, 'flow')).toMatchObject([
      {
        f: [
          [0, 0, 4096],
          [1, 0, 16_512],
        ],
        echo: 42,
      },
    ]);
  });

  test('that pings more than 5 times at once is closed', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    for (let i = 0; i < 5; i += 1) gateway.send(session, { k: 'ping' });
    expect(gateway.closed(session)).toBeNull();
    gateway.send(session, { k: 'ping' });
    expect(gateway.closed(session)).toBe(4101);
  });

  test('hears a flow at least every heartbeat, and is closed after three silent ones', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    gateway.pass(20_000);
    expect(gateway.told(session, 'flow').length).toBeGreaterThanOrEqual(1);
    gateway.step({ kind: 'heard', session });
    gateway.pass(59_000);
    expect(gateway.closed(session)).toBeNull();
    gateway.pass(2000);
    expect(gateway.closed(session)).toBe(4102);
  });

  test.each<[string, (gateway: VirtualNode, session: number) => void, number]>([
    ['text on CBOR', (g, s) => g.sendBytes(s, Buffer.from('{}'), false), 1003],
    ['a second hello', (g, s) => g.send(s, { k: 'hello' }), 4001],
    ['a welcome', (g, s) => g.send(s, { k: 'welcome', now: 1, hb: 1 }), 4001],
    [
      'a def of a lane not granted',
      (g, s) => g.send(s, { k: 'def', c: 3, s: 5, cols: [['x']] }),
      4001,
    ],
    ['a set defined otherwise', (g, s) => g.send(s, { k: 'def', c: 1, s: 1, cols: [['y']] }), 4001],
    ['a bad column name', (g, s) => g.send(s, { k: 'def', c: 1, s: 5, cols: [['a//b']] }), 4000],
    ['65 sets', (g, s) => manySets(g, s), 4009],
  ])('that sends %s is closed', (_, act, code) => {
    const gateway = node();
    const session = gateway.publisher('d');
    act(gateway, session);
    expect(gateway.closed(session)).toBe(code);
  });

  test('data before hello is out of order', () => {
    const gateway = node();
    const session = gateway.connect('cbor', 'd');
    gateway.frame(session, { n: 1 });
    expect(gateway.closed(session)).toBe(4001);
  });

  test('more than 4 KiB before welcome is too much', () => {
    const gateway = node();
    const session = gateway.connect('cbor', 'd');
    gateway.sendBytes(session, new Uint8Array(5000));
    expect(gateway.closed(session)).toBe(4009);
  });
});

const wide = (rows: number) => ({ s: 1, t: 1, dt: 1, v: [new Float64Array(rows)] });

/** The second-last byte of each frame is inside the credit, the last frame is not. */
function overspend(gateway: VirtualNode, session: number): void {
  let sent = 0;
  for (let n = 1; sent <= 16_512; n += 1) sent += gateway.frame(session, { n }, [wide(900)]) + 64;
}

/** `{k: data, c: 1, n: 1, b: …, -1: 0}` */
function mustUnderstand(): Uint8Array {
  return Buffer.from('a5000301010201038 1a3000101010481012000'.replaceAll(' ', ''), 'hex');
}

function manySets(gateway: VirtualNode, session: number): void {
  for (let s = 2; s <= 66; s += 1)
    gateway.send(session, { k: 'def', c: 1, s, cols: [['temp', 'Cel']] });
}
