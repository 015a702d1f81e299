import { describe, expect, test } from 'vitest';
import { LOG } from '../../../src/model/record.ts';
import { emptyHeader, readHeader } from '../../../src/wire/record-header.ts';
import { VirtualNode } from '../../support/virtual-node.ts';

const node = (): VirtualNode => new VirtualNode().start();

/** What the newest frame in the readings log says of the numbers before it. */
function newest(gateway: VirtualNode): { n: number; lost: number; uncertain: boolean } {
  const records = gateway.disk.records.filter(({ log, key }) => log === LOG.readings && key.length);
  const header = emptyHeader();
  expect(readHeader(records.at(-1)?.tg as Uint8Array, header)).toBe(true);
  const { n, lost, uncertain } = header;
  return { n, lost, uncertain };
}

const epochOf = (gateway: VirtualNode, session: number): number =>
  gateway.told(session, 'welcome')[0]?.ep as number;

/** The node dies and another one reads its disk. */
const restarted = (gateway: VirtualNode): VirtualNode => new VirtualNode(gateway.disk).start();

describe('a lane at QoS 0', () => {
  test('counts what it skipped at hello as processed, before any frame', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    const ep = epochOf(gateway, session);
    gateway.frame(session, { n: 1 });
    const again = gateway.publisher('d', { ep, first: 6, qos: 0 });
    expect(gateway.flow(again, 1).ack).toBe(5);
    const back = gateway.publisher('d', { ep, first: 6 });
    expect(gateway.flow(back, 1).ack).toBe(5);
    gateway.frame(back, { n: 6 });
    expect(newest(gateway)).toEqual({ n: 6, lost: 0, uncertain: true });
  });

  test('waits with that for what is still in the pipeline', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    const ep = epochOf(gateway, session);
    gateway.isPrompt = false;
    gateway.frame(session, { n: 1 });
    const again = gateway.publisher('d', { ep, first: 6, qos: 0 });
    expect(gateway.flow(again, 1).ack).toBe(0);
    gateway.isPrompt = true;
    gateway.land();
    gateway.pass(50);
    expect(gateway.flow(again, 1).ack).toBe(5);
  });

  test('is still one after a restart: what was missing is not lost, and the next is uncertain', () => {
    const before = node();
    const session = before.publisher('d', { qos: 0 });
    const ep = epochOf(before, session);
    before.frame(session, { n: 2 });
    const gateway = restarted(before);
    const again = gateway.publisher('d', { ep, first: 7 });
    gateway.frame(again, { n: 7 });
    expect(newest(gateway)).toEqual({ n: 7, lost: 0, uncertain: true });
    gateway.frame(again, { n: 9, lost: 1 });
    expect(newest(gateway)).toEqual({ n: 9, lost: 1, uncertain: false });
  });

  test('keeps being uncertain until a frame of the lane at QoS 1 has said so', () => {
    const gateway = node();
    const session = gateway.publisher('d', { qos: 0 });
    const ep = epochOf(gateway, session);
    gateway.frame(session, { n: 1 });
    gateway.publisher('d', { ep, first: 2 });
    const third = gateway.publisher('d', { ep, first: 4 });
    gateway.frame(third, { n: 4 });
    expect(newest(gateway)).toEqual({ n: 4, lost: 0, uncertain: true });
  });

  test('drops what comes while the log is down, tells how much, and returns the credit', () => {
    const gateway = new VirtualNode(undefined, { isRecoverable: true }).start();
    const [kept, session] = [gateway.publisher('k'), gateway.publisher('d', { qos: 0 })];
    gateway.isPrompt = false;
    gateway.frame(kept, { n: 1 });
    gateway.flights.length = 0;
    gateway.step({ kind: 'failed', log: LOG.readings, reason: 'timeout' });
    expect(gateway.told(session, 'flow').at(-1)?.why).toBe(2);
    const cost = gateway.frame(session, { n: 1 }) + 64;
    gateway.frame(session, { n: 3 });
    gateway.frame(kept, { n: 2 });
    gateway.pass(30);
    expect(gateway.told(session, 'flow').at(-1)?.f).toEqual([[1, 3, 16_512 + 2 * cost, 2]]);
    expect(gateway.flow(kept, 1).ack).toBe(0);
    expect(gateway.gateway.ingest.ledger).toMatchObject({ received: 4, dropped: 2, inFlight: 2 });
    gateway.isPrompt = true;
    gateway.pass(2000);
    gateway.frame(session, { n: 4 });
    gateway.pass(50);
    expect(gateway.flow(kept, 1).ack).toBe(2);
    expect(gateway.told(session, 'flow').at(-1)?.f?.[0]).toMatchObject([
      1,
      4,
      expect.any(Number),
      2,
    ]);
    expect(gateway.gateway.ingest.ledger).toMatchObject({ durable: 3, dropped: 2, inFlight: 0 });
  });
});

describe('a lane at QoS 1', () => {
  test('after a restart counts as lost what it declares lost', () => {
    const before = node();
    const session = before.publisher('d');
    const ep = epochOf(before, session);
    before.frame(session, { n: 1 });
    const gateway = restarted(before);
    const again = gateway.publisher('d', { ep, first: 5 });
    expect(gateway.flow(again, 1).ack).toBe(1);
    gateway.frame(again, { n: 5 });
    expect(newest(gateway)).toEqual({ n: 5, lost: 3, uncertain: false });
  });

  test('whose stub was the last record goes on behind it after a restart', () => {
    const before = node();
    const session = before.publisher('d');
    const ep = epochOf(before, session);
    before.frame(session, { n: 1 }, [{ s: 9, t: 1, v: [1] }]);
    const gateway = restarted(before);
    const again = gateway.publisher('d', { ep, first: 1 });
    expect(gateway.flow(again, 1).ack).toBe(1);
    gateway.frame(again, { n: 1 });
    expect(gateway.gateway.ingest.ledger.duplicate).toBe(1);
  });
});

describe('a minted epoch', () => {
  test('is above every epoch of the device, that of a source too', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    const device = gateway.gateway.ingest.devices.find('d');
    if (device?.lanes[3]) device.lanes[3].epoch = 2 ** 52;
    gateway.frame(session, { n: 1 });
    const again = gateway.publisher('d');
    expect(epochOf(gateway, again)).toBeGreaterThan(2 ** 52);
  });
});

test('dur is told when it changed, once', () => {
  let dur = 2;
  const gateway = new VirtualNode(undefined, { dur: () => dur }).start();
  const session = gateway.publisher('d');
  expect(gateway.told(session, 'welcome')[0]?.dur).toBe(2);
  dur = 1;
  gateway.pass(600);
  gateway.frame(session, { n: 1 });
  gateway.pass(100);
  expect(gateway.told(session, 'flow').map((flow) => flow.dur)).toEqual([1, undefined]);
});
