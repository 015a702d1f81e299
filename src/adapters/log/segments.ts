import { join } from 'node:path';
import { isDiskFull, type LogFile, type LogFiles } from './files.ts';
import type { GroupPlace } from './group-write.ts';
import type { Patience } from './patience.ts';
import { writeZeros } from './tail.ts';

const NAME = /^(\d{20})\.seg$/;
const SPARE = 'next.tmp';
/** Preparing a segment must not fill the disk's queue in front of the groups that are waited for. */
const PREPARED_PER_SYNC_BYTES = 4 * 1024 * 1024;

/** The name of the segment whose first record has this sequence number. */
export const segmentName = (first: number): string => `${String(first).padStart(20, '0')}.seg`;

/** First sequence numbers of the segments in a directory, ascending; other names are left out. */
export async function listSegments(files: LogFiles, directory: string): Promise<number[]> {
  const firsts: number[] = [];
  for (const name of await files.names(directory)) {
    const match = NAME.exec(name);
    if (match !== null) firsts.push(Number(match[1]));
  }
  return firsts.sort((a, b) => a - b);
}

/** Where the segments lie and how large they are. */
export interface SegmentsOptions {
  readonly files: LogFiles;
  readonly directory: string;
  readonly segmentBytes: number;
  readonly patience: Patience;
}

/** The segment that a log goes on with after a start. */
export interface OpenSegment {
  readonly file: LogFile;
  readonly first: number;
  readonly position: number;
}

/**
 * The segments as the one writer sees them: the current one, those before it, and a spare that is
 * filled with zeros beside the appends, so that a full segment is followed without a wait and a
 * write never has to allocate.
 * Guarantee: a segment under its final name is whole, of full size, and so is its name on the disk.
 */
export class Segments {
  /** First sequence numbers, ascending; the last is the current segment's. */
  readonly firsts: number[];
  /** Bytes used in all segments. */
  usedBytes: number;
  readonly #options: SegmentsOptions;
  #current: LogFile | null = null;
  #position = 0;
  #size = 0;
  #spare: LogFile | null = null;
  #preparing: Promise<void> | null = null;
  /** A fault of the preparation that no room on the disk will cure. */
  #fault: unknown = null;
  /** There was no room for a spare: not to be tried again after every group, only when needed. */
  #mustBeNeeded = false;

  constructor(options: SegmentsOptions, firsts: number[], usedBytes: number) {
    this.#options = options;
    this.firsts = firsts;
    this.usedBytes = usedBytes;
  }

  /** Goes on with the last segment of the directory. */
  async resume(segment: OpenSegment): Promise<void> {
    this.#current = segment.file;
    this.#position = segment.position;
    this.#size = await segment.file.size();
  }

  /** Where a group of `bytes` bytes goes: a new segment if the current one has no room for it. */
  async room(bytes: number, sequence: number): Promise<GroupPlace> {
    if (this.#current === null || this.#position + bytes > this.#size) await this.#next(sequence);
    return { file: this.#current as LogFile, path: this.path, position: this.#position };
  }

  /** Path of the current segment, for humans. */
  get path(): string {
    return join(this.#options.directory, segmentName(this.firsts.at(-1) ?? 0));
  }

  /** Notes that so many bytes more are durable, and prepares a spare when half is used. */
  advance(bytes: number): void {
    this.#position += bytes;
    this.usedBytes += bytes;
    if (this.#position * 2 > this.#size) this.prepareSpare();
  }

  /** Begins to prepare the next segment. A fault shows only when that segment is needed. */
  prepareSpare(): void {
    if (this.#spare !== null || this.#preparing !== null || this.#mustBeNeeded) return;
    this.#preparing = this.#prepare()
      .catch((error: unknown) => {
        if (isDiskFull(error)) this.#mustBeNeeded = true;
        else this.#fault = error;
      })
      .finally(() => {
        this.#preparing = null;
      });
  }

  async close(): Promise<void> {
    await this.#preparing;
    await this.#current?.close();
    if (this.#spare === null) return;
    await this.#spare.close();
    await this.#options.files.remove(this.#sparePath);
  }

  get #sparePath(): string {
    return join(this.#options.directory, SPARE);
  }

  async #next(first: number): Promise<void> {
    const { files, directory, patience } = this.#options;
    const path = join(directory, segmentName(first));
    await patience.until(path, async () => {
      await this.#preparing;
      if (this.#fault !== null) throw this.#fault;
      if (this.#spare === null) await this.#prepare();
      await files.rename(this.#sparePath, path);
    });
    await files.syncDirectory(directory);
    const next = await files.open(path, 'durable');
    await this.#current?.close();
    this.#current = next;
    await this.#spare?.close();
    this.#spare = null;
    this.#mustBeNeeded = false;
    this.#position = 0;
    this.#size = this.#options.segmentBytes;
    this.firsts.push(first);
  }

  async #prepare(): Promise<void> {
    const { files, segmentBytes } = this.#options;
    const file = await files.open(this.#sparePath, 'create');
    try {
      await file.truncate(0);
      for (let at = 0; at < segmentBytes; at += PREPARED_PER_SYNC_BYTES) {
        await writeZeros(file, at, Math.min(at + PREPARED_PER_SYNC_BYTES, segmentBytes));
        await file.datasync();
      }
    } catch (error) {
      // Give the room back: half a spare is of no use, and the groups need it.
      await file.truncate(0);
      await file.close();
      throw error;
    }
    this.#spare = file;
  }
}
