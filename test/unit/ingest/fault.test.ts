import { describe, expect, test, vi } from 'vitest';
import { Subscription } from '../../../src/fanout/subscription.ts';
import { InvariantError, invariant, SharedFault } from '../../../src/model/invariant.ts';
import { VirtualNode } from '../../support/virtual-node.ts';

const HOUR_MS = 3_600_000;

/** Breaks an invariant whenever this node is told of a watermark in a ping. */
function breakOnPing(gateway: VirtualNode): void {
  gateway.gateway.aggregation.tellWatermark = () => invariant(false, 'broken on purpose');
}

describe('an invariant that breaks in one session', () => {
  test('ends it with 1011, keeps its device away for an hour, and nobody else', () => {
    const faults: unknown[] = [];
    const gateway = new VirtualNode(undefined, { onFault: (fault) => faults.push(fault) }).start();
    breakOnPing(gateway);
    const other = gateway.publisher('other');
    const session = gateway.publisher('d');
    gateway.send(session, { k: 'ping', wm: [[1, 1]] });
    expect(gateway.told(session, 'away')).toMatchObject([{ e: 1011 }]);
    expect(gateway.closed(session)).toBe(1011);
    expect(faults).toMatchObject([{ session, device: 'd', error: { name: 'InvariantError' } }]);
    expect(gateway.gateway.ingest.ledger.broken).toBe(1);

    gateway.frame(other, { n: 1 });
    gateway.pass(50);
    expect(gateway.flow(other, 1).ack).toBe(1);

    gateway.pass(60_000);
    const again = gateway.publisher('d');
    expect(gateway.told(again, 'away')).toMatchObject([{ e: 4100, w: HOUR_MS - 60_050 }]);
    gateway.pass(HOUR_MS);
    expect(gateway.closed(gateway.publisher('d'))).toBeNull();
  });

  test('of a dashboard ends it and holds nothing against anybody', () => {
    const gateway = new VirtualNode().start();
    gateway.gateway.fanout.sub = () => invariant(false, 'broken on purpose');
    const dashboard = gateway.connect('json');
    gateway.send(dashboard, { k: 'hello' });
    gateway.send(dashboard, { k: 'sub', c: 1, p: ['#'], win: 1000 });
    expect(gateway.closed(dashboard)).toBe(1011);
    expect(gateway.gateway.ingest.conducts.size).toBe(0);
  });

  test('in the sweep ends it too', () => {
    const gateway = new VirtualNode().start();
    const session = gateway.publisher('d');
    const other = gateway.publisher('other');
    gateway.gateway.fanout.subscriptions = (id) => {
      invariant(id !== session, 'broken on purpose');
      return 0;
    };
    const device = gateway.gateway.ingest.devices.find('d');
    expect(device).toBeDefined();
    gateway.send(other, { k: 'ping' });
    gateway.send(session, { k: 'ping' });
    expect([session, other].map((one) => gateway.closed(one))).toEqual([1011, null]);
  });

  test('while a record is aggregated is told, and the next record follows', () => {
    const faults: unknown[] = [];
    const gateway = new VirtualNode(undefined, { onFault: (fault) => faults.push(fault) }).start();
    const session = gateway.publisher('d');
    const { schemas } = gateway.gateway.delivery;
    const { find } = schemas;
    schemas.find = () => {
      throw new InvariantError('broken on purpose');
    };
    gateway.frame(session, { n: 1 });
    schemas.find = find;
    gateway.frame(session, { n: 2 });
    gateway.pass(50);
    expect(faults).toMatchObject([{ session: 0, device: 'd', error: { name: 'InvariantError' } }]);
    expect(gateway.flow(session, 1).ack).toBe(2);
    expect(gateway.gateway.aggregation.counters.aggregated).toBe(1);
    expect(gateway.gateway.aggregation.unreadable).toBe(1);
  });

  test('while a dashboard is told ends that dashboard, and the others are told', () => {
    const gateway = new VirtualNode().start();
    const device = gateway.publisher('d');
    const dashboard = (): number => {
      const session = gateway.connect('json');
      gateway.send(session, { k: 'hello' });
      gateway.send(session, { k: 'sub', c: 1, p: ['#'], win: 1000 });
      return session;
    };
    const [first, second] = [dashboard(), dashboard()];
    const { flush } = Subscription.prototype;
    vi.spyOn(Subscription.prototype, 'flush').mockImplementation(function (
      this: Subscription,
      now,
    ) {
      invariant(this.subscriber.session !== first, 'broken on purpose');
      flush.call(this, now);
    });
    gateway.frame(device, { n: 1 });
    gateway.pass(100);
    vi.restoreAllMocks();
    expect(gateway.closed(first)).toBe(1011);
    expect(gateway.told(second, 'data')).toHaveLength(1);
    expect(gateway.gateway.ingest.ledger.broken).toBe(1);
  });

  test('in what is written of a window is passed on: results would be missing', () => {
    const gateway = new VirtualNode().start();
    const session = gateway.publisher('d');
    gateway.gateway.delivery.result = () => invariant(false, 'broken on purpose');
    const { wallUs } = gateway.now;
    gateway.frame(session, { n: 1 }, [gateway.block(wallUs - 60_000_000)]);
    expect(() => gateway.frame(session, { n: 2 })).toThrow(SharedFault);
  });

  test('in the log of everybody is passed on: nobody may go on', () => {
    const gateway = new VirtualNode().start();
    const session = gateway.publisher('d');
    gateway.gateway.delivery.admit = () => invariant(false, 'broken on purpose');
    expect(() => gateway.frame(session, { n: 1 })).toThrow(SharedFault);
  });
});
