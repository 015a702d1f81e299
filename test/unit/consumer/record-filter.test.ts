import { describe, expect, it } from 'vitest';
import { RecordFilter } from '../../../src/consumer/record-filter.ts';
import { LOG } from '../../../src/model/record.ts';
import { headerOf, type RecordText, recordOf } from '../../support/log-records.ts';

type Row = readonly [record: RecordText, verdict: 'counts' | 'void' | 'duplicate'];

/** Every table is one log (or several) in the order in which it is read. */
const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'an owner writes after its fence': [
    [{ kind: 'fence' }, 'counts'],
    [{ n: 1 }, 'counts'],
    [{ kind: 'mark' }, 'counts'],
    [{ kind: 'stub', n: 2 }, 'counts'],
    [{ n: 3 }, 'counts'],
  ],
  'what a deposed owner writes after the fence of the next one is void': [
    [{ kind: 'fence', gen: 1, own: 'a' }, 'counts'],
    [{ gen: 1, own: 'a', n: 1 }, 'counts'],
    [{ kind: 'fence', gen: 2, own: 'b' }, 'counts'],
    [{ gen: 1, own: 'a', n: 2 }, 'void'],
    [{ kind: 'mark', gen: 1, own: 'a' }, 'void'],
    [{ kind: 'stub', gen: 1, own: 'a', n: 3 }, 'void'],
    [{ gen: 2, own: 'b', n: 2 }, 'counts'],
  ],
  'of two fences with the same generation the first wins': [
    [{ kind: 'fence', gen: 4, own: 'a' }, 'counts'],
    [{ kind: 'fence', gen: 5, own: 'b' }, 'counts'],
    [{ kind: 'fence', gen: 5, own: 'c' }, 'void'],
    [{ gen: 5, own: 'c', n: 1 }, 'void'],
    [{ gen: 5, own: 'b', n: 1 }, 'counts'],
    [{ kind: 'fence', gen: 4, own: 'd' }, 'void'],
    [{ gen: 5, own: 'b', n: 2 }, 'counts'],
  ],
  'a reader that begins in the middle believes the first record until the next fence': [
    [{ gen: 7, own: 'a', n: 10 }, 'counts'],
    [{ gen: 6, own: 'z', n: 11 }, 'void'],
    [{ gen: 7, own: 'b', n: 11 }, 'void'],
    [{ gen: 7, own: 'a', n: 11 }, 'counts'],
    [{ kind: 'fence', gen: 6, own: 'c' }, 'void'],
    [{ kind: 'fence', gen: 7, own: 'c' }, 'void'],
    [{ kind: 'fence', gen: 8, own: 'c' }, 'counts'],
    [{ gen: 7, own: 'a', n: 12 }, 'void'],
    [{ gen: 8, own: 'c', n: 12 }, 'counts'],
  ],
  'fences count per log and shard': [
    [{ kind: 'fence', gen: 1, own: 'a' }, 'counts'],
    [{ kind: 'fence', gen: 3, own: 'b', log: LOG.alarms, lane: 0 }, 'counts'],
    [{ kind: 'fence', gen: 5, own: 'c', shard: 1 }, 'counts'],
    [{ gen: 1, own: 'a', n: 1 }, 'counts'],
    [{ gen: 3, own: 'b', n: 1, log: LOG.alarms, lane: 0 }, 'counts'],
    [{ gen: 5, own: 'c', n: 1, shard: 1, device: 'b' }, 'counts'],
    [{ gen: 1, own: 'a', n: 1, log: LOG.alarms, lane: 0 }, 'void'],
  ],
  'a record that was appended twice counts once': [
    [{ kind: 'fence' }, 'counts'],
    [{ n: 1 }, 'counts'],
    [{ n: 2 }, 'counts'],
    [{ n: 1 }, 'duplicate'],
    [{ n: 2 }, 'duplicate'],
    [{ kind: 'stub', n: 2 }, 'duplicate'],
    [{ n: 5 }, 'counts'],
    [{ n: 4 }, 'duplicate'],
  ],
  'a void record does not move the filter': [
    [{ kind: 'fence', gen: 2, own: 'b' }, 'counts'],
    [{ gen: 1, own: 'a', n: 9 }, 'void'],
    [{ gen: 1, own: 'a', n: 9, uncertain: true }, 'void'],
    [{ gen: 2, own: 'b', n: 3 }, 'counts'],
  ],
  'a stub takes the number of its frame': [
    [{ kind: 'fence' }, 'counts'],
    [{ kind: 'stub', n: 4 }, 'counts'],
    [{ n: 4 }, 'duplicate'],
    [{ n: 5 }, 'counts'],
  ],
  'a newer epoch begins at any number, an older one is over': [
    [{ kind: 'fence' }, 'counts'],
    [{ ep: 3, n: 900 }, 'counts'],
    [{ ep: 4, n: 1 }, 'counts'],
    [{ ep: 3, n: 901 }, 'duplicate'],
    [{ ep: 4, n: 2 }, 'counts'],
  ],
  'numbers are per device and lane': [
    [{ kind: 'fence' }, 'counts'],
    [{ device: 'a', lane: 1, n: 7 }, 'counts'],
    [{ device: 'a', lane: 2, n: 1 }, 'counts'],
    [{ device: 'a', lane: 3, n: 1 }, 'counts'],
    [{ device: 'b', lane: 1, n: 1 }, 'counts'],
    [{ device: 'a', lane: 1, n: 7 }, 'duplicate'],
    [{ device: 'a', lane: 2, n: 1 }, 'duplicate'],
  ],
  'an uncertain record resets its lane to itself': [
    [{ kind: 'fence' }, 'counts'],
    [{ ep: 5, n: 70 }, 'counts'],
    [{ ep: 2, n: 10, uncertain: true }, 'counts'],
    [{ ep: 2, n: 10 }, 'duplicate'],
    [{ ep: 2, n: 11 }, 'counts'],
    [{ ep: 2, n: 9, uncertain: true, lane: 2 }, 'counts'],
    [{ ep: 2, n: 11 }, 'duplicate'],
  ],
};

describe('the consumer filter of PROTOCOL §6.6', () => {
  it.each(Object.entries(TABLES))('%s', (_, rows) => {
    const filter = new RecordFilter();
    const verdicts = rows.map(([text]) => {
      const verdict = filter.judge(recordOf(text), headerOf(text));
      return verdict.void ? 'void' : verdict.duplicate ? 'duplicate' : 'counts';
    });
    expect(verdicts).toEqual(rows.map(([, verdict]) => verdict));
  });

  it('copies the owner it remembers: the header is used again for the next record', () => {
    const filter = new RecordFilter();
    const header = headerOf({ kind: 'fence', own: 'a' });
    filter.judge(recordOf({ kind: 'fence' }), header);
    header.own.fill(0);
    expect(filter.judge(recordOf({ n: 1 }), headerOf({ n: 1, own: 'a' })).void).toBe(false);
    expect(filter.judge(recordOf({ n: 2 }), header).void).toBe(true);
  });
});
