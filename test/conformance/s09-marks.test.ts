import { expect } from 'vitest';
import { LOG } from '../../src/model/record.ts';
import { wallUs } from '../../src/model/time.ts';
import { decodeMark } from '../../src/wire/mark.ts';
import { EventLog, feed, listening } from '../support/event-log.ts';
import { resultsOf, VirtualNode } from '../support/virtual-node.ts';
import { headerOf, MARK } from './record.ts';
import { CORE, rule } from './rule.ts';

/** §9.1 and §9.2: marks, and what silence means. */

const S = 1_000_000;

const T = 1_700_000_000 * S;

const SET = { cols: [['temp']] } as const;

/** A frame with readings at these seconds after T, received at `recv`. */
const frame = (log: EventLog, times: readonly number[], recv: number, more = {}) =>
  log.frame({
    device: 'd',
    recv: T + recv * S,
    blocks: [{ set: SET, t: times.map((s) => T + s * S), v: [times.map(() => 1)] }],
    ...more,
  });

/** The mark records on the disk of a node, as `device class watermark`. */
const marksOf = (node: VirtualNode): string[] =>
  node.disk.records
    .filter((record) => record.log !== LOG.aggregates && headerOf(record).kind === MARK)
    .map(({ value }) =>
      (decodeMark(value) ?? []).map((one) => `${one.device} ${one.class} ${one.watermark}`).join(),
    );

/** The marks that silence brings at T + `now` s for one reading at `at` s, received at T. */
function silence(
  now: number,
  presence: Parameters<ReturnType<typeof listening>['aggregation']['dueMarks']>[1],
  at = 0.2,
): number[] {
  const log = new EventLog();
  frame(log, [at], 0);
  const { aggregation } = listening(log);
  feed(aggregation, log.entries);
  const due = aggregation.dueMarks(wallUs(T + now * S), presence);
  return due.flatMap(({ entries }) => entries.map(({ watermark }) => (watermark - T) / S));
}

const idle = () => ({ kind: 'connected', isUnblocked: true }) as const;

const blocked = () => ({ kind: 'connected', isUnblocked: false }) as const;

const gone = (s: number) => () => ({ kind: 'gone', since: wallUs(T + s * S) }) as const;

rule(
  'R9.1-3 R9.2-8',
  'virtual time: wm of a ping becomes a mark record, at most one per log and second, and counts when read',
  CORE,
  () => {
    const node = new VirtualNode().start();
    const session = node.publisher('d');
    const start = node.now.wallUs;
    node.frame(session, { n: 1 }, [node.block(start)]);
    node.pass(4000);
    node.isPrompt = false;
    for (const s of [1, 2, 3]) node.send(session, { k: 'ping', wm: [[1, start + s * S]] });
    node.pass(1100);
    expect(resultsOf(node.disk)).toEqual([]);
    node.isPrompt = true;
    node.land();
    node.pass(3000);
    expect(marksOf(node)).toEqual([`d 0 ${start + 3 * S}`]);
    expect(resultsOf(node.disk)).toMatchObject([{ device: 'd', status: 'final' }]);
  },
);

rule(
  'R9.1-3',
  'virtual time: marks of several devices of a log share one record a second',
  CORE,
  () => {
    const node = new VirtualNode().start();
    const shardOf = (path: string) => node.gateway.ingest.devices.find(path)?.shard;
    const sessions: number[] = [];
    for (let i = 0; sessions.length < 3; i += 1) {
      const session = node.publisher(`d${i}`);
      if (shardOf(`d${i}`) === 0) sessions.push(session);
    }
    const start = node.now.wallUs;
    for (const session of sessions) node.frame(session, { n: 1 });
    node.pass(5000);
    for (const session of sessions) node.send(session, { k: 'ping', wm: [[1, start + 5 * S]] });
    node.pass(1100);
    const marks = marksOf(node);
    expect(marks).toHaveLength(1);
    expect(marks[0]?.split(',')).toHaveLength(3);
  },
);

rule(
  'R9.2-4 R9.2-7',
  'idle after 10 s: marked at highest + silence − D − q, not past its newest window, only to make one final',
  CORE,
  () => {
    expect(silence(9.9, idle)).toEqual([]);
    expect(silence(12.7, idle)).toEqual([]);
    expect(silence(12.8, idle)).toEqual([1]);
    expect(silence(500, idle)).toEqual([1]);
    expect(silence(12.3, idle, -100.5)).toEqual([]);
    expect(silence(12.6, idle, -100.5)).toEqual([-100]);
  },
);

rule('R9.2-4 R9.2-7', 'gone 120 s after the device left, whatever its backlog', CORE, () => {
  expect(silence(121, gone(2))).toEqual([]);
  expect(silence(122.8, gone(2))).toEqual([1]);
  expect(silence(170, gone(50))).toEqual([1]);
  expect(silence(169.9, gone(50))).toEqual([]);
});

rule('R9.2-6', 'blocked is not idle, for however long', CORE, () => {
  for (const now of [13, 1000, 1e6]) expect(silence(now, blocked)).toEqual([]);
});

rule(
  'R9.2-4 R9.2-6',
  'virtual time: a device back after 60 s is not idle sooner than 10 s after its welcome',
  CORE,
  () => {
    const node = new VirtualNode().start();
    const before = node.publisher('d');
    const ep = node.told(before, 'welcome')[0]?.ep as number;
    node.frame(before, { n: 1 });
    node.disconnect(before);
    node.pass(60_000);
    const session = node.publisher('d', { ep, first: 2 });
    node.pass(9900);
    expect(marksOf(node)).toEqual([]);
    node.step({ kind: 'heard', session });
    node.pass(1200);
    expect(marksOf(node)).toHaveLength(1);
  },
);

rule(
  'R9.2-4 R9.2-6',
  'virtual time: a backlog told, or a window too small, keeps a class from being idle',
  CORE,
  () => {
    const quietly = (node: VirtualNode, session: number, ms: number): void => {
      for (let passed = 0; passed < ms; passed += 5000) {
        node.pass(5000);
        node.step({ kind: 'heard', session });
      }
    };
    const finals = (bl: number): number => {
      const node = new VirtualNode().start();
      const session = node.publisher('d');
      node.frame(session, { n: 1, bl });
      quietly(node, session, 60_000);
      return resultsOf(node.disk).length;
    };
    expect([finals(0), finals(500)]).toEqual([1, 0]);
  },
);
