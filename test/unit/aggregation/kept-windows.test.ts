import { describe, expect, test } from 'vitest';
import { bindSet } from '../../../src/aggregation/bound-set.ts';
import { ClassState } from '../../../src/aggregation/class-state.ts';
import { Device } from '../../../src/aggregation/device.ts';
import { LogState } from '../../../src/aggregation/log-state.ts';
import { timingOf } from '../../../src/aggregation/timing.ts';
import { murmur2 } from '../../../src/model/murmur2.ts';
import { LOG } from '../../../src/model/record.ts';
import { EventLog, feed, listening } from '../../support/event-log.ts';

const S = 1_000_000;
const T = 1_700_000_000 * S;
const TEMP = { cols: [['temp']] } as const;
const TWO = { cols: [['a'], ['b']] } as const;

const at = (log: EventLog, s: number, recv = s) =>
  log.frame({ recv: T + recv * S, blocks: [{ set: TEMP, t: [T + s * S], v: [[s]] }] });

describe('kept windows', () => {
  test('are the newest 300 of a series', () => {
    const log = new EventLog();
    for (let s = 0; s < 1000; s += 1) at(log, s);
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    const windows = aggregation.byTopic('plant/press/temp')?.windows[0];
    expect([windows?.count, windows?.startAt(0)]).toEqual([300, T + 700 * S]);
    expect(heard.results).toHaveLength(997);
  });

  test('are the newest 300 of a series whose readings always come after the window was final', () => {
    const log = new EventLog();
    for (let s = 0; s < 1000; s += 1) {
      const block = (series: 0 | 1, time: number) => ({
        set: TWO,
        t: [T + time * S],
        v: series === 0 ? [[1], null] : [null, [1]],
      });
      log.frame({ recv: T + s * S, blocks: [block(0, s), block(1, Math.max(0, s - 20))] });
    }
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    const windows = aggregation.byTopic('plant/press/b')?.windows[0];
    expect(windows?.count).toBe(300);
    expect(windows?.startAt(299)).toBe(T + 979 * S);
  });

  test('are the newest 300 once a frame of thousands of windows is final, and none was left out', () => {
    const log = new EventLog();
    const seconds = Array.from({ length: 4000 }, (_, i) => i);
    const blocks = [{ set: TEMP, t: seconds.map((s) => T + s * S), v: [seconds] }];
    log.frame({ recv: T + 4000 * S, blocks });
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    expect(heard.results.map(({ result }) => (result.start - T) / S)).toEqual(seconds.slice(0, -3));
    expect(heard.results.every(({ result }) => result.series['temp']?.n === 1)).toBe(true);
    const windows = aggregation.byTopic('plant/press/temp')?.windows[0];
    expect(windows?.count).toBe(300);
    // Dropped windows are not told as changed: nobody could read them.
    expect(heard.changed.map(({ start }) => (start - T) / S)).toEqual(seconds.slice(-300));
  });

  test('are more than 300 while their class waits for the log clock', () => {
    const log = new EventLog();
    const seconds = Array.from({ length: 320 }, (_, i) => i - 25);
    const blocks = [{ set: TEMP, t: seconds.map((s) => T + s * S), v: [seconds] }];
    log.frame({ recv: T, blocks });
    const { aggregation } = listening(log);
    feed(aggregation, log.entries);
    expect(aggregation.byTopic('plant/press/temp')?.windows[0]?.count).toBe(320);
    feed(aggregation, [at(log, -24, 0)]);
    expect(aggregation.counters.late).toBe(0);
  });
});

test('devices whose paths have the same hash are two devices', () => {
  const paths = ['plant/d93432', 'plant/d235037'];
  const [one, other] = paths.map((path) => murmur2(new TextEncoder().encode(path)));
  expect(one).toBe(other);
  const log = new EventLog();
  const frame = (device: string) =>
    log.frame({ device, recv: T, blocks: [{ set: TEMP, t: [T], v: [[1]] }] });
  for (const device of [...paths, ...paths]) frame(device);
  const { aggregation } = listening(log);
  feed(aggregation, log.entries);
  const counts = [...aggregation.series()].map(({ device, windows }) => [
    device,
    windows[0]?.valueAt(0, 'n'),
  ]);
  expect(counts).toEqual(paths.map((path) => [path, 2]));
});

test('set ids of many epochs are not remembered for ever', () => {
  const device = new Device('d', new Uint8Array(0));
  const target = new ClassState(device, 0, new LogState(LOG.readings, 0), timingOf({}));
  const bytes = new Uint8Array(16);
  for (let id = 0; id < 1000; id += 1) {
    const bound = bindSet(target, id, { of: '', columns: [], hash: bytes, bytes });
    expect(target.sets.get(id)).toBe(bound);
    expect(target.sets.size).toBeLessThanOrEqual(256);
  }
});
