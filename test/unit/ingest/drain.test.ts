import { describe, expect, test } from 'vitest';
import { VirtualNode } from '../../support/virtual-node.ts';

const node = (): VirtualNode => new VirtualNode().start();
const leave = (gateway: VirtualNode): void => gateway.step({ kind: 'leave' });

describe('a node that is told to leave', () => {
  test('tells every session to go within w, serves on until dl, then closes', () => {
    const gateway = node();
    const device = gateway.publisher('d');
    const dashboard = gateway.connect('json');
    gateway.send(dashboard, { k: 'hello' });
    leave(gateway);
    for (const session of [device, dashboard]) {
      expect(gateway.told(session, 'away')).toMatchObject([{ e: 4201, w: 1000, dl: 5000 }]);
      expect(gateway.closed(session)).toBeNull();
    }
    gateway.pass(4000);
    gateway.frame(device, { n: 1 });
    gateway.pass(50);
    expect(gateway.flow(device, 1).ack).toBe(1);
    expect(gateway.gateway.isDrained).toBe(false);
    gateway.pass(949);
    expect(gateway.closed(device)).toBeNull();
    gateway.pass(2);
    expect([device, dashboard].map((one) => gateway.closed(one))).toEqual([4201, 4201]);
    expect(gateway.told(device, 'away')).toHaveLength(1);
    expect(gateway.gateway.isDrained).toBe(true);
  });

  test('spreads many over a longer time: 500 come back in a second', () => {
    const gateway = node();
    const [first] = Array.from({ length: 2000 }, (_, i) => gateway.publisher(`d${i}`));
    leave(gateway);
    expect(gateway.told(first as number, 'away')).toMatchObject([{ w: 4000, dl: 8000 }]);
  });

  test('is done at once without sessions, and when the last one has left and the log has all', () => {
    const idle = node();
    leave(idle);
    expect(idle.gateway.isDrained).toBe(true);

    const gateway = node();
    const device = gateway.publisher('d');
    gateway.isPrompt = false;
    gateway.frame(device, { n: 1 });
    leave(gateway);
    gateway.disconnect(device);
    expect(gateway.gateway.isDrained).toBe(false);
    gateway.isPrompt = true;
    gateway.land();
    gateway.pass(1000);
    expect(gateway.gateway.isDrained).toBe(true);
  });

  test.each<[string, string | null, boolean]>([
    ['a device', 'late', true],
    ['a dashboard', null, false],
  ])('sends %s that says hello now away for that time, without serving it', (_, who, isDevice) => {
    const gateway = node();
    gateway.publisher('d');
    const waiting = gateway.connect('cbor', who);
    leave(gateway);
    expect(gateway.told(waiting, 'away')).toMatchObject([{ e: 4201, w: 1000 }]);
    const late = gateway.connect('cbor', who);
    gateway.send(late, isDevice ? { k: 'hello', ch: [[1, 1, 1]] } : { k: 'hello' });
    const [away] = gateway.told(late, 'away');
    expect(away).toMatchObject({ e: 4201, w: 1000 });
    expect(away?.dl).toBeUndefined();
    expect(gateway.closed(late)).toBe(4201);
  });

  test('does not start the drain anew when it is told twice', () => {
    const gateway = node();
    const device = gateway.publisher('d');
    leave(gateway);
    gateway.pass(3000);
    leave(gateway);
    expect(gateway.told(device, 'away')).toHaveLength(1);
    gateway.pass(2001);
    expect(gateway.closed(device)).toBe(4201);
  });
});
