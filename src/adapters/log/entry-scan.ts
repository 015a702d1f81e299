import {
  ENTRY_BYTES_MAX,
  ENTRY_HEAD_BYTES,
  entryBytes,
  isSealed,
  sequenceOf,
  viewOf,
} from './entry.ts';
import type { LogFile } from './files.ts';

const CHUNK_BYTES = 1024 * 1024;
/** A reader that follows the tail asks for little, until it finds that there is much. */
const FIRST_CHUNK_BYTES = 16 * 1024;

/**
 * Walks over the entries of a file in large reads. `next` is synchronous, so that a reader pays for
 * a promise per chunk and not per entry:
 * ```
 * do { while (scan.next()) use(scan); } while (await scan.fill());
 * ```
 * It stops at the first place that holds no whole entry with the expected sequence number: the end
 * of what was written, or damage. Which of them it is, the caller has to find out (`judgeTail`).
 * Bounds: one buffer of 1.5 MiB, whatever the file's size.
 */
export class EntryScan {
  /** The bytes that hold the entry of the last `next`; replaced by nothing, overwritten by `fill`. */
  readonly bytes = new Uint8Array(CHUNK_BYTES + ENTRY_BYTES_MAX);
  readonly view = viewOf(this.bytes);
  /** The entry of the last `next` is `bytes[at … end)`. */
  at = 0;
  end = 0;
  /** Where in the file that entry begins. */
  start = 0;
  /** Where in the file the next entry begins. */
  position: number;
  /** Sequence number that the next entry must have. */
  sequence: number;
  readonly #file: LogFile;
  #filled = 0;
  #chunk = FIRST_CHUNK_BYTES;
  #isStuck = false;

  constructor(file: LogFile, sequence: number, position = 0) {
    this.#file = file;
    this.sequence = sequence;
    this.position = position;
  }

  /** Goes to the next entry if the bytes read so far hold all of it. */
  next(): boolean {
    const at = this.end;
    const left = this.#filled - at;
    if (left < ENTRY_HEAD_BYTES) return false;
    const bytes = entryBytes(this.view, at);
    if (bytes > left) return false;
    this.#isStuck = bytes === 0 || !this.#isNext(at, at + bytes);
    if (this.#isStuck) return false;
    this.at = at;
    this.end = at + bytes;
    this.start = this.position;
    this.position += bytes;
    this.sequence += 1;
    return true;
  }

  /** Reads on. False at the end of the file, and at a place that more bytes cannot make whole. */
  async fill(): Promise<boolean> {
    if (this.#isStuck) return false;
    this.bytes.copyWithin(0, this.end, this.#filled);
    this.#filled -= this.end;
    this.at = 0;
    this.end = 0;
    const until = Math.min(this.#filled + this.#chunk, this.bytes.length);
    const from = this.position + this.#filled;
    const got = await this.#file.read(this.bytes.subarray(this.#filled, until), from);
    this.#filled += got;
    this.#chunk = Math.min(CHUNK_BYTES, this.#chunk * 2);
    return got > 0;
  }

  /** Forgets what was read beyond the last entry, so that it is read again: it may have changed. */
  rewind(): void {
    this.#filled = 0;
    this.at = 0;
    this.end = 0;
    this.#chunk = FIRST_CHUNK_BYTES;
    this.#isStuck = false;
  }

  #isNext(at: number, end: number): boolean {
    return sequenceOf(this.view, at) === this.sequence && isSealed(this.view, at, end);
  }
}
