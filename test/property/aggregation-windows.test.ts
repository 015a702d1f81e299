import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CapQueue } from '../../src/aggregation/cap-queue.ts';
import { ClassState } from '../../src/aggregation/class-state.ts';
import { Device } from '../../src/aggregation/device.ts';
import { LogState } from '../../src/aggregation/log-state.ts';
import { OpenWindows } from '../../src/aggregation/open-windows.ts';
import { timingOf, windowStart } from '../../src/aggregation/timing.ts';
import { WindowStore } from '../../src/aggregation/window-store.ts';
import { EVENT_US_MAX } from '../../src/model/limits.ts';
import { CLASS, CLASS_NAMES } from '../../src/model/reading.ts';
import { LOG } from '../../src/model/record.ts';
import { eventUs, wallUs } from '../../src/model/time.ts';
import { AGGREGATES, type Series, STATUS } from '../../src/model/window.ts';
import { EventLog, feed, listening } from '../support/event-log.ts';
import { randomLog } from '../support/random-log.ts';

const S = 1_000_000;
const T = 1_700_000_000 * S;
const VALUE = { cols: [['v']] } as const;
const SERIES = { id: 0, topic: 'd/v', levels: ['d', 'v'], device: 'd', name: 'v', unit: '' };
const seriesOf = (): Series => ({ ...SERIES, windows: [] });

/** Times of rows, none of which is late or future, in any order, and their values. */
const rows = fc.array(
  fc.record({
    s: fc.integer({ min: 0, max: 25_000 }).map((ms) => ms / 1000),
    value: fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
  }),
  { minLength: 1, maxLength: 60, size: 'max' },
);
type Rows = typeof rows extends fc.Arbitrary<infer Value> ? Value : never;

const frame = (log: EventLog, part: Rows): void => {
  const blocks = part.map(({ s, value }) => ({
    set: VALUE,
    t: [Math.round(T + s * S)],
    v: [[value]],
  }));
  log.frame({ device: 'd', recv: T + 30 * S, blocks });
};

/** Cuts rows into frames of the given sizes, again and again. */
function framesOf(all: Rows, sizes: readonly number[]): EventLog {
  const log = new EventLog();
  let at = 0;
  for (let i = 0; at < all.length; i += 1) {
    const size = sizes[i % sizes.length] as number;
    frame(log, all.slice(at, at + size));
    at += size;
  }
  return log;
}

/** All kept windows of the only series, but for their status. */
function valuesOf(log: EventLog): unknown[] {
  const { aggregation } = listening(log);
  feed(aggregation, log.entries);
  const windows = aggregation.byTopic('d/v')?.windows[CLASS.live];
  return Array.from({ length: windows?.count ?? 0 }, (_, i) => [
    windows?.startAt(i),
    ...AGGREGATES.map((name) => windows?.valueAt(i, name)),
  ]);
}

const sizes = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 5 });

describe('windows', () => {
  test('are the same however the rows are cut into frames', () => {
    fc.assert(
      fc.property(rows, sizes, sizes, (all, some, others) => {
        expect(valuesOf(framesOf(all, some))).toEqual(valuesOf(framesOf(all, others)));
      }),
    );
  });

  test('a row with fid f is worth f rows of its value', () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 20 });
    const counts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(values, counts, (all, fids) => {
        const [thin, full] = [new EventLog(), new EventLog()];
        all.forEach((value, i) => {
          const fid = fids[i] as number;
          const t = T + i * 100_000;
          thin.frame({ device: 'd', recv: t, blocks: [{ set: VALUE, t: [t], v: [[value]], fid }] });
          const each = { set: VALUE, t: Array(fid).fill(t), v: [Array(fid).fill(value)] };
          full.frame({ device: 'd', recv: t, blocks: [each] });
        });
        expect(valuesOf(thin)).toEqual(valuesOf(full));
      }),
    );
  });

  test('D6: when final, they hold all rows up to the record that moved the watermark', () => {
    fc.assert(
      fc.property(rows, sizes, (all, some) => {
        const log = framesOf(all, some);
        const { aggregation, heard } = listening(log);
        feed(aggregation, log.entries);
        const readings = log.entries.flatMap(({ line }) =>
          (line.blocks ?? []).map(({ t, cols }) => ({
            offset: line.offset,
            t: t[0] as number,
            value: cols[0]?.v[0] as number,
          })),
        );
        expect(aggregation.counters.aggregated).toBe(readings.length);
        for (const { cause, result } of heard.results) {
          const { start } = result;
          const read = readings.filter(
            ({ offset, t }) => offset <= cause.offset && t >= start && t < start + S,
          );
          const before = readings.filter(({ offset }) => offset < cause.offset);
          expect(result.series['v']).toMatchObject({
            n: read.length,
            sum: read.reduce((sum, { value }) => sum + value, 0),
            min: Math.min(...read.map(({ value }) => value)),
            max: Math.max(...read.map(({ value }) => value)),
          });
          const highest = Math.max(...before.map(({ t }) => t));
          const wasFinal = highest - 2 * S >= start + S;
          expect(result.status).toBe(wasFinal ? 'corrected' : 'final');
        }
      }),
    );
  });

  test('all become final through marks once everybody is silent, and then no mark is due', () => {
    fc.assert(
      fc.property(randomLog(30), fc.boolean(), (log, isGone) => {
        const { aggregation } = listening(log);
        feed(aggregation, log.entries);
        const last = Math.max(...log.entries.map(({ line }) => line.recv));
        let now = last;
        const presence = isGone
          ? ({ kind: 'gone', since: wallUs(last) } as const)
          : ({ kind: 'connected', isUnblocked: true } as const);
        // The farthest window is 400 s ahead, and every second makes one more final.
        for (let second = 0; second < 1000; second += 1) {
          now += S;
          for (const mark of aggregation.dueMarks(wallUs(now), () => presence)) {
            const lane = mark.log === LOG.alarms ? 0 : 1;
            feed(aggregation, [log.mark(now, mark.entries, lane, mark.shard)]);
          }
        }
        expect(aggregation.dueMarks(wallUs(now + 1e6 * S), () => presence)).toEqual([]);
        for (const { windows } of aggregation.series()) {
          for (const one of windows) {
            for (let i = 0; i < (one?.count ?? 0); i += 1) {
              expect(one?.statusAt(i)).not.toBe(STATUS.provisional);
            }
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('the parts', () => {
  test('windowStart is the largest multiple that is not later', () => {
    const time = fc.integer({ min: 0, max: EVENT_US_MAX - 1 });
    fc.assert(
      fc.property(time, fc.constantFrom(1, 1000, 60_000), (t, lengthMs) => {
        const start = windowStart(t, lengthMs * 1000);
        expect(BigInt(start)).toBe(BigInt(t) - (BigInt(t) % BigInt(lengthMs * 1000)));
      }),
    );
  });

  test('a window store is a sorted list', () => {
    const starts = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 500, size: 'max' });
    fc.assert(
      fc.property(starts, fc.integer({ min: 1, max: 400 }), (all, keep) => {
        const store = new WindowStore(seriesOf(), CLASS.live, 1000);
        let list: number[] = [];
        for (const start of all) {
          if (!list.includes(start)) {
            list = [...list, start].sort((a, b) => a - b);
            store.insert(start * S, STATUS.provisional, false);
          }
          if (start % 7 === 0) {
            while (list.length > keep && (list[0] as number) < start) list.shift();
            store.makeRoom(start * S, keep);
          }
          expect(store.find(start * S)).toBe(list.indexOf(start));
          const from = list.findIndex((other) => other >= start);
          expect(store.indexFrom(eventUs(start * S))).toBe(from < 0 ? list.length : from);
        }
        const kept = Array.from({ length: store.count }, (_, i) => store.startAt(i) / S);
        expect(kept).toEqual(list);
      }),
    );
  });

  test('open windows are a sorted map', () => {
    const action = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 200 }));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300, size: 'max' }), (actions) => {
        const open = new OpenWindows();
        const map = new Map<number, WindowStore[]>();
        for (const start of actions) {
          if (start === null) {
            const oldest = Math.min(...map.keys());
            expect(open.shift()?.stores).toEqual(map.get(oldest));
            map.delete(oldest);
          } else {
            const store = new WindowStore(seriesOf(), CLASS.live, 1000);
            open.add(start, store);
            map.set(start, [...(map.get(start) ?? []), store]);
          }
          expect(open.count).toBe(map.size);
          expect(open.oldestStart).toBe(Math.min(...map.keys()));
          expect(open.newestStart).toBe(Math.max(...map.keys()));
        }
      }),
    );
  });

  test('the queue of capped classes is sorted, whatever changes in it', () => {
    const change = fc.record({
      which: fc.nat({ max: 11 }),
      start: fc.option(fc.integer({ min: 0, max: 30 })),
      watermark: fc.integer({ min: 0, max: 30 }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 120, size: 'max' }), (changes) => {
        const log = new LogState(LOG.readings, 0);
        const timing = timingOf({});
        const classes = ['b', 'a', 'a-1', 'c'].flatMap((path) => {
          const device = new Device(path, new Uint8Array(0));
          return CLASS_NAMES.map((_, id) => new ClassState(device, id as 0 | 1 | 2, log, timing));
        });
        const queue = new CapQueue();
        const store = new WindowStore(seriesOf(), CLASS.live, 1000);
        for (const { which, start, watermark } of changes) {
          const target = classes[which] as ClassState;
          if (start === null) target.open.shift();
          else target.open.add(start * S, store);
          target.mark(watermark * S);
          queue.update(target);
          const waiting = classes.filter(({ isWaiting }) => isWaiting).sort(inOrder);
          expect(queue.size).toBe(waiting.length);
          expect(queue.first).toBe(waiting[0]);
        }
      }),
    );
  });
});

const inOrder = (a: ClassState, b: ClassState): number =>
  a.open.oldestStart - b.open.oldestStart ||
  (a.device.path === b.device.path ? 0 : a.device.path < b.device.path ? -1 : 1) ||
  a.classId - b.classId;
