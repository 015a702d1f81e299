import { crc32 } from 'node:zlib';

/**
 * The framing of every file of the data directory: segments of the log, rejects, schemas.
 *
 * An entry, integers little-endian:
 * ```
 *  0  u32  length: how many bytes follow the first 8
 *  4  u32  crc32 (zlib's, IEEE 802.3) over those `length` bytes
 *  8  u64  sequence: +1 per entry, over all files of one kind
 * 16       body, `length` − 8 bytes
 * ```
 * A length of 0 means that nothing was written here yet: files are filled with zeros in advance.
 */
export const ENTRY_HEAD_BYTES = 16;
/** Where the bytes begin that the length counts and the checksum covers. */
export const ENTRY_COVERED_AT = 8;
/**
 * Largest entry. An aggregates record (256 KiB of value) fits. A damaged length beyond it is known
 * as such, instead of being waited for or allocated.
 */
export const ENTRY_BYTES_MAX = 512 * 1024;
/**
 * Most bytes that are written under one sync. It bounds what a crash can tear, and with it how far
 * behind a damaged place the leftovers of a torn append may lie.
 */
export const GROUP_BYTES_MAX = 4 * 1024 * 1024;
/** The unit that a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;

/** An entry in memory: `bytes[at … end)`. */
export interface EntryBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly at: number;
  readonly end: number;
}

const TWO_32 = 2 ** 32;

/** Writes a whole number below 2⁵³ as u64. */
export function putU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}

/** Reads a u64; beyond 2⁵³ the result is only near the number, which no caller takes for valid. */
export function getU64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_32;
}

/** A view of all of an array's bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Closes the entry `bytes[at … end)` whose body is in place: sequence, length and checksum. */
export function sealEntry(view: DataView, at: number, end: number, sequence: number): void {
  putU64(view, at + ENTRY_COVERED_AT, sequence);
  view.setUint32(at, end - at - ENTRY_COVERED_AT, true);
  view.setUint32(at + 4, checksum(view, at, end), true);
}

/** How many bytes the entry at `at` takes according to its length; 0 if that cannot be a length. */
export function entryBytes(view: DataView, at: number): number {
  const bytes = view.getUint32(at, true) + ENTRY_COVERED_AT;
  return bytes < ENTRY_HEAD_BYTES || bytes > ENTRY_BYTES_MAX ? 0 : bytes;
}

/** Whether the checksum of the entry `[at … end)`, all of it in `view`, holds. */
export function isSealed(view: DataView, at: number, end: number): boolean {
  return view.getUint32(at + 4, true) === checksum(view, at, end);
}

/** The sequence number of the entry at `at`. */
export function sequenceOf(view: DataView, at: number): number {
  return getU64(view, at + ENTRY_COVERED_AT);
}

function checksum(view: DataView, at: number, end: number): number {
  const covered = at + ENTRY_COVERED_AT;
  return crc32(new Uint8Array(view.buffer, view.byteOffset + covered, end - covered));
}
