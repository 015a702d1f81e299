import { RECORD, type RecordKind } from '../model/record.ts';

/** What the packed header of a record says. Mutable: reading fills one that is used again. */
export interface RecordHeader {
  kind: RecordKind;
  uncertain: boolean;
  /** The lane was at QoS 0: what is missing behind this record is not lost. [R6.2-8] */
  isQosZero: boolean;
  lane: number;
  /** Shape: 8 bytes, random per ownership. */
  own: Uint8Array;
  /** Receive time. Units: µs. */
  recv: number;
  gen: number;
  /** 0 in a fence or mark, and so is `n`. */
  epoch: number;
  n: number;
  lost: number;
  /** Server clock − device clock, 0 for unknown. Units: µs. */
  clockOffset: number;
  /** Shape: 16 bytes per distinct set, in order of first appearance. */
  hashes: Uint8Array;
}

const VERSION = 1;
const UNCERTAIN = 1;
const QOS_ZERO = 2;
const OWN_BYTES = 8;
const FIXED_BYTES = 20;
const VARINT_BYTES_MAX = 8;
const HASH_BYTES = 16;
const HASHES_MAX = 64;
const LANE_MAX = 3;

/** Longest header: five varints of at most 2^53, and 64 hashes. Units: bytes. */
export const HEADER_BYTES_MAX = FIXED_BYTES + 5 * VARINT_BYTES_MAX + 1 + HASHES_MAX * HASH_BYTES;

/** A header to fill. */
export const emptyHeader = (): RecordHeader => ({
  kind: RECORD.frame,
  uncertain: false,
  isQosZero: false,
  lane: 0,
  own: new Uint8Array(OWN_BYTES),
  recv: 0,
  gen: 0,
  epoch: 0,
  n: 0,
  lost: 0,
  clockOffset: 0,
  hashes: new Uint8Array(0),
});

/**
 * Writes the header `tg` at `at`, where `HEADER_BYTES_MAX` bytes must be free. Returns its end.
 * Source: PROTOCOL App. D.
 */
export function writeHeader(out: Uint8Array, at: number, header: RecordHeader): number {
  out[at] = VERSION;
  out[at + 1] = header.kind;
  out[at + 2] = (header.uncertain ? UNCERTAIN : 0) | (header.isQosZero ? QOS_ZERO : 0);
  out[at + 3] = header.lane;
  out.set(header.own, at + 4);
  writeInt64(out, at + 12, header.recv);
  let end = writeVarint(out, at + FIXED_BYTES, header.gen);
  end = writeVarint(out, end, header.epoch);
  end = writeVarint(out, end, header.n);
  end = writeVarint(out, end, header.lost);
  end = writeZigzag(out, end, header.clockOffset);
  out[end] = header.hashes.length / HASH_BYTES;
  out.set(header.hashes, end + 1);
  return end + 1 + header.hashes.length;
}

/**
 * Reads a header. `own` and `hashes` are filled in place: copy what outlives the next call.
 * Rejects: false for an unknown version, kind or lane, and for a header that is cut or too long.
 */
export function readHeader(tg: Uint8Array, into: RecordHeader): boolean {
  if (tg.length <= FIXED_BYTES || tg[0] !== VERSION) return false;
  const kind = tg[1] as number;
  const lane = tg[3] as number;
  if (kind > RECORD.stub || lane > LANE_MAX) return false;
  into.kind = kind as RecordKind;
  into.uncertain = ((tg[2] as number) & UNCERTAIN) !== 0;
  into.isQosZero = ((tg[2] as number) & QOS_ZERO) !== 0;
  into.lane = lane;
  for (let i = 0; i < OWN_BYTES; i += 1) into.own[i] = tg[4 + i] as number;
  into.recv = readInt64(tg, 12);
  next = FIXED_BYTES;
  into.gen = readVarint(tg);
  into.epoch = readVarint(tg);
  into.n = readVarint(tg);
  into.lost = readVarint(tg);
  into.clockOffset = readZigzag(tg);
  return next < tg.length && readHashes(tg, into);
}

/** Reads which frame a header that we wrote at `at` is about, and nothing else. */
export function readFrameName(
  bytes: Uint8Array,
  at: number,
  into: Pick<RecordHeader, 'lane' | 'epoch' | 'n'>,
): void {
  into.lane = bytes[at + 3] as number;
  next = at + FIXED_BYTES;
  readVarint(bytes);
  into.epoch = readVarint(bytes);
  into.n = readVarint(bytes);
}

/** Where the last varint ended; past the end of the header after a malformed one. */
let next = 0;

function readHashes(tg: Uint8Array, into: RecordHeader): boolean {
  const bytes = (tg[next] as number) * HASH_BYTES;
  const from = next + 1;
  if (from + bytes !== tg.length) return false;
  if (into.hashes.length !== bytes) into.hashes = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 1) into.hashes[i] = tg[from + i] as number;
  return true;
}

function writeVarint(out: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  while (rest >= 0x80) {
    out[at] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
    at += 1;
  }
  out[at] = rest;
  return at + 1;
}

/** Value, or 0 with `next` out of reach if it is cut or beyond 2^53−1. */
function readVarint(tg: Uint8Array): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < VARINT_BYTES_MAX && next < tg.length; i += 1) {
    const byte = tg[next] as number;
    next += 1;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : malformed(tg);
    scale *= 0x80;
  }
  return malformed(tg);
}

function malformed(tg: Uint8Array): number {
  next = tg.length + 1;
  return 0;
}

/**
 * Zigzag puts the sign in the lowest bit. That bit and six more go into the first byte by hand:
 * doubling first would pass 2^53. An offset beyond ±(2^53−1) is none that a clock has: it is cut.
 */
function writeZigzag(out: Uint8Array, at: number, value: number): number {
  const cut = Math.min(Math.max(value, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  const magnitude = cut < 0 ? -1 - cut : cut;
  const first = ((magnitude % 0x40) << 1) | (cut < 0 ? 1 : 0);
  const rest = Math.floor(magnitude / 0x40);
  out[at] = rest > 0 ? first | 0x80 : first;
  return rest > 0 ? writeVarint(out, at + 1, rest) : at + 1;
}

function readZigzag(tg: Uint8Array): number {
  if (next >= tg.length) return malformed(tg);
  const first = tg[next] as number;
  next += 1;
  const rest = first >= 0x80 ? readVarint(tg) : 0;
  const magnitude = rest * 0x40 + ((first & 0x7f) >>> 1);
  if (magnitude > Number.MAX_SAFE_INTEGER) return malformed(tg);
  return (first & 1) === 1 ? -1 - magnitude : magnitude;
}

function writeInt64(out: Uint8Array, at: number, value: number): void {
  let high = Math.floor(value / 0x1_0000_0000);
  let low = value - high * 0x1_0000_0000;
  for (let i = 0; i < 4; i += 1) {
    out[at + i] = low & 0xff;
    out[at + 4 + i] = high & 0xff;
    low = Math.floor(low / 0x100);
    high >>= 8;
  }
}

function readInt64(tg: Uint8Array, at: number): number {
  const low = uint32(tg, at);
  const high = uint32(tg, at + 4) | 0;
  return high * 0x1_0000_0000 + low;
}

const uint32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at + 3] as number) * 0x100_0000 +
  (((bytes[at + 2] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at] as number));
