import { setTimeout as sleepReal } from 'node:timers/promises';
import type { LogRecord, SchemaRecord } from '../../model/record.ts';
import { type Meta, placesIn, readMeta } from './data-directory.ts';
import { readDeadLetter, type StoredDeadLetter } from './dead-letter-codec.ts';
import { EntryScan } from './entry-scan.ts';
import { codeOf, type LogFile, type LogFiles } from './files.ts';
import { FollowScan } from './follow-scan.ts';
import type { LogSource, ReadOptions } from './log-source.ts';
import { realFiles } from './real-files.ts';
import { readRecord } from './record-codec.ts';
import { readSchema } from './schema-codec.ts';
import { damaged, StartError } from './start-error.ts';

const POLL_MS = 100;

/**
 * Reads a data directory without its lock, beside the gateway that writes it (`tidegate tail`).
 * What it reads may not be synced yet: it can be ahead of the acknowledgements by one group.
 * Bounds: one buffer of 1.5 MiB per iteration.
 */
export class LogReader implements LogSource {
  readonly shards: number;
  readonly #files: LogFiles;
  readonly #directory: string;
  #schemasAt = { position: 0, sequence: 0 };

  private constructor(files: LogFiles, directory: string, meta: Meta) {
    this.#files = files;
    this.#directory = directory;
    this.shards = meta.shards;
  }

  /** Rejects: `StartError` 78 if there is no data directory, or one of another version. */
  static async open(directory: string, files: LogFiles = realFiles): Promise<LogReader> {
    const meta = await readMeta(files, directory);
    if (meta !== null) return new LogReader(files, directory, meta);
    throw new StartError(
      78,
      `there is no log in ${directory}: it is made by the first \`tidegate serve\` with the file ` +
        'log; if it lies elsewhere, say so with --data',
    );
  }

  /**
   * The records of all logs and shards from the beginning, in the order of the file. A record's
   * arrays hold until the next one is asked for. Rejects: `StartError` 78 at damage.
   */
  async *records(options: ReadOptions = {}): AsyncGenerator<LogRecord, void, undefined> {
    yield* this.#entries(placesIn(this.#directory).log, readRecord, options);
  }

  /** The dead letters from the beginning. Rejects: `StartError` 78 at damage. */
  async *deadLetters(options: ReadOptions = {}): AsyncGenerator<StoredDeadLetter, void, undefined> {
    yield* this.#entries(placesIn(this.#directory).rejects, readDeadLetter, options);
  }

  /**
   * The set definitions that were written since the last call. One that a record names is there
   * before the record is.
   */
  async readSchemas(onSchema: (schema: SchemaRecord) => void): Promise<void> {
    const path = placesIn(this.#directory).schemas;
    const file = await openOrNull(this.#files, path);
    if (file === null) return;
    try {
      const scan = new EntryScan(file, this.#schemasAt.sequence, this.#schemasAt.position);
      do {
        while (scan.next()) {
          const schema = readSchema(scan);
          if (schema === null) throw damaged({ path, position: scan.start }, 'it is malformed');
          onSchema(schema);
        }
      } while (await scan.fill());
      this.#schemasAt = { position: scan.position, sequence: scan.sequence };
    } finally {
      await file.close();
    }
  }

  /** It holds nothing between readings. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async *#entries<T>(
    directory: string,
    decode: (scan: EntryScan) => T | null,
    { follow = false, signal }: ReadOptions,
  ): AsyncGenerator<T, void, undefined> {
    const scan = new FollowScan(this.#files, directory);
    try {
      while (signal?.aborted !== true) {
        for (let entry = scan.next(); entry !== null; entry = scan.next()) {
          const value = decode(entry);
          if (value === null) throw damaged(scan.placeOf(entry.start), 'the record is malformed');
          yield value;
        }
        const reached = await scan.advance();
        if (reached === 'end' && !follow) return;
        if (reached !== 'more') await pause(signal);
      }
    } finally {
      await scan.close();
    }
  }
}

async function openOrNull(files: LogFiles, path: string): Promise<LogFile | null> {
  try {
    return await files.open(path, 'read');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Waits for the next look, or until the reader is told to end. */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleepReal(POLL_MS, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
