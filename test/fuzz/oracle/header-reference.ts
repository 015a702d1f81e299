import type { RecordHeader } from '../../../src/wire/record-header.ts';

/** The header of PROTOCOL App. D once more, with integers of any size. */

/** What can stand in a header; integers as they are in the bytes. */
export interface HeaderReference extends Omit<RecordHeader, Numbers> {
  readonly numbers: Readonly<Record<Numbers, bigint>>;
}
type Numbers = 'recv' | 'gen' | 'epoch' | 'n' | 'lost' | 'clockOffset';

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Null if it is no header, or has a varint beyond 2^53−1, the sign of a zigzag aside. */
export function headerReference(tg: Uint8Array): HeaderReference | null {
  const [version, kind, flags, lane] = tg;
  if (version !== 1 || kind === undefined || kind > 3 || lane === undefined || lane > 3)
    return null;
  if (flags === undefined || tg.length < 20) return null;
  const view = new DataView(tg.buffer, tg.byteOffset, tg.byteLength);
  const varints = new Varints(tg, 20);
  const [gen, epoch, n, lost] = [varints.next(), varints.next(), varints.next(), varints.next()];
  const zigzag = varints.next();
  const from = varints.at + 1;
  const hashes = tg.slice(from);
  if (!varints.isGood || tg[varints.at] === undefined) return null;
  if (hashes.length !== 16 * (tg[varints.at] as number)) return null;
  const clockOffset = zigzag & 1n ? -(zigzag + 1n) / 2n : zigzag / 2n;
  const numbers = { recv: view.getBigInt64(12, true), gen, epoch, n, lost, clockOffset };
  if ([gen, epoch, n, lost, zigzag >> 1n].some((value) => value > SAFE)) return null;
  return {
    kind: kind as RecordHeader['kind'],
    uncertain: (flags & 1) === 1,
    isQosZero: (flags & 2) === 2,
    lane,
    own: tg.slice(4, 12),
    hashes,
    numbers,
  };
}

/** Unsigned LEB128 of at most 8 bytes each: 2^53−1 takes no more, its zigzag neither. */
class Varints {
  isGood = true;
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  next(): bigint {
    let value = 0n;
    for (let i = 0n; i < 8n; i += 1n) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) break;
      this.at += 1;
      value |= BigInt(byte & 0x7f) << (7n * i);
      if (byte < 0x80) return value;
    }
    this.isGood = false;
    return 0n;
  }
}

/** First number in which they differ; one beyond ±(2^53−1) is not compared. */
export function differsIn(ours: RecordHeader, theirs: HeaderReference): string | null {
  for (const [name, value] of Object.entries(theirs.numbers)) {
    const isSafe = value <= SAFE && value >= -SAFE;
    if (isSafe && BigInt(ours[name as Numbers]) !== value) return name;
  }
  if (ours.kind !== theirs.kind || ours.lane !== theirs.lane) return 'kind or lane';
  if (ours.uncertain !== theirs.uncertain || ours.isQosZero !== theirs.isQosZero) return 'flags';
  if (Buffer.compare(ours.own, theirs.own) !== 0) return 'own';
  return Buffer.compare(ours.hashes, theirs.hashes) === 0 ? null : 'hashes';
}

/** All numbers safe: it can be written again. */
export const isSafeHeader = ({ numbers }: HeaderReference): boolean =>
  Object.values(numbers).every((value) => value <= SAFE && value >= -SAFE);
