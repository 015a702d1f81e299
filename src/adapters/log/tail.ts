import {
  ENTRY_BYTES_MAX,
  ENTRY_HEAD_BYTES,
  entryBytes,
  GROUP_BYTES_MAX,
  isSealed,
  SECTOR_BYTES,
  sequenceOf,
  viewOf,
} from './entry.ts';
import { type LogFile, readFully, writeFully } from './files.ts';

const WINDOW_BYTES = 1024 * 1024;
/** A power of two of whole sectors: stretches of zeros are skipped by this much at once. */
const SKIP_BYTES = 4096;
/** The length that begins an entry may itself begin with so many zero bytes. */
const LENGTH_ZEROS_MAX = 2;
const ZEROS = new Uint8Array(SKIP_BYTES);
/** No group holds more entries, so no leftover of one is further ahead in sequence. */
const ENTRIES_AHEAD_MAX = GROUP_BYTES_MAX / ENTRY_HEAD_BYTES;

/** What lies behind the last entry that a scan accepted. */
export type Tail =
  /** Zeros or nothing: the ordinary end. */
  | { readonly kind: 'clean' }
  /** What a crash left of an append that never finished; `end` is behind its last byte. */
  | { readonly kind: 'torn'; readonly end: number; readonly entries: number }
  /** Whole entries follow that no torn append explains: `at` is the first of them. */
  | { readonly kind: 'damaged'; readonly at: number };

/** Where a scan stopped. */
export interface Stop {
  readonly position: number;
  /** Sequence number expected there. */
  readonly sequence: number;
}

/**
 * Tells a torn append from damage to what was acknowledged.
 *
 * An append writes one group at a time, at most `GROUP_BYTES_MAX` bytes, into space that holds
 * zeros, and the next group only after the sync of this one. At a crash each sector of the unsynced
 * group is either written or still what it was. So whole entries may follow a torn place, but only
 * within one group, and every hole between them contains a sector that was never written: zeros up
 * to its end. Anything else that is whole and comes later proves that the place was synced once,
 * acknowledged, and damaged afterwards.
 */
export async function judgeTail(file: LogFile, stop: Stop): Promise<Tail> {
  const search = new TailSearch(stop);
  const bytes = new Uint8Array(WINDOW_BYTES + ENTRY_BYTES_MAX);
  for (let from = stop.position; ; from = search.position) {
    const got = await readFully(file, bytes, from);
    const isLast = got < bytes.length;
    const found = search.pass(bytes.subarray(0, got), isLast ? got : WINDOW_BYTES);
    if (found !== null) return found;
    if (isLast) return search.verdict();
  }
}

/** Looks for whole entries byte by byte, and for sectors that were never written. */
class TailSearch {
  /** Where the next window has to begin. */
  position: number;
  readonly #stop: Stop;
  /** Where the present hole begins. */
  #hole: number;
  /** Everything from here to `position` is zeros. */
  #zerosFrom: number;
  #holeHasSector = false;
  /** Of the last whole entry, or of the one that should stand where the scan stopped. */
  #sequence: number;
  #entries = 0;

  constructor(stop: Stop) {
    this.#stop = stop;
    this.#sequence = stop.sequence;
    this.position = stop.position;
    this.#hole = stop.position;
    this.#zerosFrom = stop.position;
  }

  /** Searches `window`, which begins at `position`; entries must begin before `limit` in it. */
  pass(window: Uint8Array, limit: number): Tail | null {
    const view = viewOf(window);
    const base = this.position;
    let at = 0;
    while (at < limit) {
      const bytes = this.#wholeAt(view, at);
      if (bytes > 0) {
        const start = base + at;
        if (!this.#isLeftover(start, bytes, sequenceOf(view, at)))
          return { kind: 'damaged', at: start };
        at += bytes;
      } else {
        at += this.#pass(window, at, base);
      }
    }
    this.position = base + at;
    return null;
  }

  verdict(): Tail {
    if (this.#zerosFrom === this.#stop.position) return { kind: 'clean' };
    return { kind: 'torn', end: this.#zerosFrom, entries: this.#entries };
  }

  /** Passes what is no entry: a byte, or a stretch of zeros at once. Returns how much. */
  #pass(window: Uint8Array, at: number, base: number): number {
    const next = at + SKIP_BYTES;
    const mayBeZeros = (base + at) % SKIP_BYTES === 0 && next <= window.length;
    if (mayBeZeros && Buffer.compare(window.subarray(at, next), ZEROS) === 0) {
      this.#holeHasSector = true;
      return SKIP_BYTES - LENGTH_ZEROS_MAX;
    }
    this.#passByte(window[at] as number, base + at);
    return 1;
  }

  #passByte(byte: number, position: number): void {
    if (byte !== 0) this.#zerosFrom = position + 1;
    const end = position + 1;
    if (end % SECTOR_BYTES !== 0) return;
    const written = Math.max(end - SECTOR_BYTES, this.#hole);
    if (this.#zerosFrom <= written) this.#holeHasSector = true;
  }

  #wholeAt(view: DataView, at: number): number {
    if (at + ENTRY_HEAD_BYTES > view.byteLength) return 0;
    const bytes = entryBytes(view, at);
    if (bytes === 0 || at + bytes > view.byteLength) return 0;
    const ahead = sequenceOf(view, at) - this.#stop.sequence;
    if (ahead < 0 || ahead > ENTRIES_AHEAD_MAX) return 0;
    return isSealed(view, at, at + bytes) ? bytes : 0;
  }

  /** Whether a whole entry in the tail can be a leftover of the torn group; notes it if so. */
  #isLeftover(start: number, bytes: number, sequence: number): boolean {
    const end = start + bytes;
    const isOfTheGroup = end - this.#stop.position <= GROUP_BYTES_MAX;
    const isNeighbour = start === this.#hole && sequence === this.#sequence + 1;
    const isBehindHole = this.#holeHasSector && sequence > this.#sequence;
    if (!isOfTheGroup || !(isNeighbour || isBehindHole)) return false;
    this.#entries += 1;
    this.#sequence = sequence;
    this.#hole = end;
    this.#zerosFrom = end;
    this.#holeHasSector = false;
    return true;
  }
}

/** Overwrites `[from … to)` with zeros, so that no later scan takes a leftover for a record. */
export async function writeZeros(file: LogFile, from: number, to: number): Promise<void> {
  const zeros = new Uint8Array(Math.min(WINDOW_BYTES, to - from));
  for (let at = from; at < to; at += zeros.length) {
    await writeFully(file, zeros.subarray(0, Math.min(zeros.length, to - at)), at);
  }
}

/**
 * Writes the last group before `end` once more, over itself, and syncs it. After a failed fdatasync
 * the system keeps pages as clean that never reached the disk, and a new process reads them as if
 * they had; after a kill -9 they may still wait. Only what was written *and* synced by this process
 * may count as durable.
 */
export async function hardenTail(file: LogFile, end: number): Promise<void> {
  const from = Math.max(0, end - GROUP_BYTES_MAX);
  const bytes = new Uint8Array(end - from);
  const got = await readFully(file, bytes, from);
  await writeFully(file, bytes.subarray(0, got), from);
  await file.datasync();
}
