import { expect, test } from 'vitest';
import { parseOptions } from '../../../src/cli/options.ts';
import { planOf, SIMULATE_OPTIONS } from '../../../src/cli/simulate-options.ts';

const plan = (...argv: string[]) => planOf(parseOptions(argv, SIMULATE_OPTIONS));

test('without options: 10 devices with 3 series at 100 readings/s, until Ctrl-C', () => {
  expect(plan()).toEqual({
    url: 'ws://127.0.0.1:8080/v1',
    codec: 'cbor',
    devices: 10,
    series: 3,
    rate: 100,
    batch: undefined,
    signal: 'mix',
    scenario: 'steady',
    alarmRate: 0,
    seed: 1,
    durationMs: undefined,
    prefix: 'sim',
    replay: [],
    speedup: 1,
    span: { fromUs: Number.NEGATIVE_INFINITY, toUs: Number.POSITIVE_INFINITY },
    journal: undefined,
    json: false,
  });
});

test.each([
  [['--duration', '30s'], { durationMs: 30_000 }],
  [['--duration', '1.5m'], { durationMs: 90_000 }],
  [['--duration', '2'], { durationMs: 2000 }],
  [['--duration', '250ms'], { durationMs: 250 }],
  [['--rate', '0.5'], { rate: 0.5 }],
  [['--signal', 'vibration'], { signal: 'vibration', rate: 1000 }],
  [['--signal', 'vibration', '--rate', '5000', '--series', '1'], { rate: 5000, series: 1 }],
  [['--lane0', '2.5', '--seed', '0'], { alarmRate: 2.5, seed: 0 }],
  [
    ['--replay', 'a.csv', 'b.csv', '--speedup', '500000', '--from', '1970-01-01T00:01'],
    { replay: ['a.csv', 'b.csv'], speedup: 500_000, span: { fromUs: 60e6, toUs: Infinity } },
  ],
] as const)('%j', (argv, expected) => {
  expect(plan(...argv)).toMatchObject(expected);
});

test('every fault at once, each with a sentence', () => {
  const bad = plan(
    ...['--frobnicate', '--url', 'http://x', '--devices', '0', '--rate', 'fast', '--codec', 'xml'],
    ...[
      '--signal',
      'sinus',
      '--lane0',
      '-1',
      '--duration',
      'soon',
      '--prefix',
      '/a',
      '--batch',
      '9999',
    ],
    ...['--speedup', '2', '--seed', '-1'],
  );
  const places = 'faults' in bad ? bad.faults.map(({ where }) => where.split(' ')[0]) : [];
  expect(places.sort()).toEqual([
    '--batch',
    '--codec',
    '--devices',
    '--duration',
    '--frobnicate',
    '--lane0',
    '--prefix',
    '--rate',
    '--seed',
    '--signal',
    '--speedup',
    '--url',
  ]);
});

test.each([
  [['--replay', 'a.csv', '--devices', '5'], '--devices'],
  [['--replay', 'a.csv', '--from', '2014-01-02', '--to', '2014-01-01'], '--to'],
  [['--to', '2014-01-01'], '--to'],
  [['--signal', 'vibration', '--series', '4'], '--series'],
])('%j cannot be meant', (argv, place) => {
  const bad = plan(...argv);
  expect('faults' in bad && bad.faults.map(({ where }) => where.split(' ')[0])).toEqual([place]);
});
