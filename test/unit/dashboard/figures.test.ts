import { describe, expect, test } from 'vitest';

const page = new URL('../../../src/dashboard/', import.meta.url);
const { figuresOf } = await import(new URL('figures.js', page).href);
const format = await import(new URL('format.js', page).href);

/** What the node tells at second `s` when it takes 100 frames of 10 readings a second. */
const sample = (s: number, more: object = {}) => ({
  atMs: 5000 + s * 1000,
  frames: { received: 100 * s, bytes: 64_400 * s, inFlight: 3, closed: 0, settled: {} },
  readingsDurable: 1000 * s,
  sessions: 12,
  subscriptions: 2,
  creditOutstandingBytes: 165_120,
  appendMs: { bounds: [1, 2, 4], counts: [9 * s, 0, s, 0], sum: 0 },
  ackMs: { bounds: [1, 2, 4], counts: [0, 0, 0, 0], sum: 0 },
  ...more,
});

const told = (samples: object[]) =>
  Object.fromEntries(
    figuresOf(samples).map(({ label, text, note }: Record<string, string>) => [
      label,
      [text, note],
    ]),
  );

describe('the figures of the node', () => {
  test('are rates, quantiles and levels of the last seconds', () => {
    expect(told([0, 1, 2, 3, 4].map((s) => sample(s)))).toEqual({
      'Frames/s': ['100', '400 in all'],
      'Readings/s': ['1,000', '4,000 in all'],
      'Bytes/s': ['62.9 KiB', '252 KiB in all'],
      Sessions: ['12', '2 subscriptions'],
      Ack: ['–', 'p50 · p99 –'],
      Append: ['0.6 ms', 'p50 · p99 3.8 ms'],
      'In flight': ['3', 'frames not settled'],
      Credit: ['161 KiB', 'devices may send'],
    });
  });

  test('call what is longer than the longest bound so, and no number', () => {
    const slow = { appendMs: { bounds: [1, 2, 4], counts: [1, 0, 0, 9], sum: 0 } };
    expect(told([sample(0), sample(1, slow)])['Append']).toEqual([
      '> 4.0 ms',
      'p50 · p99 > 4.0 ms',
    ]);
  });

  test('take the time between samples as it was, not as it should have been', () => {
    const late = sample(4, { atMs: 5000 + 8000 });
    expect(told([sample(0), late])['Frames/s']).toEqual(['50', '400 in all']);
  });

  test('are dashes without samples, and rates are with one', () => {
    expect(told([])['Sessions']?.[0]).toBe('–');
    expect(told([sample(3)])['Frames/s']?.[0]).toBe('–');
    expect(told([sample(3)])['Sessions']?.[0]).toBe('12');
  });
});

describe('how things are written', () => {
  test.each([
    [0, '0.0000'],
    [9.80665, '9.807'],
    [-0.01389, '−0.0139'],
    [293.15, '293.15'],
    [1013.25, '1013.3'],
    [-238_666.4, '−238,666'],
    [4.2e-7, '4.200e-7'],
    [6.02e23, '6.020e+23'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('the value %d is %s', (value, text) => {
    expect(format.formatValue(value)).toBe(text);
  });

  test.each([
    [0.2e6, '0.2 s'],
    [-0.4e6, '0.0 s'],
    [12.4e6, '12 s'],
    [300e6, '5 min'],
    [3 * 3600e6, '3 h'],
    [4600 * 86_400e6, '4,600 d'],
    [-90e6, '90 s ahead'],
    [Number.NaN, '–'],
  ])('the age of %d µs is %s', (us, text) => {
    expect(format.formatAge(us)).toBe(text);
  });

  test.each([
    [0, '0'],
    [4.4, '4.4'],
    [9999, '9,999'],
    [12_345, '12.3k'],
    [248_000, '248k'],
    [3_700_000, '3.7M'],
  ])('the count %d is %s', (count, text) => {
    expect(format.formatCount(count)).toBe(text);
  });
});
