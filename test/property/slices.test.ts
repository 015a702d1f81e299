import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Aggregation } from '../../src/aggregation/aggregation.ts';
import { LOG } from '../../src/model/record.ts';
import { AGGREGATES } from '../../src/model/window.ts';
import { type Entry, EventLog, type Heard, listening } from '../support/event-log.ts';
import { randomLog } from '../support/random-log.ts';
import { type Disk, emptyDisk, VirtualNode } from '../support/virtual-node.ts';

const S = 1_000_000;
const LOGS = [0, 1, 2, 3];
const COLUMNS = 64;
const WINDOWS = 100;
/** More than any of these logs needs. */
const STEPS_MAX = 100_000;

const placeOf = ({ log, shard }: { readonly log: number; readonly shard: number }): number =>
  log * 2 + shard;

/** Results of one (log, shard), each with its cause. */
const resultsIn = (heard: Heard, place: number): string[] =>
  heard.results
    .filter(({ cause }) => placeOf(cause) === place)
    .map(({ cause, result }) => JSON.stringify([cause, result]));

/** Everything kept, and what became of the readings. */
const stateOf = (aggregation: Aggregation): unknown => ({
  counters: aggregation.counters,
  windows: [...aggregation.series()]
    .map(({ topic, windows }) => [
      topic,
      windows.map((one) =>
        Array.from({ length: one?.count ?? 0 }, (_, i) => [
          one?.startAt(i),
          one?.statusAt(i),
          ...AGGREGATES.map((name) => one?.valueAt(i, name)),
        ]),
      ),
    ])
    .toSorted(),
});

/**
 * Feeds as a gateway does: in steps, each log in its order, a log that is behind waits. In a step
 * without units the next record comes all the same, as one does that is read in a gap.
 */
function feedInSlices(aggregation: Aggregation, log: EventLog, units: readonly number[]): void {
  const queues = LOGS.map((place) => log.entries.filter(({ record }) => placeOf(record) === place));
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const size = units[step % units.length] as number;
    for (const kind of [LOG.readings, LOG.alarms]) aggregation.allow(kind, size);
    aggregation.advance();
    for (const queue of queues) {
      if (aggregation.isBehind && size === 0) applyNext(aggregation, queue);
      while (isNextFed(aggregation, queue)) applyNext(aggregation, queue);
    }
    if (!aggregation.isBehind && queues.every(({ length }) => length === 0)) return;
  }
  throw new Error('it never ends');
}

/** A record that is not done with comes again. */
function applyNext(aggregation: Aggregation, queue: Entry[]): void {
  const [next] = queue;
  if (next !== undefined && aggregation.apply(next.record, next.header)) queue.shift();
}

const isNextFed = (aggregation: Aggregation, [next]: readonly Entry[]): boolean =>
  next !== undefined && aggregation.mayApply(next.record.log, next.record.shard);

const units = fc
  .array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 4 })
  .filter((sizes) => sizes.some((size) => size > 0));

describe('results in slices', () => {
  test('are the same, in the same order and with the same causes, for any size of a slice', () => {
    fc.assert(
      fc.property(randomLog(), units, (log, sizes) => {
        const whole = listening(log);
        for (const { record, header } of log.entries) whole.aggregation.apply(record, header);
        const sliced = listening(log);
        feedInSlices(sliced.aggregation, log, sizes);
        for (const place of LOGS) {
          expect(resultsIn(sliced.heard, place)).toEqual(resultsIn(whole.heard, place));
        }
        expect(stateOf(sliced.aggregation)).toEqual(stateOf(whole.aggregation));
      }),
      { numRuns: 150 },
    );
  });

  test('whoever copies the windows that changed has them all once nothing is pending', () => {
    fc.assert(
      fc.property(randomLog(30), units, (log, sizes) => {
        const { aggregation, heard } = listening(log);
        feedInSlices(aggregation, log, sizes);
        const told = new Set(
          heard.changed.map((one) => `${one.topic} ${one.classId} ${one.start}`),
        );
        for (const { topic, windows } of aggregation.series()) {
          windows.forEach((one, classId) => {
            for (let i = 0; i < (one?.count ?? 0); i += 1) {
              expect(told).toContain(`${topic} ${classId} ${one?.startAt(i)}`);
            }
          });
        }
      }),
      { numRuns: 50 },
    );
  });
});

const KINDS = ['value', 'value', 'value', 'null', 'absent', 'text', 'bad'] as const;

/** As many series as a device may have at once, or fewer; some columns have nothing to show. */
const manySets = fc.record({
  kinds: fc.array(fc.constantFrom(...KINDS), { minLength: 5, maxLength: 5 }),
  sets: fc.integer({ min: 9, max: COLUMNS }),
  rows: fc.constantFrom(1, 2, 3),
  /** Units: s from the frame before. */
  ahead: fc.constantFrom(1, 0, -31, -40, 301),
  seriesPerLogMax: fc.constantFrom(20_000, 700, 1500),
});
type ManySets = typeof manySets extends fc.Arbitrary<infer T> ? T : never;

/** 4096 new series, all with values. */
const ALL_NEW: ManySets = {
  kinds: ['value'],
  sets: COLUMNS,
  rows: 2,
  ahead: 1,
  seriesPerLogMax: 20_000,
};

/** A device's first frame, and one that is the first of (nearly) all its series. */
function manyNew({ kinds, sets, rows, ahead }: ManySets): EventLog {
  const log = new EventLog();
  const t0 = 1_700_000_000 * S;
  log.frame({ recv: t0, blocks: [{ set: { cols: [['a0_1']] }, t: [t0], v: [[1]] }] });
  const at = t0 + ahead * S;
  const t = Array.from({ length: rows }, (_, row) => at + row * S);
  const blocks = Array.from({ length: sets }, (_, i) => {
    const kindOf = (c: number) => kinds[(i * 7 + c) % kinds.length];
    const v = Array.from({ length: COLUMNS }, (_, c) => {
      if (kindOf(c) === 'absent') return null;
      return t.map(() => (kindOf(c) === 'null' ? null : kindOf(c) === 'text' ? 'on' : c));
    });
    const cols = Array.from({ length: COLUMNS }, (_, c) => [`a${i}_${c}`] as const);
    return { set: { cols }, t, v, q: kinds[i % kinds.length] === 'bad' ? 200 : 0 };
  });
  log.frame({ recv: t0 + S, blocks });
  log.frame({
    recv: t0 + 2 * S,
    blocks: [{ set: { cols: [['a0_1']] }, t: [t0 + 60 * S], v: [[2]] }],
  });
  return log;
}

describe('a frame that is the first of many series', () => {
  test('leaves the same series, windows and results as if they were made at once', () => {
    fc.assert(
      fc.property(manySets, (many) => {
        const log = manyNew(many);
        const { seriesPerLogMax } = many;
        const whole = listening(log, { seriesPerLogMax });
        for (const { record, header } of log.entries) whole.aggregation.apply(record, header);
        const sliced = listening(log, { seriesPerLogMax });
        feedInSlices(sliced.aggregation, log, [2048]);
        expect(sliced.heard.results).toEqual(whole.heard.results);
        expect(stateOf(sliced.aggregation)).toEqual(stateOf(whole.aggregation));
        const topics = (heard: Heard) => heard.appeared.map(({ topic }) => topic);
        expect(topics(sliced.heard)).toEqual(topics(whole.heard));
      }),
      // Its last sets are beyond the windows that a frame may touch: they get no series.
      { numRuns: 40, examples: [[{ ...ALL_NEW, rows: 3 }]] },
    );
  });

  test('makes 512 of them in a step, and places its rows when all are there', () => {
    const log = manyNew({
      kinds: ['value'],
      sets: COLUMNS,
      rows: 2,
      ahead: 1,
      seriesPerLogMax: 20_000,
    });
    const { aggregation, heard } = listening(log);
    const [first, many] = log.entries as [Entry, Entry];
    aggregation.apply(first.record, first.header);
    aggregation.allow(LOG.readings, 2048);
    for (let step = 1; step < 8; step += 1) {
      expect(aggregation.apply(many.record, many.header)).toBe(false);
      expect(aggregation.mayApply(LOG.readings, 0)).toBe(false);
      expect([...aggregation.series()]).toHaveLength(1 + 512 * step);
      expect(aggregation.counters.aggregated).toBe(1);
      aggregation.allow(LOG.readings, 2048);
    }
    expect(aggregation.apply(many.record, many.header)).toBe(true);
    expect(aggregation.counters.aggregated).toBe(1 + 2 * 4096);
    expect(heard.appeared).toHaveLength(4096);
  });
});

/** A device with 64 constant columns, whose one frame touches 100 windows of each, and a small one. */
function heavy(node: VirtualNode): void {
  const session = node.publisher('a');
  const cols = Array.from({ length: COLUMNS }, (_, i) => [`m${i}`] as const);
  node.send(session, { k: 'def', c: 1, s: 2, cols });
  const t = node.now.wallUs - 110 * S;
  const v = cols.map((_, i) => (i === 0 ? new Int8Array(WINDOWS).fill(3) : i));
  node.isPrompt = false;
  node.frame(session, { n: 1 }, [{ s: 2, t, dt: S, v }]);
  // A correction of one of these windows, and a frame behind them, in the same batch and the same log.
  node.frame(session, { n: 2 }, [{ s: 2, t: t + 90 * S, v: cols.map((_, i) => i) }]);
  node.frame(session, { n: 3 }, [node.block(node.now.wallUs)]);
  node.isPrompt = true;
  node.land();
}

const aggregatesOf = ({ records }: Disk): string[] =>
  records
    .filter(({ log }) => log === LOG.aggregates)
    .map(({ shard, tg, value }) =>
      [shard, Buffer.from(tg).toString('hex'), Buffer.from(value).toString()].join(' '),
    );

/** What stands in the log when nothing is cut. */
function wholeOf(): string[] {
  const disk = emptyDisk();
  const node = new VirtualNode(disk, { unitsPerStep: Number.POSITIVE_INFINITY }).start();
  heavy(node);
  return aggregatesOf(disk);
}

/** Ticks until nothing is pending; says how many that took. */
function finish(node: VirtualNode, onTick: () => void = () => {}): number {
  let ticks = 0;
  while (node.gateway.wakeAtMs === Number.NEGATIVE_INFINITY && ticks < STEPS_MAX) {
    node.step({ kind: 'tick' });
    onTick();
    ticks += 1;
  }
  return ticks;
}

describe('a gateway that hands out results in slices', () => {
  const whole = wholeOf();

  test('writes what it would have written at once, and nothing of it twice', () => {
    for (const unitsPerStep of [1, 70, 500, 2048]) {
      const disk = emptyDisk();
      const node = new VirtualNode(disk, { unitsPerStep }).start();
      heavy(node);
      expect(finish(node)).toBeGreaterThan(0);
      expect(aggregatesOf(disk)).toEqual(whole);
    }
  });

  test('gives out no more in a step than it may, but for one result', () => {
    const unitsPerStep = 200;
    const disk = emptyDisk();
    const node = new VirtualNode(disk, { unitsPerStep }).start();
    heavy(node);
    let before = aggregatesOf(disk).length;
    finish(node, () => {
      const now = aggregatesOf(disk).length;
      expect((now - before) * COLUMNS).toBeLessThanOrEqual(unitsPerStep + COLUMNS);
      before = now;
    });
    expect(before).toBe(whole.length);
  });

  test('writes exactly what is missing after a crash in the middle', () => {
    const steps = finish(sliced(emptyDisk(), 200));
    for (let crash = 0; crash <= steps; crash += 1) {
      const disk = emptyDisk();
      const node = sliced(disk, 200);
      for (let i = 0; i < crash; i += 1) node.step({ kind: 'tick' });
      if (crash < steps) expect(aggregatesOf(disk).length).toBeLessThan(whole.length);
      const again = new VirtualNode(disk, { unitsPerStep: 100 }).start();
      again.pass(100);
      expect(aggregatesOf(disk)).toEqual(whole);
    }
  });

  test('acknowledges what is durable before its results are out', () => {
    const node = sliced(emptyDisk(), 1);
    const [session] = [...node.heard.keys()];
    node.pass(25);
    expect(node.flow(session as number, 1).ack).toBe(3);
    expect(node.gateway.aggregation.isBehind).toBe(true);
  });

  test('feeds an alarm while the readings are behind', () => {
    const disk = emptyDisk();
    const node = sliced(disk, 1);
    const [session] = [...node.heard.keys()];
    node.send(session as number, { k: 'def', c: 0, s: 3, cols: [['fire']] });
    node.frame(session as number, { c: 0, n: 1 }, [{ s: 3, t: node.now.wallUs, v: [1] }]);
    node.step({ kind: 'tick' });
    expect(node.gateway.aggregation.byTopic('a/fire')).toBeDefined();
    expect(aggregatesOf(disk).length).toBeLessThan(whole.length);
  });

  test('is not drained before everything is written', () => {
    const disk = emptyDisk();
    const node = sliced(disk, 100);
    node.step({ kind: 'leave' });
    for (const session of node.heard.keys()) node.disconnect(session);
    expect(node.gateway.isDrained).toBe(false);
    finish(node, () => {
      if (node.gateway.isDrained) expect(aggregatesOf(disk)).toEqual(whole);
    });
    expect(node.gateway.isDrained).toBe(true);
  });

  test('counts every durable reading, read or not yet read', () => {
    const node = sliced(emptyDisk(), 1);
    const { ledger } = node.gateway.ingest;
    const { counters } = node.gateway.aggregation;
    const read = () => Object.values(counters).reduce((sum, count) => sum + count, 0);
    const { delivery } = node.gateway;
    expect(delivery.unreadReadings).toBeGreaterThan(0);
    const addUp = () => expect(read() + delivery.unreadReadings).toBe(ledger.readingsDurable);
    addUp();
    finish(node, addUp);
    expect(delivery.unreadReadings).toBe(0);
  });
});

describe('a gateway that is told of 4096 new series in one frame', () => {
  function told(): VirtualNode {
    const node = new VirtualNode(emptyDisk(), { isRecoverable: true }).start();
    const session = node.connect('cbor', 'a');
    node.send(session, { k: 'hello', ch: [[1, 1, 1]] });
    const sets = Array.from({ length: COLUMNS }, (_, i) => i);
    for (const s of sets) {
      const cols = Array.from({ length: COLUMNS }, (_, c) => [`${s}/${c}`] as const);
      node.send(session, { k: 'def', c: 1, s, cols });
    }
    const v = Array.from({ length: COLUMNS }, () => 1);
    const blocks = sets.map((s) => ({ s, t: node.now.wallUs, v }));
    node.frame(session, { n: 1 }, blocks);
    return node;
  }

  test('acknowledges it at once, and makes them in steps', () => {
    const node = told();
    const [session] = [...node.heard.keys()];
    expect(node.gateway.delivery.unreadReadings).toBe(4096);
    let before = [...node.gateway.aggregation.series()].length;
    const steps = finish(node, () => {
      const now = [...node.gateway.aggregation.series()].length;
      expect(now - before).toBeLessThanOrEqual(512);
      before = now;
    });
    expect(steps).toBe(8);
    expect(before).toBe(4096);
    expect(node.gateway.aggregation.counters.aggregated).toBe(4096);
    expect(node.gateway.delivery.unreadReadings).toBe(0);
    node.pass(25);
    expect(node.flow(session as number, 1).ack).toBe(1);
  });

  test('has made all of them when the log has to be reached again', () => {
    const node = told();
    node.step({ kind: 'failed', log: LOG.readings, reason: 'for a test' });
    expect(node.gateway.delivery.unreadReadings).toBe(0);
    expect(node.gateway.aggregation.counters.aggregated).toBe(4096);
  });
});

function sliced(disk: Disk, unitsPerStep: number): VirtualNode {
  const node = new VirtualNode(disk, { unitsPerStep }).start();
  heavy(node);
  return node;
}
