import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bruteForce } from '../../support/brute-force.ts';
import { EventLog, feed, listening } from '../../support/event-log.ts';

const FILE = 'machine_temperature_system_failure.csv';
const CSV = new URL(`../../fixtures/nab/${FILE}`, import.meta.url);
const START = Date.UTC(2026, 0, 1, 12) * 1000;
const VALUE = { cols: [['value']] } as const;

/** Rows of the recording from 01:00 to 05:00, one hour of which is there twice. Units: µs. */
function rowsOfTheNight(): { t: number; value: number }[] {
  const rows = readFileSync(CSV, 'utf8').trim().split('\n').slice(1);
  const all = rows.map((row) => {
    const [time = '', value = ''] = row.split(',');
    return { t: Date.parse(`${time.replace(' ', 'T')}Z`) * 1000, value: Number(value) };
  });
  const from = Date.UTC(2014, 0, 7, 1) * 1000;
  const to = Date.UTC(2014, 0, 7, 5) * 1000;
  return all.filter(({ t }) => t >= from && t <= to);
}

/** One row per frame, received when it is due: the best time so far. */
function replay(speedup: number): EventLog {
  const log = new EventLog();
  const rows = rowsOfTheNight();
  const t0 = rows[0]?.t ?? 0;
  let recv = START;
  for (const { t, value } of rows) {
    const time = START + Math.floor((t - t0) / speedup);
    recv = Math.max(recv, time + 1000);
    log.frame({ recv, blocks: [{ set: VALUE, t: [time], v: [[value]] }] });
  }
  return log;
}

describe('the machine recording with its repeated hour', () => {
  test.each([
    { speedup: 300, corrected: 9, late: 0 },
    { speedup: 60, corrected: 6, late: 5 },
  ])('× $speedup: $corrected rows correct their window, $late are late', (expected) => {
    const log = replay(expected.speedup);
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);

    const corrected = heard.results.filter(({ result }) => result.status === 'corrected');
    expect(corrected).toHaveLength(expected.corrected);
    expect(aggregation.counters.late).toBe(expected.late);
    const rows = rowsOfTheNight().length;
    expect(aggregation.counters.aggregated).toBe(rows - expected.late);
    expect(heard.results.map(({ result }) => JSON.stringify(result))).toEqual(
      bruteForce(log.entries.map(({ line }) => line)).results.map(({ result }) =>
        JSON.stringify(result),
      ),
    );
  });

  test('a corrected window holds both rows of its time', () => {
    const log = replay(300);
    const { aggregation, heard } = listening(log);
    feed(aggregation, log.entries);
    const two = heard.results.filter(({ result }) => result.series['value']?.n === 2);
    expect(two[0]?.result).toMatchObject({
      status: 'corrected',
      series: { value: { n: 2, first: 94.42340604, last: 94.13972336 } },
    });
  });
});
