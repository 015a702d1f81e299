import { join } from 'node:path';
import { EntryScan } from './entry-scan.ts';
import { codeOf, type LogFile, type LogFiles } from './files.ts';
import { listSegments, segmentName } from './segments.ts';
import { notWhole } from './side-log.ts';
import { damaged, type Place } from './start-error.ts';
import { judgeTail } from './tail.ts';

/** So often a place that seems damaged is looked at again: a writer may be just there. */
const LOOKS_MAX = 5;

/** What a reader found where the records end. */
export type Reached = 'more' | 'end' | 'unsure';

/**
 * Walks over the segments of a directory beside the process that writes them. What is written only
 * in part is not there yet; a segment that is full leads to the next one.
 */
export class FollowScan {
  readonly #files: LogFiles;
  readonly #directory: string;
  #file: LogFile | null = null;
  #scan: EntryScan | null = null;
  #first = 0;
  #looks = 0;
  #isJudged = false;

  constructor(files: LogFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  /** The next whole entry, if the bytes read so far hold it. */
  next(): EntryScan | null {
    if (this.#scan === null || !this.#scan.next()) return null;
    this.#looks = 0;
    return this.#scan;
  }

  /**
   * Reads on: `more` there may be a next entry now; `end` nothing more is there yet; `unsure` it
   * looks damaged, which a writer at work can do too: ask again in a moment.
   * Rejects: `StartError` 78 if it still looks damaged after several times.
   */
  async advance(): Promise<Reached> {
    const scan = this.#scan;
    if (scan === null) return this.#open((await this.#list())[0]);
    if (await scan.fill()) return 'more';
    scan.rewind();
    const later = (await this.#list()).find((first) => first > this.#first);
    if (later === scan.sequence) return this.#open(later);
    const finding =
      later === undefined ? await this.#judge(scan) : `record ${scan.sequence} is missing`;
    if (finding === null) return 'end';
    this.#looks += 1;
    if (this.#looks < LOOKS_MAX) return 'unsure';
    throw damaged(this.placeOf(scan.position), finding);
  }

  /** A place in the present segment, for humans. */
  placeOf(position: number): Place {
    return { path: join(this.#directory, segmentName(this.#first)), position };
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    this.#scan = null;
    await file?.close();
  }

  async #open(first: number | undefined): Promise<Reached> {
    if (first === undefined) return 'end';
    await this.close();
    this.#first = first;
    this.#isJudged = false;
    this.#file = await this.#files.open(this.placeOf(0).path, 'read');
    this.#scan = new EntryScan(this.#file, first);
    return 'more';
  }

  /** What is wrong with the end of the last segment; once per segment, for it reads all of it. */
  async #judge(scan: EntryScan): Promise<string | null> {
    if (this.#isJudged) return null;
    const tail = await judgeTail(this.#file as LogFile, scan);
    if (tail.kind === 'damaged') return notWhole(tail.at);
    this.#isJudged = true;
    return null;
  }

  async #list(): Promise<number[]> {
    try {
      return await listSegments(this.#files, this.#directory);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
