import { invariant } from '../model/invariant.ts';
import { emptyHeader, readHeader } from '../wire/record-header.ts';
import { PendingBatch } from './pending-batch.ts';
import type { RowWriter } from './row-writer.ts';

/**
 * The rows of a batch that `isKept`, written anew under the generation that is ours now: rows of an
 * older one would be void. Their definitions and dead letters come along.
 */
export function restamped(
  from: PendingBatch,
  writer: RowWriter,
  isKept: (row: number) => boolean,
): PendingBatch {
  const to = new PendingBatch();
  const header = emptyHeader();
  const { records } = from;
  for (let row = 0; row < records.rows; row += 1) {
    if (!isKept(row)) continue;
    invariant(readHeader(records.tg(row), header), 'a row of ours has a header we do not know');
    const shard = records.shard[row] as number;
    const place = { shard, key: records.key(row), value: records.value(row) };
    to.copyNote(from, row, writer.again(to, header, place));
  }
  to.records.schemas.push(...records.schemas);
  to.records.deadLetters.push(...records.deadLetters);
  to.openedAtMs = from.openedAtMs;
  return to;
}
