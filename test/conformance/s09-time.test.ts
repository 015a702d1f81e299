import { expect } from 'vitest';
import { LOG } from '../../src/model/record.ts';
import { EventLog, feed, listening } from '../support/event-log.ts';
import { emptyDisk, resultsOf, VirtualNode } from '../support/virtual-node.ts';
import { useBed } from './bed.ts';
import { CORE, HTTP, rule } from './rule.ts';

/** §9.1 to §9.3: the log clock, limits, watermarks, future and old readings. */

const bed = useBed();

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

/** Starts (s after T) and status of the results of a log, in order. */
function storyOf(log: EventLog): string[] {
  const { aggregation, heard } = listening(log);
  feed(aggregation, log.entries);
  return heard.results.map(({ result }) => `${(result.start - T) / S} ${result.status}`);
}

/** The watermark of the live class, in seconds after T. */
function watermarkOf(log: EventLog): number {
  const { aggregation } = listening(log);
  feed(aggregation, log.entries);
  return (aggregation.watermark('d', 0) - T) / S;
}

rule(
  'R9.1-1 R9.1-2',
  'the same log gives the same results: a restart changes nothing',
  CORE,
  () => {
    const disk = emptyDisk();
    const node = new VirtualNode(disk).start();
    const session = node.publisher('d');
    for (let n = 1; n <= 40; n += 1) {
      node.frame(session, { n }, [node.block(node.now.wallUs - (n % 3) * S, n)]);
      node.pass(700);
    }
    const live = resultsOf(disk);
    expect(live.length).toBeGreaterThan(10);
    const replayed = emptyDisk();
    const kept = disk.records.filter((record) => record.log !== LOG.aggregates);
    replayed.records.push(...kept);
    replayed.schemas.push(...disk.schemas);
    const again = new VirtualNode(replayed).start();
    again.pass(100);
    expect(resultsOf(replayed).slice(0, live.length)).toEqual(live);
  },
);

rule(
  'R9.1-2 R9.2-2',
  'the log clock is the receive time made non-decreasing; a watermark never passes it by more than 1 s',
  CORE,
  () => {
    const log = new EventLog();
    frame(log, [50], 10);
    expect(watermarkOf(log)).toBe(11);
    frame(log, [60], 5);
    expect(watermarkOf(log)).toBe(11);
    frame(log, [61], 30);
    expect(watermarkOf(log)).toBe(31);
  },
);

rule('R9.1-4', 'limits on series are per log and decided in its order', CORE, () => {
  const log = new EventLog();
  for (let i = 0; i < 5; i += 1) {
    const block = { set: { cols: [[`c${i}`]] as const }, t: [T], v: [[1]] };
    log.frame({ device: 'd', recv: T, blocks: [block] });
  }
  log.frame({
    device: 'd',
    lane: 0,
    recv: T,
    blocks: [{ set: { cols: [['c4']] }, t: [T], v: [[1]] }],
  });
  const { aggregation, heard } = listening(log, { seriesPerLogMax: 3 });
  feed(aggregation, log.entries);
  expect(heard.appeared.map(({ topic }) => topic)).toEqual(['d/c0', 'd/c1', 'd/c2', 'd/c4']);
  expect(aggregation.counters).toMatchObject({ aggregated: 4, refused: 2 });
});

rule(
  'R9.1-6',
  'a frame is aggregated into at most 8192 windows; rows beyond are refused and move the watermark',
  CORE,
  () => {
    const counted = (rows: readonly number[]) => {
      const log = new EventLog();
      let second = 0;
      const blocks = rows.map((count) => {
        const t = Array.from({ length: count }, () => {
          second += 1;
          return T + second * S;
        });
        return { set: SET, t, v: [t.map(() => 1)] };
      });
      log.frame({ device: 'd', recv: T + second * S, blocks });
      const { aggregation } = listening(log);
      feed(aggregation, log.entries);
      return {
        ...aggregation.counters,
        watermark: (aggregation.watermark('d', 0) - T) / S - second,
      };
    };
    expect(counted([4096, 4096])).toMatchObject({ aggregated: 8192, refused: 0, watermark: -2 });
    expect(counted([4096, 4096, 1])).toMatchObject({ aggregated: 8192, refused: 1, watermark: -2 });
  },
);

rule('R9.1-5 R11.8-2', 'GET /api tells the figures', HTTP, async () => {
  const answer = await fetch(`http://${bed().host}/api`);
  expect(await answer.json()).toMatchObject({
    windows: [1000],
    D: 2000,
    lateness: 30_000,
    idle: 10_000,
    gone: 120_000,
  });
});

rule('R9.2-1 R1-6', 'each (device, class) has a watermark of its own', CORE, () => {
  const log = new EventLog();
  frame(log, [0.5], 1, { lane: 0 });
  frame(log, [0.5], 1, { lane: 1 });
  frame(log, [0.5], 1, { lane: 2 });
  frame(log, [20], 20, { lane: 1 });
  expect(storyOf(log)).toEqual(['0 final']);
  const { aggregation, heard } = listening(log);
  feed(aggregation, log.entries);
  expect(heard.results.map(({ result }) => result.class)).toEqual(['live']);
  frame(log, [20], 20, { lane: 3 });
  frame(log, [20], 20, { lane: 2 });
  frame(log, [20], 20, { lane: 0 });
  const all = listening(log);
  feed(all.aggregation, log.entries);
  expect(all.heard.results.map(({ result }) => result.class)).toEqual([
    'live',
    'backfill',
    'critical',
  ]);
});

rule(
  'R9.2-2',
  'the watermark: highest event time − D, or wm, or a mark; it never goes back',
  CORE,
  () => {
    const log = new EventLog();
    frame(log, [10], 100);
    expect(watermarkOf(log)).toBe(8);
    frame(log, [5], 100);
    expect(watermarkOf(log)).toBe(8);
    frame(log, [6], 100, { wm: T + 20 * S });
    expect(watermarkOf(log)).toBe(20);
    log.mark(T + 100 * S, [{ device: 'd', class: 0, watermark: T + 30 * S }]);
    log.mark(T + 100 * S, [{ device: 'd', class: 0, watermark: T + 25 * S }]);
    expect(watermarkOf(log)).toBe(30);
  },
);

rule('R9.2-2', 'late and excluded rows count for the watermark, future ones do not', CORE, () => {
  const log = new EventLog();
  log.frame({
    device: 'd',
    recv: T + 100 * S,
    blocks: [{ set: SET, t: [T + 50 * S], v: [[1]], q: 200 }],
  });
  expect(watermarkOf(log)).toBe(48);
  frame(log, [401], 100);
  expect(watermarkOf(log)).toBe(48);
});

rule('R9.2-3', 'the rows of a frame are placed first, then the watermark moves', CORE, () => {
  const log = new EventLog();
  const block = (times: readonly number[]) => ({
    set: SET,
    t: times.map((s) => T + s * S),
    v: [times.map(() => 1)],
  });
  log.frame({ device: 'd', recv: T + 100 * S, blocks: [block([0.5, 100]), block([0.7])] });
  const { aggregation, heard } = listening(log);
  feed(aggregation, log.entries);
  expect(heard.results[0]?.result.series).toMatchObject({ temp: { n: 2 } });
});

rule(
  'R9.3-1',
  'a reading more than 300 s ahead of the log clock is logged, counted, and not aggregated',
  CORE,
  () => {
    const log = new EventLog();
    frame(log, [400, 400.000_001], 100);
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    expect(aggregation.counters).toMatchObject({ aggregated: 1, future: 1 });
  },
);

rule('R9.3-2', 'old readings are ordinary', CORE, () => {
  const log = new EventLog();
  frame(log, [-3e8, -3e8 + 10], 0);
  expect(storyOf(log)).toEqual(['-300000000 final']);
});
