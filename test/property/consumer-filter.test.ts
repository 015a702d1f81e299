import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecordFilter } from '../../src/consumer/record-filter.ts';
import { headerOf, type RecordText, recordOf } from '../support/log-records.ts';

type Row = RecordText & { readonly kind: 'frame' | 'fence' | 'mark' | 'stub' };

const row: fc.Arbitrary<Row> = fc.record({
  kind: fc.constantFrom('frame', 'frame', 'frame', 'stub', 'mark', 'fence', 'fence'),
  shard: fc.nat(1),
  device: fc.constantFrom('a', 'b'),
  lane: fc.integer({ min: 1, max: 3 }),
  gen: fc.integer({ min: 1, max: 4 }),
  own: fc.constantFrom('x', 'y'),
  ep: fc.integer({ min: 1, max: 3 }),
  n: fc.integer({ min: 1, max: 5 }),
  uncertain: fc.boolean(),
});

/** The rows of `rows` that count, by the words of §6.6, looking back to the beginning every time. */
function countingBySpec(rows: readonly Row[]): boolean[] {
  const isSameLog = (a: Row) => (b: Row) => a.shard === b.shard;
  const isFence = (i: number): boolean => {
    const before = rows.slice(0, i).filter(isSameLog(rows[i] as Row));
    const [first] = before;
    if (first === undefined) return true; // taken as valid, whatever it is
    const fences = before.filter((earlier) => earlier.kind === 'fence' || earlier === first);
    return rows[i]?.kind === 'fence' && fences.every((f) => (f.gen ?? 0) < (rows[i]?.gen ?? 0));
  };
  const isValid = (i: number): boolean => {
    let last = i;
    const same = isSameLog(rows[i] as Row);
    while (!(same(rows[last] as Row) && isFence(last))) last -= 1;
    return rows[last]?.gen === rows[i]?.gen && rows[last]?.own === rows[i]?.own;
  };
  const valid = rows.map((_, i) => isValid(i));
  return rows.map((current, i) => {
    if (!valid[i] || current.kind === 'fence' || current.kind === 'mark')
      return valid[i] as boolean;
    if (current.uncertain) return true;
    return passesDuplicates(
      rows.slice(0, i + 1).filter((_, j) => valid[j]),
      current,
    );
  });
}

/** Whether `current`, the last of the valid rows, is greater than what its lane has reached. */
function passesDuplicates(valid: readonly Row[], current: Row): boolean {
  const lane = valid.filter(
    ({ kind, device, lane: number }) =>
      (kind === 'frame' || kind === 'stub') && device === current.device && number === current.lane,
  );
  const earlier = lane.slice(0, -1);
  const reset = earlier.findLastIndex(({ uncertain }) => uncertain);
  const from = earlier.slice(Math.max(reset, 0));
  const rank = ({ ep = 0, n = 0 }: Row): number => ep * 1000 + n;
  return from.every((other) => rank(other) < rank(current));
}

it('judges as the words of §6.6 do, when read from the beginning each time', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
      const filter = new RecordFilter();
      const counts = rows.map((text) => {
        const verdict = filter.judge(recordOf(text), headerOf(text));
        return !verdict.void && !verdict.duplicate;
      });
      expect(counts).toEqual(countingBySpec(rows));
    }),
    { numRuns: 500 },
  );
});

/**
 * A log as owners write it: each reads to its fence, so it appends what is acknowledged next and,
 * after an ambiguous append, part of it again; a deposed one goes on for a while behind the fence.
 */
const history = fc.array(
  fc.record({
    frames: fc.integer({ min: 0, max: 6 }),
    /** How many of the last frames are appended again, because an answer was lost. */
    again: fc.integer({ min: 0, max: 3 }),
    /** How many frames the previous owner still writes behind this fence. */
    late: fc.integer({ min: 0, max: 3 }),
  }),
  { minLength: 1, maxLength: 8 },
);

it('yields every acknowledged frame exactly once and in order (I5)', () => {
  fc.assert(
    fc.property(history, (owners) => {
      const rows: Row[] = [];
      const acked: number[] = [];
      for (const [i, { frames, again, late }] of owners.entries()) {
        const fence = { gen: i + 1, own: String(i % 10) };
        rows.push({ kind: 'fence', ...fence });
        // The previous owner does not know of the fence: same numbers, another content, never acked.
        for (let k = 1; k <= late && i > 0; k += 1) {
          rows.push({ kind: 'frame', gen: i, own: String((i - 1) % 10), n: acked.length + k });
        }
        for (let k = 0; k < frames; k += 1) {
          acked.push(acked.length + 1);
          rows.push({ kind: 'frame', ...fence, n: acked.length });
        }
        for (const n of acked.slice(acked.length - Math.min(again, frames))) {
          rows.push({ kind: 'frame', ...fence, n });
        }
      }
      const filter = new RecordFilter();
      const read = rows.filter((text) => {
        const verdict = filter.judge(recordOf(text), headerOf(text));
        return text.kind === 'frame' && !verdict.void && !verdict.duplicate;
      });
      expect(read.map(({ n }) => n)).toEqual(acked);
    }),
    { numRuns: 500 },
  );
});
