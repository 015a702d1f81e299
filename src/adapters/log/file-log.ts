import type { RecordBatch } from '../../model/batch.ts';
import { InvariantError } from '../../model/invariant.ts';
import type { LogKind, LogRecord, SchemaRecord } from '../../model/record.ts';
import { Committer } from './committer.ts';
import { ownDirectory, placesIn } from './data-directory.ts';
import { ENTRY_BYTES_MAX, GROUP_BYTES_MAX } from './entry.ts';
import type { LogFiles, LogLock } from './files.ts';
import { scanLog } from './log-scan.ts';
import { Patience, type Sleep, sleepOnClock } from './patience.ts';
import { within } from './ranges.ts';
import { realFiles } from './real-files.ts';
import { recordBytes } from './record-codec.ts';
import { recover } from './recovery.ts';
import { Segments } from './segments.ts';
import type { Appended, LogState, Range, ShardLog } from './shard-log.ts';
import { SideLogs } from './side-logs.ts';
import { damaged, starting } from './start-error.ts';

/** Default size of a segment. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;
const GIB = 1024 ** 3;

/** How a file log is opened. */
export interface FileLogOptions {
  /** The data directory. */
  readonly directory: string;
  readonly shards: number;
  /** Told sentences for humans: a torn tail was cut, the log has grown large. */
  readonly warn: (sentence: string) => void;
  readonly segmentBytes?: number;
  readonly files?: LogFiles;
  readonly sleep?: Sleep;
  /** The log is called large once per so many bytes. */
  readonly warnBytes?: number;
}

type Settings = Required<FileLogOptions>;

const settingsOf = (options: FileLogOptions): Settings => ({
  segmentBytes: SEGMENT_BYTES,
  files: realFiles,
  sleep: sleepOnClock,
  warnBytes: GIB,
  ...options,
});

/**
 * The embedded log: all shards of all three logs in one sequence of records in one directory, one
 * durable write per group. See `record-codec.ts` for the bytes, `committer.ts` for the
 * way to the disk, `tail.ts` for what a crash leaves.
 * Guarantee: what an append resolved for is found again after a crash of the process or the machine
 * (`dur` 1); a full disk delays and loses nothing; a failed write ends the log (`failed`), and the
 * process has to end.
 */
export class FileLog implements ShardLog {
  readonly kind = 'file';
  readonly dur = 1;
  /** A failed write is never retried but for want of room: what the disk has is unknown. */
  readonly isRecoverable = false;
  readonly shards: number;
  /** Which log this is, whatever its directory is called. Shape: 32 hex digits. */
  readonly logId: string;
  readonly #settings: Settings;
  readonly #lock: LogLock;
  readonly #segments: Segments;
  readonly #sides: SideLogs;
  readonly #patience: Patience;
  readonly #committer: Committer;
  #warnedBytes = 0;
  #closing: Promise<void> | null = null;

  /** Use `openFileLog`. */
  constructor(settings: Settings, parts: OpenParts) {
    this.shards = settings.shards;
    this.logId = parts.logId;
    this.#settings = settings;
    this.#lock = parts.lock;
    this.#segments = parts.segments;
    this.#sides = parts.sides;
    this.#patience = parts.patience;
    this.#committer = new Committer({
      ...parts,
      counters: { ...parts.end, offset: 0, shards: settings.shards },
      groupBytesMax: Math.min(GROUP_BYTES_MAX, settings.segmentBytes),
      onDurable: () => this.#watchSize(),
    });
    this.#watchSize();
  }

  get state(): LogState {
    return this.#committer.state;
  }

  get onState(): ((state: LogState) => void) | null {
    return this.#committer.onState;
  }

  set onState(listener: ((state: LogState) => void) | null) {
    this.#committer.onState = listener;
  }

  isBusy(): boolean {
    return this.#committer.isBusy();
  }

  get onReady(): (() => void) | null {
    return this.#committer.onReady;
  }

  set onReady(listener: (() => void) | null) {
    this.#committer.onReady = listener;
  }

  readSchemas(onSchema: (schema: SchemaRecord) => void): Promise<void> {
    return this.#sides.readSchemas(onSchema);
  }

  async read(onRecord: (record: LogRecord) => void, ranges?: readonly Range[]): Promise<void> {
    const { files, directory } = this.#settings;
    const { sequence: end } = this.#committer;
    const firsts = [...this.#segments.firsts];
    const place = placesIn(directory).log;
    const reached = await scanLog(
      { files, directory: place, firsts, end },
      within(onRecord, ranges),
    );
    if ((reached?.sequence ?? 0) === end) return;
    const path = this.#segments.path;
    throw damaged({ path, position: reached?.position ?? 0 }, 'the record is not whole any more');
  }

  append(batch: RecordBatch, onPart?: (offsets: Float64Array) => void): Promise<Appended> {
    const fault = this.#closing === null ? faultOf(batch, this.#settings) : 'the log is closed';
    if (fault !== null) return Promise.reject(new InvariantError(fault));
    return this.#committer.append(batch, onPart);
  }

  /** Nothing is under way anywhere else. */
  renew(): void {
    return;
  }

  nextOffset(log: LogKind, shard: number): number {
    return this.#committer.offsets[log * this.shards + shard] as number;
  }

  /** Lets appends finish; those that wait for room on the disk are rejected instead. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      this.#patience.stop();
      await this.#committer.drained();
      await this.#segments.close();
      await this.#sides.close();
    } finally {
      this.#lock.release();
    }
  }

  #watchSize(): void {
    const { warn, warnBytes, directory } = this.#settings;
    const passed = Math.floor(this.#segments.usedBytes / warnBytes) * warnBytes;
    if (passed <= this.#warnedBytes) return;
    this.#warnedBytes = passed;
    const size = (this.#segments.usedBytes / GIB).toFixed(1);
    warn(
      `the log in ${directory} has grown to ${size} GiB, and nothing is removed from it yet: ` +
        'move the directory away while the gateway is stopped if the disk gets full',
    );
  }
}

/**
 * Locks the data directory, sets it up if it is new, checks and repairs what is there, and goes on.
 * Rejects: `StartError` (69 locked; 78 unusable, of another version or shard count, damaged).
 */
export async function openFileLog(options: FileLogOptions): Promise<FileLog> {
  const settings = settingsOf(options);
  const { files, directory, shards } = settings;
  const { meta, lock } = await ownDirectory(files, directory, shards);
  try {
    const parts = await starting(`cannot read the log in ${directory}`, () => openParts(settings));
    return new FileLog(settings, { ...parts, logId: meta.logId, lock });
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface OpenParts extends Parts {
  readonly logId: string;
  readonly lock: LogLock;
}

interface Parts {
  readonly segments: Segments;
  readonly sides: SideLogs;
  readonly patience: Patience;
  readonly end: { readonly sequence: number; readonly offsets: Float64Array };
}

async function openParts(settings: Settings): Promise<Parts> {
  const { files, directory, segmentBytes } = settings;
  const patience = new Patience(settings.sleep);
  const sides = await SideLogs.open({ ...settings, patience });
  try {
    const log = placesIn(directory).log;
    const found = await recover({ ...settings, directory: log });
    const options = { files, directory: log, segmentBytes, patience };
    const segments = new Segments(options, found.firsts, found.usedBytes);
    if (found.segment === null) segments.prepareSpare();
    else await segments.resume(found.segment);
    return { segments, sides, patience, end: found };
  } catch (error) {
    await sides.close();
    throw error;
  }
}

/** Why a batch cannot be appended at all, or null: our own bug, found before it reaches the disk. */
function faultOf(batch: RecordBatch, settings: Settings): string | null {
  const bytesMax = Math.min(ENTRY_BYTES_MAX, settings.segmentBytes);
  for (let row = 0; row < batch.rows; row += 1) {
    if ((batch.shard[row] as number) >= settings.shards) return 'a row of an unknown shard';
    if (recordBytes(batch, row) > bytesMax) return 'a row beyond the largest record';
  }
  for (const { shard, bytes } of batch.deadLetters) {
    if (shard >= settings.shards) return 'a dead letter of an unknown shard';
    if (bytes.length > ENTRY_BYTES_MAX / 2) return 'a dead letter beyond the largest one';
  }
  for (const { bytes, hash } of batch.schemas) {
    if (hash.length !== 16) return 'a schema hash that is not 16 bytes long';
    if (bytes.length > ENTRY_BYTES_MAX / 2) return 'a schema beyond the largest one';
  }
  return null;
}
