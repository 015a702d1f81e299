import { describe, expect, test } from 'vitest';
import { LOG, type LogKind } from '../../../src/model/record.ts';
import { emptyDisk, VirtualNode, writeTo } from '../../support/virtual-node.ts';

const gateway = (disk = emptyDisk()): VirtualNode => new VirtualNode(disk, { isRecoverable: true });

/** The append of this log that is under way lands and says so. */
function land(node: VirtualNode, kind: LogKind): void {
  const at = node.flights.findIndex(({ log }) => log === kind);
  const [flight] = node.flights.splice(at, 1);
  if (at < 0 || !flight) throw new Error('no such append is under way');
  node.step({ kind: 'appended', log: kind, offsets: writeTo(node.disk, kind, flight.batch) });
  node.readGaps();
}

/** The append of this log that is under way fails, and nothing of it lands. */
function fail(node: VirtualNode, kind: LogKind): void {
  node.flights.splice(
    node.flights.findIndex(({ log }) => log === kind),
    1,
  );
  node.step({ kind: 'failed', log: kind, reason: 'refused' });
}

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

describe('of two gateways that take the logs at the same time', () => {
  test('the one that took the readings later has the alarms too, however often the other tries', () => {
    const disk = emptyDisk();
    const slow = gateway(disk);
    slow.isPrompt = false;
    slow.start();
    land(slow, LOG.readings);
    const heir = gateway(disk).start();
    const there = heir.publisher('d');
    for (let tries = 1; tries <= 5; tries += 1) {
      fail(slow, LOG.alarms);
      slow.pass(2000);
    }
    land(slow, LOG.alarms);
    expect(slow.broken).toContain('another gateway took the log');
    expect(slow.closed(slow.publisher('d'))).toBe(4103);
    heir.send(there, { k: 'def', c: 0, s: 2, cols: [['door', '']] });
    heir.frame(there, { c: 0, n: 1 }, [{ ...heir.block(), s: 2 }]);
    heir.frame(there, { n: 1 });
    heir.pass(30);
    heir.readGaps();
    expect(heir.broken).toBeNull();
    expect(heir.flow(there, 0).ack).toBe(1);
    expect(heir.flow(there, 1).ack).toBe(1);
  });

  test('neither waits for a fence of the other that landed and was not followed up', () => {
    const disk = emptyDisk();
    const gone = gateway(disk);
    gone.isPrompt = false;
    gone.start();
    land(gone, LOG.readings);
    const heir = gateway(disk).start();
    expect(heir.closed(heir.publisher('d'))).toBeNull();
  });
});

describe('an owner that lost the log', () => {
  test('does not take it back from a newer owner by the fence of its recovery', () => {
    const disk = emptyDisk();
    const old = gateway(disk).start();
    const session = old.publisher('d');
    old.isPrompt = false;
    old.frame(session, { n: 1 });
    const heir = gateway(disk).start();
    for (let tries = 1; tries <= 5; tries += 1) {
      fail(old, LOG.readings);
      old.pass(2000);
    }
    land(old, LOG.readings);
    expect(old.broken).toContain('another gateway has fenced this log');
    const there = heir.publisher('d');
    heir.frame(there, { n: 1 });
    heir.pass(30);
    heir.readGaps();
    expect(heir.broken).toBeNull();
    expect(heir.flow(there, 1).ack).toBe(1);
  });

  test('fences no more once it has read the fence of the new owner', () => {
    const disk = emptyDisk();
    const old = gateway(disk).start();
    const session = old.publisher('d');
    const heir = gateway(disk).start();
    heir.frame(heir.publisher('e'), { n: 1 });
    heir.pass(30);
    old.isPrompt = false;
    old.frame(session, { n: 1 });
    const [flight] = old.flights.splice(0);
    if (!flight) throw new Error('no append is under way');
    const offsets = writeTo(disk, LOG.readings, flight.batch);
    old.step({ kind: 'appended', log: LOG.readings, offsets });
    const fence = disk.records.filter(
      ({ log, shard }) => log === LOG.readings && shard === flight.batch.shard[0],
    )[1];
    if (!fence) throw new Error('no second fence');
    old.step({ kind: 'record', record: fence });
    old.step({ kind: 'failed', log: LOG.readings, reason: 'the gap cannot be read to its end' });
    old.pass(5000);
    expect(old.broken).toContain('another gateway has fenced this log');
    expect(old.flights).toHaveLength(0);
  });
});
