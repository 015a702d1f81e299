import { join } from 'node:path';
import type { RecordBatch } from '../../model/batch.ts';
import type { DeadLetter, SchemaRecord } from '../../model/record.ts';
import { placesIn } from './data-directory.ts';
import { readDeadLetter, writeDeadLetter } from './dead-letter-codec.ts';
import { EntryScan } from './entry-scan.ts';
import type { LogFiles } from './files.ts';
import type { Patience } from './patience.ts';
import { readSchema, writeSchema } from './schema-codec.ts';
import { segmentName } from './segments.ts';
import { SideLog } from './side-log.ts';
import { damaged } from './start-error.ts';

/** The file of the dead letters; one, until there is retention. */
export const rejectsPath = (directory: string): string =>
  join(placesIn(directory).rejects, segmentName(0));

/** What the side logs are opened with. */
export interface SideLogsOptions {
  readonly files: LogFiles;
  /** The data directory. */
  readonly directory: string;
  readonly shards: number;
  readonly patience: Patience;
  readonly warn: (sentence: string) => void;
}

/**
 * The rejects log and the schema log: what has to be durable before the rows of a batch.
 * Bounds: 50–100 bytes of memory per set definition, to write each of them once.
 */
export class SideLogs {
  readonly #options: SideLogsOptions;
  readonly #schemas: SideLog;
  readonly #rejects: SideLog;
  readonly #known: Set<string>;
  readonly #offsets: Float64Array;

  private constructor(
    options: SideLogsOptions,
    schemas: { log: SideLog; known: Set<string> },
    rejects: { log: SideLog; offsets: Float64Array },
  ) {
    this.#options = options;
    this.#schemas = schemas.log;
    this.#known = schemas.known;
    this.#rejects = rejects.log;
    this.#offsets = rejects.offsets;
  }

  /** Rejects: `StartError` 78 if one of the files is damaged. */
  static async open(options: SideLogsOptions): Promise<SideLogs> {
    const schemas = await openSchemas(options);
    try {
      return new SideLogs(options, schemas, await openRejects(options));
    } catch (error) {
      await schemas.log.close();
      throw error;
    }
  }

  /** Guarantee: set definitions and dead letters of the batches are durable when it resolves. */
  async append(batches: readonly RecordBatch[]): Promise<void> {
    const schemas: Uint8Array[] = [];
    const letters: Uint8Array[] = [];
    for (const batch of batches) {
      for (const schema of batch.schemas) this.#add(schema, schemas);
      for (const letter of batch.deadLetters) letters.push(this.#place(letter));
    }
    await this.#schemas.append(schemas);
    await this.#rejects.append(letters);
  }

  /** Set definitions in the order in which they were written. */
  async readSchemas(onSchema: (schema: SchemaRecord) => void): Promise<void> {
    const end = this.#schemas.entries;
    const path = placesIn(this.#options.directory).schemas;
    const file = await this.#options.files.open(path, 'read');
    try {
      const scan = new EntryScan(file, 0);
      do {
        while (scan.sequence < end && scan.next()) onSchema(wholeSchema(scan, path));
      } while (scan.sequence < end && (await scan.fill()));
      if (scan.sequence === end) return;
      throw damaged({ path, position: scan.position }, 'the schema is not whole any more');
    } finally {
      await file.close();
    }
  }

  async close(): Promise<void> {
    await this.#schemas.close();
    await this.#rejects.close();
  }

  #add(schema: SchemaRecord, bodies: Uint8Array[]): void {
    const hash = nameOf(schema);
    if (this.#known.has(hash)) return;
    this.#known.add(hash);
    bodies.push(writeSchema(schema));
  }

  #place(letter: DeadLetter): Uint8Array {
    const offset = this.#offsets[letter.shard] as number;
    this.#offsets[letter.shard] = offset + 1;
    return writeDeadLetter(letter, offset);
  }
}

async function openSchemas(
  options: SideLogsOptions,
): Promise<{ log: SideLog; known: Set<string> }> {
  const known = new Set<string>();
  const onEntry = (scan: EntryScan): boolean => {
    const schema = readSchema(scan);
    if (schema !== null) known.add(nameOf(schema));
    return schema !== null;
  };
  const path = placesIn(options.directory).schemas;
  return { log: await SideLog.open({ ...options, path, onEntry }), known };
}

async function openRejects(
  options: SideLogsOptions,
): Promise<{ log: SideLog; offsets: Float64Array }> {
  const offsets = new Float64Array(options.shards);
  const onEntry = (scan: EntryScan): boolean => {
    const letter = readDeadLetter(scan);
    if (letter === null || letter.offset !== offsets[letter.shard]) return false;
    offsets[letter.shard] = letter.offset + 1;
    return true;
  };
  const path = rejectsPath(options.directory);
  return { log: await SideLog.open({ ...options, path, onEntry }), offsets };
}

function wholeSchema(scan: EntryScan, path: string): SchemaRecord {
  const schema = readSchema(scan);
  if (schema !== null) return schema;
  throw damaged({ path, position: scan.start }, 'the schema is malformed');
}

const nameOf = (schema: SchemaRecord): string => Buffer.from(schema.hash).toString('latin1');
