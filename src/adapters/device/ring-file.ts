import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { DeviceEffect } from '../../client/device-io.ts';
import type { RingImage } from '../../client/ring-image.ts';
import { opsOf, opsOfImage, type RingOp } from '../../client/ring-op.ts';
import { RingReplay } from '../../client/ring-replay.ts';
import type { Codec } from '../../model/machine.ts';
import { lockFile } from '../log/directory-lock.ts';
import type { LogLock } from '../log/files.ts';
import { bootMark, isSameBoot } from './boot-mark.ts';
import { decodeOps, encodeOps } from './ring-codec.ts';
import type { RingStore, StoredRing } from './ring-store.ts';

export type { RingStore } from './ring-store.ts';

/** How a ring is kept on disk. */
export interface RingFileOptions {
  /** Holds over a loss of power too: each step is synced before anything of it is sent. */
  readonly syncs?: boolean | undefined;
  /** How frames are encoded, as in `connectDevice`. Absent: `cbor`. */
  readonly codec?: Codec | undefined;
}

/** The head of the file. Shape: a line of JSON, filled with spaces. Units: bytes. */
const HEAD_BYTES = 256;
const FORMAT = 'tidegate ring 1';
/** Where the head says whether the entries are the whole truth: overwritten in place. */
const STATE_AT = FORMAT.length + 1;
/** The file is written anew when it is this much longer than what it holds. */
const GROWTH = 4;
/** Shorter files are left alone. Units: bytes. */
const COMPACT_FROM_BYTES = 1024 * 1024;
/** A disk that refused is tried again after this. Units: ms. */
const RETRY_MS = 5000;

/**
 * Opens the file in which a device keeps its ring, or makes it. The device goes on in the same epoch
 * with the same frames under the same numbers, also after kill -9; after a loss of power, unless
 * `syncs`, in a new epoch with the frames that are there.
 *
 * Shape: a head, then entries as `ring-codec.ts` has them; a torn end is cut off.
 * Throws: another process has it open; it is no ring file; the disk refuses.
 */
export function openRingFile(path: string, options: RingFileOptions = {}): RingStore {
  checkPlace(path);
  const lock = lockFile(`${path}.lock`);
  if (!lock) throw new Error(`${path} is in use by another process`);
  try {
    return new RingFile(path, options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Says what is wrong with the path in words: SQLite and the system name other things. */
function checkPlace(path: string): void {
  if (statOf(path)?.isDirectory()) {
    throw new Error(`${path} is a directory: the ring needs the name of a file, as ${path}/ring`);
  }
  const directory = dirname(path);
  const place = statOf(directory);
  if (!place) throw new Error(`no ring at ${path}: there is no directory ${directory}`);
  if (!place.isDirectory()) throw new Error(`no ring at ${path}: ${directory} is no directory`);
}

/** Undefined where there is nothing. */
const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });

class RingFile implements RingStore {
  readonly restored: RingImage | null;
  readonly #path: string;
  readonly #syncs: boolean;
  readonly #codec: Codec;
  readonly #lock: LogLock;
  readonly #knownSets = new Set<number>();
  /** The path of the device whose readings these are; null: not known yet. */
  #device: string | null = null;
  #file: number;
  #bytes = 0;
  /** What keeps the ring from being stored, and when to try again. */
  #error: string | null = null;
  #retryAtMs = 0;
  #isClosed = false;

  constructor(path: string, { syncs = false, codec = 'cbor' }: RingFileOptions, lock: LogLock) {
    this.#path = path;
    this.#syncs = syncs;
    this.#codec = codec;
    this.#lock = lock;
    const stored = storedIn(path, codec);
    this.restored = stored?.image ?? null;
    this.#device = stored?.device ?? null;
    this.#file = this.#written(this.restored ?? { epoch: null, codec, sets: [], lanes: [] });
  }

  claim(device: string): string | null {
    if (this.#device === device || this.#isClosed) return null;
    if (this.#device !== null) {
      return `the ring in ${this.#path} is that of ${this.#device}, not of ${device}: each device needs a file of its own`;
    }
    this.#device = device;
    if (this.#error !== null) return null;
    try {
      // In place, as long as before: the entries behind it stay.
      const head = headOf({ codec: this.#codec, syncs: this.#syncs, device });
      writeSync(this.#file, head, 0, HEAD_BYTES, 0);
      if (this.#syncs) fdatasyncSync(this.#file);
    } catch (error) {
      this.#fail(error);
    }
    return null;
  }

  note(effects: readonly DeviceEffect[], ring: StoredRing): string | null {
    if (this.#isClosed) return this.#error;
    if (this.#error !== null) return this.#tryAgain(ring);
    const ops = opsOf(effects);
    if (ops.length === 0) return null;
    try {
      this.#append([...this.#newSets(ops, ring), ...ops]);
      const isGrown = this.#bytes > COMPACT_FROM_BYTES && this.#bytes > GROWTH * ring.ring.bytes;
      if (isGrown) this.#renew(ring);
    } catch (error) {
      this.#fail(error);
    }
    return this.#error;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#file);
    this.#lock.release();
  }

  #append(ops: readonly RingOp[]): void {
    this.#bytes += writeAll(this.#file, encodeOps(ops));
    if (this.#syncs) fdatasyncSync(this.#file);
  }

  /** Definitions stand before the first frame that uses them. */
  #newSets(ops: readonly RingOp[], ring: StoredRing): readonly RingOp[] {
    const used = ops.flatMap((op) => (op.op === 'frame' ? op.frame.sets : []));
    const unknown = [...new Set(used)].filter((s) => !this.#knownSets.has(s));
    return unknown.flatMap((s): RingOp[] => {
      const set = ring.setOf(s);
      this.#knownSets.add(s);
      return set ? [{ op: 'set', set }] : [];
    });
  }

  /** Readings go on in memory; what the file says is not the whole truth any more. */
  #fail(error: unknown): void {
    this.#error = `the ring cannot be kept in ${this.#path}: ${sentenceOf(error)}`;
    this.#retryAtMs = performance.now() + RETRY_MS;
    try {
      // In place, where a full disk has room.
      writeSync(this.#file, 'stale', STATE_AT);
    } catch {
      // The disk takes nothing at all: with an empty file there is at least nothing wrong in it.
      truncate(this.#file);
    }
  }

  #tryAgain(ring: StoredRing): string | null {
    if (performance.now() < this.#retryAtMs) return this.#error;
    this.#retryAtMs = performance.now() + RETRY_MS;
    try {
      this.#renew(ring);
      this.#error = null;
    } catch (error) {
      this.#error = `the ring cannot be kept in ${this.#path}: ${sentenceOf(error)}`;
    }
    return this.#error;
  }

  #renew({ image }: StoredRing): void {
    const before = this.#file;
    this.#file = this.#written(image);
    closeSync(before);
  }

  /** Writes the file anew beside the old one, and puts it in its place when it is whole. */
  #written(image: RingImage): number {
    const fresh = `${this.#path}.new`;
    const file = openSync(fresh, 'w');
    try {
      const { codec } = image;
      const head = headOf({ codec, syncs: this.#syncs, device: this.#device });
      const bytes = writeAll(file, Buffer.concat([head, encodeOps(opsOfImage(image))]));
      fdatasyncSync(file);
      renameSync(fresh, this.#path);
      this.#bytes = bytes;
    } catch (error) {
      closeSync(file);
      throw error;
    }
    this.#knownSets.clear();
    for (const { s } of image.sets) this.#knownSets.add(s);
    return file;
  }
}

interface Head {
  readonly codec: Codec;
  readonly syncs: boolean;
  readonly boot: string;
  /** Absent in files of earlier versions; null: not known yet. */
  readonly device?: string | null;
}

/** A path takes at most 128 bytes, so that it fits. */
function headOf(parts: Omit<Head, 'boot'>): Buffer {
  const head: Head = { ...parts, boot: bootMark() };
  return Buffer.from(`${FORMAT} whole ${JSON.stringify(head)}`.padEnd(HEAD_BYTES - 1) + '\n');
}

/** What the file holds; null if there is none, or it holds nothing. */
function storedIn(
  path: string,
  codec: Codec,
): { readonly image: RingImage; readonly device: string | null } | null {
  const file = read(path);
  if (file === null || file.length === 0) return null;
  const text = file.toString('utf8', 0, HEAD_BYTES);
  if (!text.startsWith(`${FORMAT} `)) throw new Error(`${path} is no ring file of this version`);
  const head = JSON.parse(text.slice(STATE_AT + 'whole '.length)) as Head;
  if (head.codec !== codec) throw new Error(`${path} was written with the codec ${head.codec}`);
  const replay = new RingReplay();
  for (const op of decodeOps(file, HEAD_BYTES).ops) replay.apply(op);
  const isWhole = text.startsWith('whole', STATE_AT);
  if (!isWhole || (!head.syncs && !isSameBoot(head.boot, bootMark()))) replay.forgetEpoch();
  return { image: replay.image(codec), device: head.device ?? null };
}

function read(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function truncate(file: number): void {
  try {
    ftruncateSync(file, 0);
  } catch {
    // Nothing is left to try; the error that led here is told already.
  }
}

function writeAll(file: number, bytes: Buffer): number {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(writeSync(file, rest));
  return bytes.length;
}

const sentenceOf = (error: unknown): string => {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' ? 'the disk is full' : String((error as Error).message ?? error);
};
