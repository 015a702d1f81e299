import { describe, expect, test } from 'vitest';
import { LOG } from '../../../src/model/record.ts';
import { emptyHeader, readHeader } from '../../../src/wire/record-header.ts';
import { emptyDisk, resultsOf, VirtualNode, writeTo } from '../../support/virtual-node.ts';

describe('definitions', () => {
  test('are durable before the first record of each log that uses them', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    const session = node.publisher('a/b');
    node.send(session, { k: 'def', c: 0, s: 2, cols: [['temp', 'Cel']] });
    node.isPrompt = false;
    node.frame(session, { c: 1, n: 1 });
    node.frame(session, { c: 0, n: 1 }, [{ ...node.block(), s: 2 }]);
    const at = node.flights.findIndex(({ log }) => log === LOG.alarms);
    const [alarms] = node.flights.splice(at, 1);
    if (!alarms) throw new Error('no append of alarms');
    const offsets = writeTo(disk, LOG.alarms, alarms.batch);
    node.step({ kind: 'appended', log: LOG.alarms, offsets });
    expect(node.flow(session, 0).ack).toBe(1);
    const after = new VirtualNode(disk).start();
    expect([...after.gateway.aggregation.series()].map(({ topic }) => topic)).toEqual(['a/b/temp']);
  });
});

describe('a log', () => {
  test('that cannot be read is not fenced', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    node.frame(node.publisher('a/b'), { n: 1 });
    const frame = disk.records.find(({ log, key }) => log === LOG.readings && key.length > 0);
    if (!frame) throw new Error('no frame in the log');
    const tg = frame.tg.slice();
    tg[0] = 2;
    disk.records.push({ ...frame, tg, offset: frame.offset + 1 });
    const before = disk.records.length;
    const older = new VirtualNode(disk).start();
    expect(older.broken).toMatch(/no header that this version knows/);
    expect(disk.records).toHaveLength(before);
  });

  test('in which somebody else left a record without a header passes over it', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    const session = node.publisher('a/b');
    node.frame(session, { n: 1 });
    const frame = disk.records.find(({ log, key }) => log === LOG.readings && key.length > 0);
    if (!frame) throw new Error('no frame in the log');
    disk.records.push({ ...frame, tg: new Uint8Array(0), offset: frame.offset + 1 });
    const after = new VirtualNode(disk).start();
    expect(after.broken).toBeNull();
    expect(after.gateway.ingest.devices.find('a/b')?.lanes[1]?.ack).toBe(1);
  });

  test('whose gap was read halfway is read again, and nothing stands in it twice', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk, { isRecoverable: true }).start();
    const session = node.publisher('a/b');
    node.isPrompt = false;
    for (const n of [1, 2, 3]) node.frame(session, { n });
    const [first] = node.flights.splice(0);
    if (!first) throw new Error('no append');
    const landed = writeTo(disk, first.log, first.batch);
    node.step({ kind: 'appended', log: first.log, offsets: landed });
    const [second] = node.flights.splice(0);
    if (!second) throw new Error('no second append');
    const offsets = writeTo(disk, second.log, second.batch);
    const [a, b] = disk.records.slice(-2);
    if (!a || !b) throw new Error('no rows');
    const tg = a.tg.slice();
    tg[4] = (tg[4] ?? 0) ^ 1;
    const zombie = { ...a, tg, offset: a.offset + 1 };
    disk.records.splice(-1, 1, zombie, { ...b, offset: b.offset + 1 });
    offsets[1] = b.offset + 1;
    node.step({ kind: 'appended', log: second.log, offsets });
    node.reads.length = 0;
    node.step({ kind: 'record', record: zombie });
    node.step({ kind: 'failed', log: second.log, reason: 'the reading of the gap failed' });
    for (let i = 0; i < 5; i += 1) {
      node.pass(1000);
      node.land();
      node.readGaps();
    }
    const header = emptyHeader();
    const numbers = disk.records
      .filter(({ log, key }) => log === LOG.readings && key.length > 0)
      .map(({ tg: bytes }) => (readHeader(bytes, header) ? header.n : -1));
    expect(numbers).toEqual([1, 2, 2, 3]);
    expect(node.flow(session, 1).ack).toBe(3);
    const again = new VirtualNode(disk).start();
    expect(again.gateway.ingest.devices.find('a/b')?.lanes[1]?.ack).toBe(3);
  });
});

describe('a path', () => {
  test('that only said hello is forgotten, and blocks nobody', () => {
    const node = new VirtualNode().start();
    const stray = node.connect('cbor', 'plant1');
    node.send(stray, { k: 'hello', ch: [[1, 1, 1]] });
    node.disconnect(stray);
    const refused = node.connect('cbor', 'plant2');
    node.send(refused, { k: 'hello', ep: Number.MAX_SAFE_INTEGER, ch: [[1, 1, 1]] });
    expect(node.closed(refused)).toBe(4007);
    expect(node.closed(node.publisher('plant1/pump'))).toBeNull();
    expect(node.closed(node.publisher('plant2/pump'))).toBeNull();
  });
});

describe('away', () => {
  test('names a frame whose head breaks after c and n, and the ledger has it', () => {
    const node = new VirtualNode().start();
    const session = node.publisher('a/b');
    node.sendBytes(session, Buffer.from('a500030101020504200380', 'hex'));
    expect(node.told(session, 'away')).toMatchObject([{ e: 4000, c: 1, n: 5 }]);
    expect(node.gateway.ingest.ledger.closed.get(4000)).toBe(1);
  });
});

describe('the uncertain mark of a lane that comes from QoS 0', () => {
  test('survives a stray hello', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    const session = node.publisher('a/b', { qos: 0 });
    const ep = node.told(session, 'welcome')[0]?.ep as number;
    node.frame(session, { n: 1 });
    node.frame(session, { n: 6 });
    node.disconnect(session);
    const stray = node.connect('cbor', 'a/b');
    node.send(stray, { k: 'hello', ch: [[1, 1, 1]] });
    node.disconnect(stray);
    node.frame(node.publisher('a/b', { ep, first: 11 }), { n: 11 });
    const header = emptyHeader();
    const last = disk.records.filter(({ log }) => log === LOG.readings).at(-1);
    expect(last && readHeader(last.tg, header)).toBe(true);
    expect(header).toMatchObject({ n: 11, lost: 0, uncertain: true });
  });
});

describe('results that a crash kept from their log', () => {
  test('wait for the fences asleep, and are written when the logs are ours', () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    const session = node.publisher('a/b');
    for (let n = 1; n <= 10; n += 1) {
      node.pass(1000);
      node.frame(session, { n });
    }
    const all = resultsOf(disk);
    expect(all.length).toBeGreaterThan(0);
    const records = disk.records.filter(({ log }) => log !== LOG.aggregates);
    const cut = { records, schemas: disk.schemas };
    const after = new VirtualNode(cut);
    after.isPrompt = false;
    after.start();
    const { delivery } = after.gateway;
    expect(delivery.isOwner).toBe(false);
    expect(delivery.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
    after.land();
    expect(delivery.isOwner).toBe(true);
    expect(resultsOf(cut)).toEqual(all);
  });
});
