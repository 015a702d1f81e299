import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readRecording, readTime } from '../../../simulators/recording.ts';

const directory = mkdtempSync(join(tmpdir(), 'tidegate-recording-'));
afterAll(() => rmSync(directory, { recursive: true }));

const ALL = { fromUs: Number.NEGATIVE_INFINITY, toUs: Number.POSITIVE_INFINITY };

function fileOf(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe('times', () => {
  test.each([
    ['1970-01-01', 0],
    ['1970-01-01T00:00', 0],
    ['1970-01-01 00:00:01', 1_000_000],
    ['1970-01-01T00:00:01.5Z', 1_500_000],
    ['1970-01-01T00:00:01.000001', 1_000_001],
    ['2014-01-07T01:00', 1_389_056_400_000_000],
    ['2016-02-29 23:59:59+00:00', 1_456_790_399_000_000],
  ])('%s', (text, us) => {
    expect(readTime(text)).toBe(us);
  });

  test.each([
    '',
    'noon',
    '2014-02-30',
    '2014-13-01',
    '2014-01-01T24:00',
    '2014-01-01T10:60',
    '10:00',
  ])('%j is none', (text) => {
    expect(readTime(text)).toBeNaN();
  });
});

describe('files', () => {
  test('rows keep their order and their bits, and the span is half-open', () => {
    const file = fileOf(
      'pump-1.csv',
      'timestamp,value\r\n2014-01-01 00:00:00,74.93588199999998\r\n2014-01-01 00:10:00,1e-3\r\n' +
        '2014-01-01 00:05:00,\r\n2014-01-01 00:15:00,-0\r\n',
    );
    const whole = readRecording(file, ALL);
    expect(whole.device).toBe('pump-1');
    expect([...whole.values]).toEqual([74.93588199999998, 0.001, Number.NaN, -0]);
    const minutes = [...whole.times].map((t) => (t - (whole.times[0] as number)) / 60e6);
    expect(minutes).toEqual([0, 10, 5, 15]);
    const span = {
      fromUs: readTime('2014-01-01T00:05'),
      toUs: readTime('2014-01-01T00:10'),
    };
    expect([...readRecording(file, span).values]).toEqual([Number.NaN]);
  });

  test.each([
    ['a.csv', 'time,value\n', 'line 1 must be "timestamp,value"'],
    ['b.csv', 'timestamp,value\n2014-01-01,1\n2014-01-01,one\n', 'line 3 is not'],
    ['c.csv', 'timestamp,value\n2014-01-01,1,2\n', 'line 2 is not'],
    ['d.csv', 'timestamp,value\nyesterday,1\n', 'line 2 is not'],
    ['e.csv', 'timestamp,value\n1969-12-31,1\n', 'outside 1970'],
    ['f.csv', 'timestamp,value\n', 'no row'],
    ['not a path.csv', 'timestamp,value\n2014-01-01,1\n', 'device path'],
  ])('%s is refused with a sentence', (name, text, sentence) => {
    expect(() => readRecording(fileOf(name, text), ALL)).toThrow(sentence);
  });

  test('a file that is not there', () => {
    expect(() => readRecording(join(directory, 'none.csv'), ALL)).toThrow(
      'cannot be read (ENOENT)',
    );
  });
});
