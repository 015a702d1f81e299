import { dirname } from 'node:path';
import { ENTRY_BYTES_MAX, ENTRY_HEAD_BYTES, GROUP_BYTES_MAX, sealEntry, viewOf } from './entry.ts';
import { EntryScan } from './entry-scan.ts';
import type { LogFile, LogFiles } from './files.ts';
import { GroupWrite } from './group-write.ts';
import type { Patience } from './patience.ts';
import { damaged } from './start-error.ts';
import { hardenTail, judgeTail } from './tail.ts';

/** How a side log is opened. */
export interface SideLogOptions {
  readonly files: LogFiles;
  readonly path: string;
  readonly patience: Patience;
  /** Takes what is there, entry by entry; false if it is malformed. */
  readonly onEntry: (scan: EntryScan) => boolean;
  readonly warn: (sentence: string) => void;
}

/**
 * A file of entries beside the segments (rejects, schemas): few, rare, appended and never
 * preallocated.
 */
export class SideLog {
  readonly #file: LogFile;
  readonly #path: string;
  readonly #patience: Patience;
  #position: number;
  #sequence: number;

  private constructor(file: LogFile, options: SideLogOptions, end: EntryScan) {
    this.#file = file;
    this.#path = options.path;
    this.#patience = options.patience;
    this.#position = end.position;
    this.#sequence = end.sequence;
  }

  /**
   * Opens the file, makes it if needed, reads it and cuts a torn tail.
   * Rejects: `StartError` 78 if it is damaged.
   */
  static async open(options: SideLogOptions): Promise<SideLog> {
    const { files, path } = options;
    const file = await files.open(path, 'durable');
    try {
      await files.syncDirectory(dirname(path));
      const end = await scanSide(file, options);
      await repair(file, end, options);
      return new SideLog(file, options, end);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** How many entries there are. */
  get entries(): number {
    return this.#sequence;
  }

  /** Guarantee: the entries are on the disk, in order, when it resolves. */
  async append(bodies: readonly Uint8Array[]): Promise<void> {
    for (let next = 0; next < bodies.length; ) {
      const count = fitting(bodies, next);
      const bytes = this.#assemble(bodies.slice(next, next + count));
      const place = { file: this.#file, path: this.#path, position: this.#position };
      const write = new GroupWrite(bytes, place);
      await this.#patience.until(this.#path, () => write.attempt());
      this.#position += bytes.length;
      next += count;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #assemble(bodies: readonly Uint8Array[]): Uint8Array {
    const size = bodies.reduce((sum, body) => sum + ENTRY_HEAD_BYTES + body.length, 0);
    const bytes = new Uint8Array(size);
    const view = viewOf(bytes);
    let at = 0;
    for (const body of bodies) {
      const end = at + ENTRY_HEAD_BYTES + body.length;
      bytes.set(body, at + ENTRY_HEAD_BYTES);
      sealEntry(view, at, end, this.#sequence);
      this.#sequence += 1;
      at = end;
    }
    return bytes;
  }
}

/** Whether a body is small enough for an entry. */
export const fitsEntry = (bodyBytes: number): boolean =>
  ENTRY_HEAD_BYTES + bodyBytes <= ENTRY_BYTES_MAX;

/** How many bodies from `next` on go into one group; one at least. */
function fitting(bodies: readonly Uint8Array[], next: number): number {
  let bytes = 0;
  let count = 0;
  for (let index = next; index < bodies.length; index += 1) {
    bytes += ENTRY_HEAD_BYTES + (bodies[index] as Uint8Array).length;
    if (count > 0 && bytes > GROUP_BYTES_MAX) break;
    count += 1;
  }
  return count;
}

async function scanSide(file: LogFile, options: SideLogOptions): Promise<EntryScan> {
  const scan = new EntryScan(file, 0);
  do {
    while (scan.next()) {
      if (options.onEntry(scan)) continue;
      throw damaged({ path: options.path, position: scan.start }, 'the entry is malformed');
    }
  } while (await scan.fill());
  return scan;
}

async function repair(file: LogFile, end: EntryScan, options: SideLogOptions): Promise<void> {
  const { path } = options;
  const tail = await judgeTail(file, end);
  if (tail.kind === 'damaged') {
    throw damaged({ path, position: end.position }, notWhole(tail.at));
  }
  if (tail.kind === 'torn') options.warn(cutSentence(path, end.position, tail.end));
  await file.truncate(end.position);
  await hardenTail(file, end.position);
}

/** What is wrong at a place that whole entries follow. */
export const notWhole = (at: number): string =>
  `the record is not whole, but whole records follow it, from byte ${at} on`;

/** What is said when a torn tail is cut. */
export const cutSentence = (path: string, from: number, to: number): string =>
  `${path}: removed ${to - from} bytes from byte ${from} on: the record there is not whole, as ` +
  'after a crash in the middle of an append, which was never acknowledged then';
