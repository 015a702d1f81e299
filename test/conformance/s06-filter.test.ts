import { expect } from 'vitest';
import { RecordFilter } from '../../src/consumer/record-filter.ts';
import { headerOf, type RecordText, recordOf } from '../support/log-records.ts';
import { READER, rule } from './rule.ts';

/** §6.6: what a reader of a log makes of its records. */

/** What a reader makes of records: `ok`, `void` or `duplicate`. */
function judged(texts: readonly RecordText[]): string[] {
  const filter = new RecordFilter();
  return texts.map((text) => {
    const verdict = filter.judge(recordOf(text), headerOf(text));
    return verdict.void ? 'void' : verdict.duplicate ? 'duplicate' : 'ok';
  });
}

rule(
  'R6.6-1 R6.6-2',
  'a fence counts above every generation before it; other records carry its generation and owner',
  READER,
  () => {
    const records: RecordText[] = [
      { kind: 'fence', gen: 1, own: 'a' },
      { gen: 1, own: 'a', n: 1 },
      { kind: 'fence', gen: 2, own: 'b' },
      { gen: 1, own: 'a', n: 2 },
      { kind: 'fence', gen: 2, own: 'c' },
      { gen: 2, own: 'c', n: 3 },
      { gen: 2, own: 'b', n: 4 },
      { kind: 'mark', gen: 1, own: 'a' },
      { kind: 'stub', gen: 2, own: 'a', n: 5 },
      { gen: 3, own: 'b', n: 6 },
    ];
    expect(judged(records)).toEqual([
      'ok',
      'ok',
      'ok',
      'void',
      'void',
      'void',
      'ok',
      'void',
      'void',
      'void',
    ]);
  },
);

rule(
  'R6.6-3',
  "a reader that begins in the middle takes the first record's until the next fence",
  READER,
  () => {
    const records: RecordText[] = [
      { gen: 5, own: 'x', n: 1 },
      { gen: 4, own: 'y', n: 2 },
      { gen: 5, own: 'x', n: 3 },
      { kind: 'fence', gen: 6, own: 'z' },
      { gen: 5, own: 'x', n: 4 },
      { gen: 6, own: 'z', n: 5 },
    ];
    expect(judged(records)).toEqual(['ok', 'void', 'ok', 'ok', 'void', 'ok']);
  },
);

rule(
  'R6.6-4',
  'per device and lane what is not lexicographically greater in (ep, n) is dropped',
  READER,
  () => {
    const of = (ep: number, n: number, more: RecordText = {}): RecordText => ({ ep, n, ...more });
    const records = [
      of(1, 1),
      of(1, 1),
      of(1, 3),
      of(1, 2),
      of(2, 1),
      of(1, 9),
      of(2, 2),
      of(1, 1, { lane: 2 }),
      of(1, 1, { device: 'b' }),
      of(2, 2, { kind: 'stub' }),
    ];
    expect(judged(records)).toEqual([
      'ok',
      'duplicate',
      'ok',
      'duplicate',
      'ok',
      'duplicate',
      'ok',
      'ok',
      'ok',
      'duplicate',
    ]);
  },
);

rule(
  'R6.6-5',
  'a record with the uncertain mark resets the filter of its lane to itself',
  READER,
  () => {
    const records: RecordText[] = [
      { ep: 5, n: 9 },
      { ep: 3, n: 4, uncertain: true },
      { ep: 3, n: 4 },
      { ep: 3, n: 5 },
      { ep: 5, n: 1, lane: 2 },
    ];
    expect(judged(records)).toEqual(['ok', 'ok', 'duplicate', 'ok', 'ok']);
  },
);
