import type { RecordBatch } from '../model/batch.ts';
import type { LogKind } from '../model/record.ts';
import type { Tails } from './tails.ts';

/** Offsets of one (log, shard), both ends included. */
export interface Gap {
  readonly log: LogKind;
  readonly shard: number;
  readonly from: number;
  readonly to: number;
}

/**
 * What stands in the log between what we knew and the rows of an append that came back, and between
 * those rows, from one of them on. Null: a row stands below what we have read already, so
 * acknowledged records vanished.
 * Source: PROTOCOL App. E, continuity.
 */
export function gapsBefore(
  records: RecordBatch,
  offsets: Float64Array,
  tails: Tails,
  from = 0,
): readonly Gap[] | null {
  const { log } = tails;
  const gaps: Gap[] = [];
  const expected = new Map<number, number>();
  for (let row = from; row < offsets.length; row += 1) {
    const shard = records.shard[row] as number;
    const offset = offsets[row] as number;
    const next = expected.get(shard) ?? tails.next(shard);
    if (offset < next) return null;
    if (offset > next) gaps.push({ log, shard, from: next, to: offset - 1 });
    expected.set(shard, offset + 1);
  }
  return gaps;
}
