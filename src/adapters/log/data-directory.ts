import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import {
  codeOf,
  type LogFile,
  type LogFiles,
  type LogLock,
  readFully,
  writeFully,
} from './files.ts';
import { listSegments } from './segments.ts';
import { StartError, starting } from './start-error.ts';

/** Version of the directory's layout and of every format in it. */
export const DIRECTORY_VERSION = 1;
const META_BYTES_MAX = 4096;

/** What `META.json` says. */
export interface Meta {
  readonly version: number;
  readonly shards: number;
  /** Shape: 32 hex digits, random: which log this is, whatever the directory is called. */
  readonly logId: string;
}

/** Where everything lies in a data directory. Source: INTERFACE, Data directory. */
export const placesIn = (directory: string) => ({
  lock: join(directory, 'LOCK'),
  meta: join(directory, 'META.json'),
  log: join(directory, 'log'),
  rejects: join(directory, 'rejects'),
  schemas: join(directory, 'schemas.log'),
});

/** A data directory that this process owns until it releases the lock. */
export interface OwnedDirectory {
  readonly meta: Meta;
  readonly lock: LogLock;
}

/**
 * Makes the directory if needed, locks it and reads or writes `META.json`.
 * Rejects: `StartError` 69 if another process owns it; 78 if it cannot be used, is of another
 * version, or was set up with another number of shards.
 */
export async function ownDirectory(
  files: LogFiles,
  directory: string,
  shards: number,
): Promise<OwnedDirectory> {
  const lock = await starting(`cannot use the data directory ${directory}`, async () => {
    await makeDirectories(files, directory);
    return files.lock(placesIn(directory).lock);
  });
  if (lock === null) {
    throw new StartError(
      69,
      `the data directory ${directory} is in use by another process: stop that one, or give ` +
        'this one a directory of its own with --data',
    );
  }
  try {
    const meta = (await readMeta(files, directory)) ?? (await setUp(files, directory, shards));
    checkShards(meta, directory, shards);
    return { meta, lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * What `META.json` says, or null if there is none.
 * Rejects: `StartError` 78 if it cannot be read, is damaged or of another version.
 */
export async function readMeta(files: LogFiles, directory: string): Promise<Meta | null> {
  const path = placesIn(directory).meta;
  const text = await starting(`cannot read ${path}`, () => readText(files, path));
  if (text === null) return null;
  const meta = parseMeta(text, path);
  if (meta.version === DIRECTORY_VERSION) return meta;
  throw new StartError(
    78,
    `the data directory ${directory} is of version ${meta.version}, and this Tidegate knows only ` +
      `version ${DIRECTORY_VERSION}: use the Tidegate that wrote it, or another directory (--data)`,
  );
}

async function makeDirectories(files: LogFiles, directory: string): Promise<void> {
  const { log, rejects } = placesIn(directory);
  await files.makeDirectory(directory);
  await files.makeDirectory(log);
  await files.makeDirectory(rejects);
  // Names that a killed process made, and that are seen now, may not be on the disk yet.
  for (const path of [log, rejects, directory, dirname(directory)]) await files.syncDirectory(path);
}

async function readText(files: LogFiles, path: string): Promise<string | null> {
  let file: LogFile;
  try {
    file = await files.open(path, 'read');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const bytes = new Uint8Array(META_BYTES_MAX);
    const length = await readFully(file, bytes, 0);
    return new TextDecoder().decode(bytes.subarray(0, length));
  } finally {
    await file.close();
  }
}

function parseMeta(text: string, path: string): Meta {
  let meta: unknown;
  try {
    meta = JSON.parse(text);
  } catch {
    meta = null;
  }
  if (isMeta(meta)) return meta;
  throw new StartError(
    78,
    `${path} is damaged: it should read {"version":${DIRECTORY_VERSION},"shards":…,"logId":"…"}. ` +
      'Restore it from a copy, or move the data directory away to start with an empty log',
  );
}

function isMeta(value: unknown): value is Meta {
  if (typeof value !== 'object' || value === null) return false;
  if (!('version' in value) || !Number.isSafeInteger(value.version)) return false;
  // What a later version says besides is its own affair; that it is a later one must be told.
  if (value.version !== DIRECTORY_VERSION) return true;
  if (!('shards' in value) || !Number.isSafeInteger(value.shards)) return false;
  return 'logId' in value && typeof value.logId === 'string';
}

function setUp(files: LogFiles, directory: string, shards: number): Promise<Meta> {
  const { log, meta: path } = placesIn(directory);
  return starting(`cannot set up the data directory ${directory}`, async () => {
    if ((await listSegments(files, log)).length > 0) {
      throw new StartError(
        78,
        `${path} is missing, but ${log} holds a log: restore it from a copy`,
      );
    }
    const meta = { version: DIRECTORY_VERSION, shards, logId: randomBytes(16).toString('hex') };
    await writeWhole(files, path, new TextEncoder().encode(`${JSON.stringify(meta)}\n`));
    await files.syncDirectory(directory);
    return meta;
  });
}

async function writeWhole(files: LogFiles, path: string, bytes: Uint8Array): Promise<void> {
  const file = await files.open(`${path}.tmp`, 'create');
  try {
    await file.truncate(0);
    await writeFully(file, bytes, 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await files.rename(`${path}.tmp`, path);
}

function checkShards(meta: Meta, directory: string, shards: number): void {
  if (meta.shards === shards) return;
  throw new StartError(
    78,
    `the data directory ${directory} was set up with ${meta.shards} shards and cannot be used ` +
      `with ${shards}: the number is fixed at the first start (--shards ${meta.shards}), or use ` +
      'another directory (--data)',
  );
}
