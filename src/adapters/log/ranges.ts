import type { LogRecord } from '../../model/record.ts';
import type { Range } from './shard-log.ts';

/**
 * A listener that hears only the records of these ranges, or all of them without ranges: for logs
 * that can only be read as a whole.
 */
export function within(
  onRecord: (record: LogRecord) => void,
  ranges: readonly Range[] | undefined,
): (record: LogRecord) => void {
  if (ranges === undefined) return onRecord;
  return (record) => {
    const isAsked = ranges.some(
      ({ log, shard, from, to }) =>
        log === record.log &&
        shard === record.shard &&
        from <= record.offset &&
        record.offset <= to,
    );
    if (isAsked) onRecord(record);
  };
}
