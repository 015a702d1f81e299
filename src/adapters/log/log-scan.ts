import { join } from 'node:path';
import type { LogRecord } from '../../model/record.ts';
import { EntryScan } from './entry-scan.ts';
import type { LogFiles } from './files.ts';
import { readRecord } from './record-codec.ts';
import { segmentName } from './segments.ts';
import { damaged, type Place } from './start-error.ts';

/** Which segments are scanned, and how far. */
export interface LogScanOptions {
  readonly files: LogFiles;
  readonly directory: string;
  /** First sequence numbers of the segments, ascending. */
  readonly firsts: readonly number[];
  /** Sequence number at which the scan ends; Infinity: where the records end. */
  readonly end: number;
}

/** Where a scan ended: behind the last whole record of segment `first`. */
export interface LogEnd {
  readonly first: number;
  readonly position: number;
  readonly sequence: number;
  /** Bytes of records in all segments up to there. */
  readonly usedBytes: number;
}

/**
 * Reads the records of all segments in order. What lies behind the end of the last segment is for
 * the caller to judge; a segment before it that ends too early is damaged.
 * Returns null if there is no segment.
 * Rejects: `StartError` 78 at damage; what `onRecord` throws.
 */
export async function scanLog(
  options: LogScanOptions,
  onRecord: (record: LogRecord, place: Place) => void,
): Promise<LogEnd | null> {
  let last: LogEnd | null = null;
  for (const first of options.firsts) {
    if (last !== null && first >= options.end) break;
    if (last !== null) checkFollows(options, last, first);
    const before: number = last?.usedBytes ?? 0;
    const end = await scanSegment(options, first, onRecord);
    last = { first, ...end, usedBytes: before + end.position };
  }
  return last;
}

async function scanSegment(
  options: LogScanOptions,
  first: number,
  onRecord: (record: LogRecord, place: Place) => void,
): Promise<{ position: number; sequence: number }> {
  const path = join(options.directory, segmentName(first));
  const file = await options.files.open(path, 'read');
  try {
    const scan = new EntryScan(file, first);
    do {
      while (scan.sequence < options.end && scan.next()) {
        const place = { path, position: scan.start };
        const record = readRecord(scan);
        if (record === null) throw damaged(place, 'the record is malformed');
        onRecord(record, place);
      }
    } while (scan.sequence < options.end && (await scan.fill()));
    return { position: scan.position, sequence: scan.sequence };
  } finally {
    await file.close();
  }
}

function checkFollows(options: LogScanOptions, last: LogEnd, first: number): void {
  if (last.sequence === first) return;
  const path = join(options.directory, segmentName(last.first));
  throw damaged(
    { path, position: last.position },
    `record ${last.sequence} should be there, but the next one that is whole is ${first} in ` +
      `${segmentName(first)}`,
  );
}
