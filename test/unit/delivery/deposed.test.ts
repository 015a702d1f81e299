import { expect, test } from 'vitest';
import { emptyDisk, VirtualNode } from '../../support/virtual-node.ts';

test('a deposed owner counts nothing that the new one wrote, and acknowledges nothing of its own', () => {
  const disk = emptyDisk();
  const old = new VirtualNode(disk).start();
  const session = old.publisher('d');
  const heir = new VirtualNode(disk).start();
  const there = heir.publisher('d');
  for (let n = 1; n <= 3; n += 1) heir.frame(there, { n });
  heir.pass(30);
  old.frame(session, { n: 1 });
  old.pass(30);
  old.readGaps();
  expect(old.broken).toContain('another gateway');
  expect(old.flow(session, 1).ack).toBe(0);
  expect(old.gateway.aggregation.counters.aggregated).toBe(0);
  expect(old.gateway.ingest.ledger.durable).toBe(0);
  expect(heir.flow(there, 1).ack).toBe(3);
});
