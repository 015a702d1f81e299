import { join } from 'node:path';
import { LOG_NAMES } from '../../model/record.ts';
import { placesIn } from './data-directory.ts';
import { readDeadLetter } from './dead-letter-codec.ts';
import { EntryScan } from './entry-scan.ts';
import { codeOf, type LogFile, type LogFiles } from './files.ts';
import { LogReader } from './log-reader.ts';
import { readRecord } from './record-codec.ts';
import { checkBeginning, orderCheck } from './recovery.ts';
import { readSchema } from './schema-codec.ts';
import { listSegments, segmentName } from './segments.ts';
import { notWhole } from './side-log.ts';
import { rejectsPath } from './side-logs.ts';
import { damaged, type Place, starting } from './start-error.ts';
import { judgeTail, type Tail } from './tail.ts';

/** What a log that is whole holds. */
export interface Verified {
  readonly segments: number;
  readonly records: number;
  /** Of the records. */
  readonly bytes: number;
  readonly schemas: number;
  readonly deadLetters: number;
  /** Where something lies that a crash left of an append that was never acknowledged. */
  readonly torn: readonly Place[];
}

/** Where the entries of one file ended, and what lies behind them. */
interface End {
  readonly position: number;
  readonly sequence: number;
  readonly tail: Tail;
}

type OnEntry = (scan: EntryScan, place: Place) => boolean;

/**
 * Reads everything in a data directory and checks it as the start of a gateway would. It writes
 * nothing and takes no lock, so it may run beside a gateway; what that adds meanwhile may be missing.
 * Rejects: `StartError` 78; with `place` it is the first damage, else the log cannot be read.
 */
export async function verifyLog(directory: string, files: LogFiles): Promise<Verified> {
  const { shards } = await LogReader.open(directory, files);
  return starting(`cannot read the log in ${directory}`, async () => {
    const isSchema: OnEntry = (scan) => readSchema(scan) !== null;
    const isLetter: OnEntry = (scan) => readDeadLetter(scan) !== null;
    const { schemas: path } = placesIn(directory);
    const schemas = await checkFile(files, { path, first: 0 }, isSchema);
    const letters = await checkFile(files, { path: rejectsPath(directory), first: 0 }, isLetter);
    const log = await checkSegments(files, placesIn(directory).log, shards);
    return {
      ...log,
      schemas: schemas.sequence,
      deadLetters: letters.sequence,
      torn: [...tornAt(path, schemas), ...tornAt(rejectsPath(directory), letters), ...log.torn],
    };
  });
}

const tornAt = (path: string, { position, tail }: End): Place[] =>
  tail.kind === 'torn' ? [{ path, position }] : [];

async function checkSegments(
  files: LogFiles,
  directory: string,
  shards: number,
): Promise<Pick<Verified, 'segments' | 'records' | 'bytes' | 'torn'>> {
  const firsts = await listSegments(files, directory);
  checkBeginning(directory, firsts);
  const isInOrder = orderOf(shards);
  let [records, bytes] = [0, 0];
  let torn: readonly Place[] = [];
  for (const [index, first] of firsts.entries()) {
    const path = join(directory, segmentName(first));
    const end = await checkFile(files, { path, first }, isInOrder);
    const next = firsts[index + 1];
    if (next !== undefined && next !== end.sequence) {
      const finding = `record ${end.sequence} should be there, but ${segmentName(next)} follows`;
      throw damaged({ path, position: end.position }, finding);
    }
    torn = tornAt(path, end);
    records = end.sequence;
    bytes += end.position;
  }
  return { segments: firsts.length, records, bytes, torn };
}

/** The offsets of each log and shard count up by one. */
function orderOf(shards: number): OnEntry {
  const check = orderCheck(new Float64Array(LOG_NAMES.length * shards), shards);
  return (scan, place) => {
    const record = readRecord(scan);
    if (record !== null) check(record, place);
    return record !== null;
  };
}

/** A file that is not there is empty: the side logs of a directory that was never used. */
async function checkFile(
  files: LogFiles,
  { path, first }: { readonly path: string; readonly first: number },
  onEntry: OnEntry,
): Promise<End> {
  let file: LogFile;
  try {
    file = await files.open(path, 'read');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return { position: 0, sequence: first, tail: { kind: 'clean' } };
  }
  try {
    return await checkEntries(file, path, { first, onEntry });
  } finally {
    await file.close();
  }
}

async function checkEntries(
  file: LogFile,
  path: string,
  { first, onEntry }: { readonly first: number; readonly onEntry: OnEntry },
): Promise<End> {
  const scan = new EntryScan(file, first);
  for (let judgedAt = -1; ; judgedAt = scan.position, scan.rewind()) {
    do {
      while (scan.next()) {
        const place = { path, position: scan.start };
        if (!onEntry(scan, place)) throw damaged(place, 'the record is malformed');
      }
    } while (await scan.fill());
    const { position, sequence } = scan;
    const tail = await judgeTail(file, { position, sequence });
    if (tail.kind !== 'damaged') return { position, sequence, tail };
    // A gateway may have written on between the two looks: then there is more to read now.
    if (position === judgedAt) throw damaged({ path, position }, notWhole(tail.at));
  }
}
