import type { Dice } from '../../sim/random.ts';
import { join } from './mutate-bytes.ts';

/** Several byte strings as one input. Shape: u16 length, bytes; a last one that is cut counts. */

const LENGTH_BYTES = 2;

export function toChunks(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at + LENGTH_BYTES <= bytes.length; ) {
    const length = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    chunks.push(bytes.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
    at += LENGTH_BYTES + length;
  }
  return chunks;
}

export const fromChunks = (chunks: readonly Uint8Array[]): Uint8Array =>
  join(...chunks.flatMap((chunk) => [Uint8Array.of(chunk.length >>> 8, chunk.length), chunk]));

/** Changes one chunk, or their number and order. */
export function mutateChunks(
  dice: Dice,
  bytes: Uint8Array,
  donor: Uint8Array,
  change: (chunk: Uint8Array) => Uint8Array,
): Uint8Array {
  const chunks = toChunks(bytes);
  const at = dice.below(chunks.length);
  const other = dice.below(chunks.length);
  const lent = toChunks(donor);
  const kind = dice.below(8);
  if (kind === 0) chunks.splice(at, 1);
  else if (kind === 1 && chunks.length > 0) chunks.splice(other, 0, chunks[at] as Uint8Array);
  else if (kind === 2 && lent.length > 0) chunks.splice(at, 0, dice.pick(lent));
  else if (kind === 3 && chunks.length > 0) {
    [chunks[at], chunks[other]] = [chunks[other] as Uint8Array, chunks[at] as Uint8Array];
  } else if (chunks.length > 0) chunks[at] = change(chunks[at] as Uint8Array);
  return fromChunks(chunks);
}
