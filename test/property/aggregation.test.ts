import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLASS_NAMES, type ClassId } from '../../src/model/reading.ts';
import { AGGREGATES, type Series } from '../../src/model/window.ts';
import { bruteForce } from '../support/brute-force.ts';
import { type Entry, type EventLog, feed, type Heard, listening } from '../support/event-log.ts';
import { randomLog } from '../support/random-log.ts';

const AHEAD_US = 1_000_000;

const linesOf = (log: EventLog) => log.entries.map(({ line }) => line);
const jsonOf = (heard: Heard) =>
  heard.results.map(({ cause, result }) => JSON.stringify([cause.offset, cause.index, result]));
const runs = (numRuns: number) => ({ numRuns });

/** Everything that a reader of the kept windows can see. */
const windowsOf = (all: Iterable<Series>): Record<string, unknown>[] =>
  [...all].flatMap((series) =>
    series.windows.flatMap((windows, classId) =>
      windows === undefined
        ? []
        : Array.from({ length: windows.count }, (_, i) => ({
            topic: series.topic,
            classId,
            start: windows.startAt(i),
            status: windows.statusAt(i),
            values: AGGREGATES.map((name) => windows.valueAt(i, name)),
          })),
    ),
  );

describe('aggregation', () => {
  test('results and counters are those of brute force, in the same order', () => {
    fc.assert(
      fc.property(randomLog(), (log) => {
        const { aggregation, heard } = listening(log);
        feed(aggregation, log.entries);
        const expected = bruteForce(linesOf(log));
        expect(jsonOf(heard)).toEqual(
          expected.results.map(({ offset, index, result }) =>
            JSON.stringify([offset, index, result]),
          ),
        );
        expect(aggregation.counters).toEqual({ ...expected.counters, refused: 0 });
      }),
      runs(400),
    );
  });

  test('replay = live, whatever the order between logs', () => {
    fc.assert(
      fc.property(randomLog(), (log) => {
        const live = listening(log);
        feed(live.aggregation, log.entries);
        const logOf = ({ record }: Entry) => record.log * 2 + record.shard;
        const again = listening(log);
        const byLog = [...log.entries].sort((a, b) => logOf(b) - logOf(a));
        feed(again.aggregation, byLog);
        const ofLog = (heard: Heard, number: number) => ({
          results: jsonOf({
            ...heard,
            results: heard.results.filter(({ cause: c }) => c.log * 2 + c.shard === number),
          }),
        });
        for (const number of [0, 1, 2, 3]) {
          expect(ofLog(again.heard, number)).toEqual(ofLog(live.heard, number));
        }
      }),
      runs(150),
    );
  });

  test('a watermark never goes back and never passes the log clock + 1 s', () => {
    fc.assert(
      fc.property(randomLog(), (log) => {
        const { aggregation } = listening(log);
        const seen = new Map<string, number>();
        const clocks = new Map<string, number>();
        for (const { record, header, line } of log.entries) {
          aggregation.apply(record, header);
          const key = `${line.topic} ${line.shard}`;
          clocks.set(key, Math.max(header.recv, clocks.get(key) ?? 0));
          for (const { line: other } of log.entries) {
            CLASS_NAMES.forEach((name, classId) => {
              const id = `${other.device} ${name}`;
              const watermark = aggregation.watermark(other.device, classId as ClassId);
              expect(watermark).toBeGreaterThanOrEqual(seen.get(id) ?? Number.NEGATIVE_INFINITY);
              seen.set(id, watermark);
              if (watermark === Number.NEGATIVE_INFINITY) return;
              const topic = name === 'critical' ? 'alarms' : 'readings';
              const clock = clocks.get(`${topic} ${other.shard}`) ?? Number.NEGATIVE_INFINITY;
              expect(watermark).toBeLessThanOrEqual(clock + AHEAD_US);
            });
          }
        }
      }),
      runs(40),
    );
  });

  test('a window is final once, then corrected with growing n', () => {
    fc.assert(
      fc.property(randomLog(), (log) => {
        const { aggregation, heard } = listening(log);
        feed(aggregation, log.entries);
        const revisions = new Map<string, number>();
        for (const { result } of heard.results) {
          for (const [name, { n }] of Object.entries(result.series)) {
            const id = JSON.stringify([result.device, name, result.class, result.start]);
            if (result.status === 'final') expect(revisions.has(id)).toBe(false);
            expect(n).toBeGreaterThan(revisions.get(id) ?? 0);
            revisions.set(id, n as number);
          }
        }
      }),
      runs(150),
    );
  });

  test('who copies only the windows that changed has them all, each told once per record', () => {
    fc.assert(
      fc.property(randomLog(), (log) => {
        const { aggregation, heard } = listening(log);
        const copies = new Map<string, unknown>();
        for (const { record, header } of log.entries) {
          heard.changed.length = 0;
          aggregation.apply(record, header);
          const told = heard.changed.map((change) => JSON.stringify(change));
          expect(new Set(told).size).toBe(told.length);
          const now = new Map(windowsOf(aggregation.series()).map((one) => [idOf(one), one]));
          for (const { topic, classId, start } of heard.changed) {
            const id = idOf({ topic, classId, start });
            copies.set(id, now.get(id));
          }
          expect(copies).toEqual(now);
        }
      }),
      runs(60),
    );
  });

  test('a series appears exactly once', () => {
    fc.assert(
      fc.property(randomLog(), (log) => {
        const { aggregation, heard } = listening(log);
        feed(aggregation, log.entries);
        expect(heard.appeared).toEqual([...aggregation.series()]);
        const topics = heard.appeared.map(({ topic }) => topic);
        expect(new Set(topics).size).toBe(topics.length);
        expect(heard.appeared.map(({ id }) => id)).toEqual(topics.map((_, i) => i));
        for (const topic of topics) expect(aggregation.byTopic(topic)?.topic).toBe(topic);
      }),
      runs(60),
    );
  });
});

const idOf = (one: Record<string, unknown>): string =>
  `${one['topic']} ${one['classId']} ${one['start']}`;
