import type { ScalarType } from '../../../src/wire/fields.ts';
import type { Dice } from '../../sim/random.ts';
import { WIDTH_OF_TAG } from '../../support/cbor-reference.ts';
import { FLOATS, INTEGERS, TEXTS, TIMES, TYPED_TAGS } from './boundaries.ts';
import * as item from './items.ts';
import type { Node } from './tree.ts';

/** Single values and columns: mostly good ones, often at a limit. */

const WIDTHS = [0, 0, 0, 0, 1, 2, 4, 8] as const;
const WORDS = [
  '',
  'a',
  'temp',
  'acc/x',
  'plant1/hall2',
  'plant1/+/#',
  '#',
  '+',
  'Cel',
  'm/s2',
  'mean',
  'n',
  'p95',
  '.',
  '..',
  'a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p',
  'ä',
  '😀',
  '\ufeffbom',
  '\u0000',
  '!x',
  'x'.repeat(64),
  'x'.repeat(65),
  'x'.repeat(256),
  'x'.repeat(257),
  'é'.repeat(128),
] as const;
const TEXT_CHARS_MAX = 30;
const LONG_TEXT_CHARS_MAX = 6000;
const UINT_TAGS = [64, 69, 70, 71] as const;
/** Times around those of a device that is alive. Units: µs. */
const NOW_US = 1_761_962_400_000_000;
const SPREAD_US = 60_000_000;

/** Width of a head, mostly the shortest. */
export const width = (dice: Dice): number => dice.pick(WIDTHS);

export function uint(dice: Dice): number {
  if (dice.chance(0.6)) return dice.below(10);
  return dice.chance(0.7) ? dice.pick(INTEGERS) : dice.below(2 ** 53);
}

/** A time or another integer with a sign. */
export function signed(dice: Dice): number {
  if (dice.chance(0.5)) return NOW_US + dice.below(SPREAD_US) - SPREAD_US / 2;
  if (dice.chance(0.5)) return dice.pick(TIMES);
  return dice.chance(0.5) ? uint(dice) : -uint(dice);
}

export function float(dice: Dice): Node {
  if (dice.chance(0.4)) return item.bitsOf(Uint8Array.from(dice.pick(FLOATS)));
  return item.float(dice.between(-1e6, 1e6), dice.chance(0.5) ? 4 : 8);
}

export function text(dice: Dice): Node {
  if (dice.chance(0.85)) return item.text(dice.pick(WORDS), width(dice));
  if (dice.chance(0.3)) {
    const raw = item.byteString(Uint8Array.from(dice.pick(TEXTS)));
    raw.head = Uint8Array.of((raw.head[0] as number) | 0x20);
    return raw;
  }
  const length = dice.below(dice.chance(0.98) ? TEXT_CHARS_MAX : LONG_TEXT_CHARS_MAX);
  return item.text(
    Array.from({ length }, () => String.fromCodePoint(32 + dice.below(0x2000))).join(''),
  );
}

/** A value of a type of App. A. */
export function scalar(dice: Dice, type: ScalarType): Node {
  switch (type) {
    case 'text':
      return text(dice);
    case 'uint':
      return item.int(uint(dice), width(dice));
    case 'num':
      return item.int(Math.max(dice.chance(0.02) ? 0 : 1, uint(dice)), width(dice));
    case 'channel':
      return item.int(dice.chance(0.9) ? 1 + dice.below(4) : uint(dice), width(dice));
    case 'int':
      return item.int(signed(dice), width(dice));
    case 'number':
      return dice.chance(0.5) ? item.int(signed(dice), width(dice)) : float(dice);
  }
}

/** A value that a column may hold. */
export function cell(dice: Dice, isText: boolean): Node {
  if (dice.chance(0.1)) return item.simple(item.NULL);
  if (dice.chance(0.02)) return text(dice);
  if (isText) return text(dice);
  if (dice.chance(0.1)) return item.simple(dice.chance(0.5) ? item.TRUE : item.FALSE);
  return dice.chance(0.5) ? float(dice) : item.int(signed(dice), width(dice));
}

/** A typed array of `count` elements, full of boundaries. */
export function typedArray(dice: Dice, tag: number, count: number): Node {
  const size = WIDTH_OF_TAG[tag] as number;
  const bytes = new Uint8Array(count * size);
  const isWild = dice.chance(0.5);
  for (let i = 0; i < bytes.length; i += 1) {
    // Mostly 0 and ff make signs, limits and NaN; else any bytes.
    bytes[i] = isWild ? dice.below(256) : dice.pick([0, 0, 0, 1, 0x7f, 0x80, 0xff, 0xf0]);
  }
  return item.typed(tag, bytes);
}

/** A column of `rows` rows. */
export function column(dice: Dice, rows: number): Node {
  if (dice.chance(0.45)) return typedArray(dice, dice.pick(TYPED_TAGS), rows);
  const isText = dice.chance(0.25);
  if (dice.chance(0.3)) return cell(dice, isText);
  return item.array(
    Array.from({ length: rows }, () => cell(dice, isText)),
    width(dice),
  );
}

/** `uints` of App. A, `count` of them; `below` bounds most. */
export function uints(dice: Dice, count: number, below: number): Node {
  if (dice.chance(0.4))
    return typedArray(dice, dice.chance(0.9) ? 64 : dice.pick(UINT_TAGS), count);
  const one = (): Node => item.int(dice.chance(0.95) ? dice.below(below) : uint(dice), width(dice));
  return item.array(Array.from({ length: count }, one), width(dice));
}

/** A value so deep, one level in the other: nesting ends at 6. */
export function nested(dice: Dice, levels: number): Node {
  let node = anything(dice, 0);
  for (let left = levels; left > 0; left -= 1) {
    node = dice.chance(0.5) ? item.array([node]) : item.map([[key(dice), node]]);
  }
  return node;
}

/** Anything of the profile, for keys that nobody knows. */
export function anything(dice: Dice, levels: number): Node {
  if (levels === 0 || dice.chance(0.5)) return dice.chance(0.3) ? text(dice) : column(dice, 3);
  const inner = (): Node => anything(dice, levels - 1);
  const count = dice.below(4);
  if (dice.chance(0.5)) return item.array(Array.from({ length: count }, inner), width(dice));
  return item.map(
    Array.from({ length: count }, () => [key(dice), inner()] as const),
    width(dice),
  );
}

function key(dice: Dice): Node {
  return dice.chance(0.5) ? item.int(uint(dice), width(dice)) : text(dice);
}
