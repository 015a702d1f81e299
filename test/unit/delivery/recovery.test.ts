import { describe, expect, test } from 'vitest';
import { LOG, RECORD } from '../../../src/model/record.ts';
import { emptyHeader, readHeader } from '../../../src/wire/record-header.ts';
import {
  type Disk,
  emptyDisk,
  resultsOf,
  VirtualNode,
  writeTo,
} from '../../support/virtual-node.ts';

/** Ten windows of readings of one device, one row each, and the wm that makes them final. */
function feed(node: VirtualNode, session: number): void {
  const t0 = node.now.wallUs;
  for (let n = 1; n <= 10; n += 1) {
    node.pass(1000);
    node.frame(session, { n }, [node.block(t0 + n * 1_000_000, n)]);
  }
}

function fences(disk: Disk): { log: number; shard: number; gen: number }[] {
  return disk.records
    .filter(({ log, tg }) => log !== LOG.aggregates && tg[1] === RECORD.fence)
    .map(({ log, shard, tg }) => {
      const header = emptyHeader();
      readHeader(tg, header);
      return { log, shard, gen: header.gen };
    });
}

describe('the start path', () => {
  test('fences every readings log, then every alarms log, one generation higher each time', () => {
    const disk = emptyDisk();
    new VirtualNode(disk).start();
    new VirtualNode(disk).start();
    const shards = [0, 1, 2, 3];
    expect(fences(disk)).toEqual(
      [1, 2].flatMap((gen) =>
        [LOG.readings, LOG.alarms].flatMap((log) => shards.map((shard) => ({ log, shard, gen }))),
      ),
    );
  });

  test('serves no device before its alarms fence is back', () => {
    const node = new VirtualNode();
    node.isPrompt = false;
    node.start();
    expect(node.closed(node.publisher('a'))).toBe(4203);
    node.land();
    expect(node.closed(node.publisher('a'))).toBeNull();
  });

  test('knows after a crash what every device had sent', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    const session = node.publisher('a/b');
    const ep = node.told(session, 'welcome')[0]?.ep as number;
    feed(node, session);
    const after = new VirtualNode(disk).start();
    const again = after.publisher('a/b', { ep, first: 8 });
    expect(after.flow(again, 1).ack).toBe(10);
    after.frame(again, { n: 10 });
    expect(after.gateway.ingest.ledger.duplicate).toBe(1);
    after.frame(again, { n: 11 });
    after.pass(30);
    expect(after.flow(again, 1).ack).toBe(11);
  });

  test('writes exactly the results that a crash kept from the aggregates log', () => {
    const whole = emptyDisk();
    const reference = new VirtualNode(whole).start();
    feed(reference, reference.publisher('a'));
    const all = resultsOf(whole);
    expect(all.length).toBeGreaterThanOrEqual(7);
    for (let keep = 0; keep <= all.length; keep += 1) {
      let seen = 0;
      const cut = whole.records.filter(({ log }) => {
        if (log !== LOG.aggregates) return true;
        seen += 1;
        return seen <= keep;
      });
      const disk = { records: cut, schemas: whole.schemas };
      new VirtualNode(disk).start();
      expect(resultsOf(disk)).toEqual(all);
    }
  });

  test('results are the same whether the log was read live or again', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    feed(node, node.publisher('a'));
    const windows = (of: VirtualNode): unknown[] =>
      [...of.gateway.aggregation.series()].map(({ topic, windows: [live] }) => [
        topic,
        Array.from({ length: live?.count ?? 0 }, (_, i) => [
          live?.startAt(i),
          live?.valueAt(i, 'sum'),
        ]),
      ]);
    expect(windows(new VirtualNode(disk).start())).toEqual(windows(node));
  });

  test('definitions stand before the frame that uses them, once', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    const session = node.publisher('a');
    expect(disk.schemas).toHaveLength(0);
    node.frame(session, { n: 1 });
    node.frame(session, { n: 2 });
    node.frame(node.publisher('b'), { n: 1 });
    expect(disk.schemas).toHaveLength(1);
    const after = new VirtualNode(disk).start();
    after.frame(after.publisher('c'), { n: 1 });
    expect(disk.schemas).toHaveLength(1);
  });
});

describe('an owner', () => {
  test('deposed by another gateway acknowledges nothing more', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk, { isRecoverable: true }).start();
    const session = node.publisher('a');
    node.frame(session, { n: 1 });
    node.pass(30);
    new VirtualNode(disk, { isRecoverable: true }).start();
    node.frame(session, { n: 2 });
    node.readGaps();
    node.pass(100);
    expect(node.broken).toMatch(/another gateway/);
    expect(node.flow(session, 1).ack).toBe(1);
    expect(node.closed(session)).toBe(4203);
    expect(node.closed(node.publisher('b'))).toBe(4103);
    const after = new VirtualNode(disk).start();
    expect(after.gateway.ingest.devices.find('a')?.lanes[1]?.ack).toBe(1);
  });

  test('acknowledges nothing once records have vanished from its log', () => {
    const node = new VirtualNode(emptyDisk(), { isRecoverable: true }).start();
    const session = node.publisher('a');
    node.isPrompt = false;
    node.frame(session, { n: 1 });
    const [flight] = node.flights.splice(0);
    node.step({ kind: 'appended', log: flight?.log ?? LOG.readings, offsets: Float64Array.of(0) });
    node.pass(100);
    expect(node.broken).toMatch(/gone from the log/);
    expect(node.flow(session, 1).ack).toBe(0);
    expect(node.closed(session)).toBe(4103);
  });

  test('of a log that cannot recover acknowledges nothing after an append that failed', () => {
    const node = new VirtualNode().start();
    const session = node.publisher('a');
    node.isPrompt = false;
    node.frame(session, { n: 1 });
    node.step({ kind: 'failed', log: LOG.readings, reason: 'EIO' });
    expect(node.broken).toMatch(/EIO/);
    expect(node.flow(session, 1).ack).toBe(0);
  });

  test('lets alarms gather while the log is busy, and nothing else', () => {
    let isBusy = true;
    const node = new VirtualNode(emptyDisk(), { isLogBusy: () => isBusy });
    isBusy = false;
    node.start();
    const session = node.publisher('a');
    node.send(session, { k: 'def', c: 0, s: 2, cols: [['door', '']] });
    node.isPrompt = false;
    isBusy = true;
    for (const n of [1, 2, 3]) node.frame(session, { c: 0, n }, [{ ...node.block(), s: 2 }]);
    node.frame(session, { c: 1, n: 1 });
    const waiting = () => node.flights.map(({ log, batch }) => [log, batch.rows]);
    expect(waiting()).toEqual([[LOG.readings, 1]]);
    node.pass(50);
    expect(waiting()).toEqual([[LOG.readings, 1]]);
    isBusy = false;
    node.step({ kind: 'tick' });
    expect(waiting()).toEqual([
      [LOG.readings, 1],
      [LOG.alarms, 3],
    ]);
  });

  test('settles the first rows of an append before the others, and each once', () => {
    const node = new VirtualNode().start();
    const session = node.publisher('a');
    node.frame(session, { n: 1 });
    node.isPrompt = false;
    node.frame(session, { n: 2 });
    const [alone] = node.flights.splice(0);
    for (const n of [3, 4, 5, 6]) node.frame(session, { n });
    if (!alone) throw new Error('no append');
    const landed = writeTo(node.disk, alone.log, alone.batch);
    node.step({ kind: 'appended', log: LOG.readings, offsets: landed });
    const [flight] = node.flights.splice(0);
    if (!flight) throw new Error('no append');
    const offsets = writeTo(node.disk, flight.log, flight.batch);
    const seen = () => {
      const { ledger, devices } = node.gateway.ingest;
      const rows = node.gateway.aggregation.counters.aggregated;
      return [devices.find('a')?.lanes[1]?.ack, ledger.durable, rows, node.flights.length];
    };
    node.pass(1);
    expect(seen()).toEqual([2, 2, 2, 0]);
    for (const [rows, acked] of [
      [1, 3],
      [3, 5],
      [3, 5],
    ] as const) {
      node.step({
        kind: 'appended',
        log: LOG.readings,
        offsets: offsets.subarray(0, rows),
      });
      node.pass(1);
      expect(seen()).toEqual([acked, acked, acked, 0]);
    }
    node.frame(session, { n: 7 });
    expect(node.flights).toHaveLength(0);
    node.step({ kind: 'appended', log: LOG.readings, offsets });
    expect(node.flights.map(({ batch }) => batch.rows)).toEqual([1]);
    node.pass(1);
    expect(seen()).toEqual([6, 6, 6, 1]);
  });

  test('has one append per log in flight, and gathers what comes meanwhile', () => {
    const node = new VirtualNode().start();
    const session = node.publisher('a');
    node.isPrompt = false;
    for (let n = 1; n <= 5; n += 1) node.frame(session, { n });
    expect(node.flights.map(({ batch }) => batch.rows)).toEqual([1]);
    const [first] = node.flights.splice(0);
    node.step({ kind: 'appended', log: LOG.readings, offsets: Float64Array.of(1) });
    expect(node.flights.map(({ batch }) => batch.rows)).toEqual([4]);
    // The next append went out first; what came back is settled, and its batch used again, now.
    const acked = () => node.gateway.ingest.devices.find('a')?.lanes[1]?.ack;
    expect(acked()).toBe(0);
    node.step({ kind: 'tick' });
    expect(acked()).toBe(1);
    expect(first?.batch.rows).toBe(0);
  });

  test('marks a class that is gone, so that its last windows become final', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    const session = node.publisher('a');
    node.frame(session, { n: 1 });
    node.disconnect(session);
    node.pass(115_000);
    expect(resultsOf(disk)).toHaveLength(0);
    node.pass(15_000);
    expect(resultsOf(disk)).toMatchObject([{ device: 'a', status: 'final' }]);
  });

  test('marks a class whose device says by ping that nothing older will come', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    const session = node.publisher('a');
    node.frame(session, { n: 1 });
    node.send(session, { k: 'ping', wm: [[1, node.now.wallUs + 3_000_000]] });
    node.pass(4000);
    expect(resultsOf(disk)).toMatchObject([{ device: 'a', status: 'final' }]);
  });

  test('does not mark a class of a connected device that is blocked or has a backlog', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    const session = node.publisher('a');
    node.frame(session, { n: 1, bl: 500 });
    for (let s = 0; s < 6; s += 1) {
      node.pass(10_000);
      node.step({ kind: 'heard', session });
    }
    expect(resultsOf(disk)).toHaveLength(0);
    node.send(session, { k: 'ping', bl: [[1, 0]] });
    node.pass(12_000);
    expect(resultsOf(disk)).toHaveLength(1);
  });
});
