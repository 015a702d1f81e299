import type { Dice } from '../../sim/random.ts';

/** Changes that know nothing of the format. */

const NOTABLE = [
  0x00, 0x01, 0x17, 0x18, 0x1b, 0x3b, 0x40, 0x60, 0x7f, 0x80, 0x9f, 0xa0, 0xf6, 0xff,
];
const RUN_BYTES_MAX = 9;

export function mutateBytes(dice: Dice, bytes: Uint8Array): Uint8Array {
  const at = dice.below(bytes.length + 1);
  const run = 1 + dice.below(RUN_BYTES_MAX);
  switch (dice.below(6)) {
    case 0:
      return withByte(bytes, at, ((bytes[at] ?? 0) ^ (1 << dice.below(8))) & 0xff);
    case 1:
      return withByte(bytes, at, dice.chance(0.5) ? dice.pick(NOTABLE) : dice.below(256));
    case 2:
      return bytes.slice(0, at);
    case 3:
      return join(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + run)));
    case 4:
      return join(bytes.subarray(0, at), bytes.subarray(at, at + run), bytes.subarray(at));
    default:
      return join(bytes.subarray(0, at), random(dice, run), bytes.subarray(at));
  }
}

function withByte(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const changed = bytes.slice();
  if (at < changed.length) changed[at] = byte;
  return changed;
}

const random = (dice: Dice, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => dice.below(256));

/** One after the other; `concat` of test/support is for a few bytes. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
