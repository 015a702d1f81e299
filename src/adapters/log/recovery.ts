import { join } from 'node:path';
import { LOG_NAMES, type LogRecord } from '../../model/record.ts';
import type { LogFile, LogFiles } from './files.ts';
import { type LogEnd, scanLog } from './log-scan.ts';
import { listSegments, type OpenSegment, segmentName } from './segments.ts';
import { cutSentence, notWhole } from './side-log.ts';
import { damaged, type Place } from './start-error.ts';
import { hardenTail, judgeTail, writeZeros } from './tail.ts';

/** What recovery works on. */
export interface RecoveryOptions {
  readonly files: LogFiles;
  /** The directory of the segments. */
  readonly directory: string;
  readonly shards: number;
  readonly warn: (sentence: string) => void;
}

/** The log as recovery found (and repaired) it. */
export interface Recovered {
  readonly firsts: number[];
  /** Sequence number of the next record. */
  readonly sequence: number;
  /** Shape: next offset by log × shards + shard. */
  readonly offsets: Float64Array;
  readonly usedBytes: number;
  /** The segment to go on with; null in an empty directory. */
  readonly segment: OpenSegment | null;
}

/**
 * Reads the whole log, checks it, cuts a torn tail, and makes sure that every record found is on
 * the disk before anybody relies on it.
 * Rejects: `StartError` 78 if the log is damaged; then nothing was changed.
 */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { files, directory, shards } = options;
  const firsts = await listSegments(files, directory);
  checkBeginning(directory, firsts);
  const offsets = new Float64Array(LOG_NAMES.length * shards);
  const end = await scanLog(
    { files, directory, firsts, end: Infinity },
    orderCheck(offsets, shards),
  );
  const segment = end === null ? null : await openLast(options, end);
  const { sequence, usedBytes } = end ?? { sequence: 0, usedBytes: 0 };
  return { firsts, sequence, offsets, usedBytes, segment };
}

/** Rejects: a log whose first segment is not there. */
export function checkBeginning(directory: string, firsts: readonly number[]): void {
  const first = firsts[0] ?? 0;
  if (first === 0) return;
  const place = { path: join(directory, segmentName(0)), position: 0 };
  throw damaged(place, `the segment is missing; the first one there is ${segmentName(first)}`);
}

/**
 * Takes the records of a log one after the other, and counts `offsets` up with them. Throws:
 * `StartError` at one whose offset in its log and shard is not the next.
 */
export function orderCheck(
  offsets: Float64Array,
  shards: number,
): (record: LogRecord, place: Place) => void {
  return ({ log, shard, offset }, place) => {
    const index = log * shards + shard;
    const expected = shard < shards ? (offsets[index] ?? -1) : -1;
    if (offset !== expected) {
      throw damaged(place, `the record has offset ${offset} in its shard instead of ${expected}`);
    }
    offsets[index] = offset + 1;
  };
}

async function openLast(options: RecoveryOptions, end: LogEnd): Promise<OpenSegment> {
  const path = join(options.directory, segmentName(end.first));
  const file = await options.files.open(path, 'durable');
  try {
    await repair(options, file, { path, position: end.position }, end.sequence);
    await hardenTail(file, end.position);
    return { file, first: end.first, position: end.position };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function repair(
  options: RecoveryOptions,
  file: LogFile,
  place: Place,
  sequence: number,
): Promise<void> {
  const { path, position } = place;
  const tail = await judgeTail(file, { position, sequence });
  if (tail.kind === 'damaged') throw damaged(place, notWhole(tail.at));
  if (tail.kind === 'clean') return;
  // The segment keeps its size: later groups are written into zeros, as everywhere.
  await writeZeros(file, position, tail.end);
  options.warn(cutSentence(path, position, tail.end));
}
