import type { KeptRecord } from './kept-log.ts';

/** The header `tg` of a record, read from App. D alone. */
export interface Header {
  readonly version: number;
  readonly kind: number;
  readonly flags: number;
  readonly lane: number;
  readonly own: string;
  /** Units: µs. */
  readonly recv: number;
  readonly gen: number;
  readonly ep: number;
  readonly n: number;
  readonly lost: number;
  /** Units: µs. */
  readonly clockOffset: number;
  readonly hashes: readonly string[];
}

/** Kinds of records. */
export const FRAME = 0;
export const FENCE = 1;
export const MARK = 2;
export const STUB = 3;
const FIXED_BYTES = 20;
const HASH_BYTES = 16;

/** Reads a header; throws if bytes are left or missing. */
export function headerOf({ tg }: Pick<KeptRecord, 'tg'>): Header {
  const view = new DataView(tg.buffer, tg.byteOffset, tg.byteLength);
  const [version, kind, flags, lane] = tg as unknown as readonly [number, number, number, number];
  const own = Buffer.from(tg.subarray(4, 12)).toString('hex');
  const recv = Number(view.getBigInt64(12, true));
  let at = FIXED_BYTES;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const [gen, ep, n, lost] = [varint(), varint(), varint(), varint()].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const zigzag = varint();
  const clockOffset = Number(zigzag & 1n ? -(zigzag >> 1n) - 1n : zigzag >> 1n);
  const count = view.getUint8(at);
  at += 1;
  const hashes = Array.from({ length: count }, (_, i) =>
    Buffer.from(tg.subarray(at + i * HASH_BYTES, at + (i + 1) * HASH_BYTES)).toString('hex'),
  );
  if (at + count * HASH_BYTES !== tg.length) throw new Error('a header is longer than it says');
  return { version, kind, flags, lane, own, recv, gen, ep, n, lost, clockOffset, hashes };
}

/** The headers of a device's frames and stubs, oldest first. */
export const headersOf = (records: readonly KeptRecord[]): Header[] => records.map(headerOf);

/** The *uncertain* mark. */
export const isUncertain = ({ flags }: Header): boolean => (flags & 1) === 1;
