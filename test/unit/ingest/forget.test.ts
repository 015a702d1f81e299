import { describe, expect, test } from 'vitest';
import { VirtualNode } from '../../support/virtual-node.ts';

const DAY_MS = 86_400_000;

/** Time passes without anybody being there to be woken for it. */
function sleepFor(gateway: VirtualNode, ms: number): void {
  gateway.gateway.ingest.devices.forget(gateway.now.wallUs + (ms - 7 * DAY_MS) * 1000);
}

describe('what is known of a device', () => {
  test('is forgotten seven days after its last frame, and its path is free', () => {
    const gateway = new VirtualNode().start();
    const session = gateway.publisher('a/b');
    gateway.frame(session, { n: 1 });
    gateway.disconnect(session);
    sleepFor(gateway, 7 * DAY_MS);
    expect(gateway.gateway.ingest.devices.size).toBe(1);
    sleepFor(gateway, 7 * DAY_MS + 1);
    expect(gateway.gateway.ingest.devices.size).toBe(0);
    expect(gateway.closed(gateway.publisher('a'))).toBeNull();
  });

  test('is kept while it is connected, and while something of it is in the pipeline', () => {
    const gateway = new VirtualNode().start();
    const [session, left] = [gateway.publisher('a'), gateway.publisher('b')];
    gateway.isPrompt = false;
    gateway.frame(session, { n: 1 });
    gateway.frame(left, { n: 1 });
    gateway.disconnect(left);
    sleepFor(gateway, 30 * DAY_MS);
    expect(gateway.gateway.ingest.devices.size).toBe(2);
    gateway.land();
    sleepFor(gateway, 30 * DAY_MS);
    expect(gateway.gateway.ingest.devices.size).toBe(1);
  });

  test('that was forgotten is accepted again, uncertain', () => {
    const gateway = new VirtualNode().start();
    const session = gateway.publisher('d');
    const ep = gateway.told(session, 'welcome')[0]?.ep as number;
    gateway.frame(session, { n: 1 });
    gateway.disconnect(session);
    sleepFor(gateway, 8 * DAY_MS);
    const again = gateway.publisher('d', { ep, first: 2 });
    expect(gateway.flow(again, 1).ack).toBe(1);
    gateway.frame(again, { n: 2 });
    expect(gateway.disk.records.at(-1)?.tg[2]).toBe(1);
  });

  test('read at the start counts from when its last record was received', () => {
    const before = new VirtualNode().start();
    before.frame(before.publisher('d'), { n: 1 });
    const gateway = new VirtualNode(before.disk).start();
    sleepFor(gateway, 6 * DAY_MS);
    expect(gateway.gateway.ingest.devices.size).toBe(1);
    sleepFor(gateway, 8 * DAY_MS);
    expect(gateway.gateway.ingest.devices.size).toBe(0);
  });
});
