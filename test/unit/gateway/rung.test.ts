import { expect, test } from 'vitest';
import { VirtualNode } from '../../support/virtual-node.ts';

/** How often a dashboard hears of a series that has a reading every 20 ms. Units: updates a second. */
function updatesPerSecond(node: VirtualNode, device: number, dashboard: number, first: number) {
  const before = node.told(dashboard, 'data').length;
  for (let n = first; n < first + 100; n += 1) {
    node.frame(device, { n });
    node.pass(20);
  }
  return (node.told(dashboard, 'data').length - before) / 2;
}

/** So many are served; one more finds room for its alarms alone. */
const SESSIONS = 32;

test('a node above rung 0 tells dashboards less often, and as before when it has come down', () => {
  const node = new VirtualNode(undefined, { sessions: SESSIONS }).start();
  const dashboard = node.connect('cbor');
  node.send(dashboard, { k: 'hello', rx: 32_768 });
  node.send(dashboard, { k: 'sub', c: 1, p: ['#'], win: 1000, agg: ['n'] });
  const devices = Array.from({ length: SESSIONS + 1 }, (_, i) => node.publisher(`d${i}`));
  node.pass(1000);
  expect(node.gateway.ingest.rung).toBe(3);
  // The first of 2 s may come at once.
  expect([2, 2.5]).toContain(updatesPerSecond(node, devices[0] as number, dashboard, 1));

  for (const device of devices.slice(1)) node.disconnect(device);
  node.pass(1000);
  expect(node.gateway.ingest.rung).toBe(0);
  expect(updatesPerSecond(node, devices[0] as number, dashboard, 101)).toBeGreaterThanOrEqual(15);
});
