import { type FieldType, type Layout, layoutOf, type Sender } from '../../../src/wire/fields.ts';
import { KIND } from '../../../src/wire/messages.ts';
import type { Dice } from '../../sim/random.ts';
import * as item from './items.ts';
import type { Node } from './tree.ts';
import * as value from './values.ts';

/** Messages and blocks from the table of App. A: good ones for the most part, and nearly good. */

const KINDS = Object.values(KIND);
/** Keys that have to stand first, in this order. */
const HEAD_KEYS: ReadonlySet<number> = new Set([1, 2, 4]);
const ROWS = [1, 1, 1, 2, 3, 4, 5, 9, 40] as const;
const BIG_ROWS = [0, 255, 256, 1000, 4095, 4096, 4097] as const;
const COLUMNS = [1, 1, 1, 2, 2, 3, 5] as const;
const BIG_COLUMNS = [16, 63, 64, 65, 70] as const;
const BIG_BLOCKS = [20, 63, 64, 65, 80] as const;
const QUALITIES = 256;
const DELTA_US = 1_000_000;

/** A message of a kind that this side sends; `data` is the most frequent. */
export function message(dice: Dice, from: Sender): Node {
  const isData = dice.chance(0.5);
  const k = isData ? KIND.data : dice.pick(KINDS.filter((kind) => layoutOf(kind, from)));
  return messageOf(dice, k, from);
}

/** A message of kind `k`. */
export function messageOf(dice: Dice, k: number, from: Sender): Node {
  const layout = layoutOf(k, from) as Layout;
  return item.map([[item.int(0), item.int(k)], ...pairs(dice, layout, 1)], value.width(dice));
}

/** The pairs of a message or block. `rows`: what its columns share. */
function pairs(dice: Dice, layout: Layout, rows: number): [Node, Node][] {
  const all: [Node, Node][] = [];
  for (const { key, type, required } of layout.fields) {
    // Either `dt` or `d`, and one of them: most blocks should be well shaped.
    if (!required && !dice.chance(0.4)) continue;
    all.push([item.int(key, value.width(dice)), fieldValue(dice, type, rows, key)]);
  }
  if (dice.chance(0.1)) all.push(extension(dice));
  if (dice.chance(0.2)) shuffle(dice, all);
  return all;
}

function extension(dice: Dice): [Node, Node] {
  const key = dice.chance(0.1)
    ? item.int(-1 - value.uint(dice))
    : dice.chance(0.5)
      ? item.int(46 + value.uint(dice))
      : value.text(dice);
  return [key, dice.chance(0.3) ? value.nested(dice, dice.below(8)) : value.anything(dice, 3)];
}

/** Behind the keys of the head any order is good. */
function shuffle(dice: Dice, all: [Node, Node][]): void {
  const first = all.findIndex(([key]) => !HEAD_KEYS.has(key.head[0] as number));
  for (let i = all.length - 1; i > first && first >= 0; i -= 1) {
    const other = first + dice.below(i - first + 1);
    [all[i], all[other]] = [all[other] as [Node, Node], all[i] as [Node, Node]];
  }
}

const DT = 2;
const D = 3;
const Q = 5;

function fieldValue(dice: Dice, type: FieldType, rows: number, key: number): Node {
  switch (type.kind) {
    case 'scalar':
      return key === DT && dice.chance(0.7)
        ? item.int(dice.below(DELTA_US))
        : value.scalar(dice, type.of);
    case 'list':
      return list(dice, 1 + dice.below(3), () => value.scalar(dice, type.of));
    case 'tuples':
      return list(dice, type.least + dice.below(3), () => tuple(dice, type));
    case 'uints':
      return value.uints(dice, countOf(dice, rows, key), DELTA_US);
    case 'uintOrUints':
      if (dice.chance(0.5)) return item.int(dice.chance(0.9) ? dice.below(10) : value.uint(dice));
      return value.uints(dice, rows, key === Q ? QUALITIES : 1000);
    case 'columns': {
      const count = dice.chance(0.98) ? dice.pick(COLUMNS) : dice.pick(BIG_COLUMNS);
      return list(dice, count, () => value.column(dice, dice.chance(0.98) ? rows : rows + 1));
    }
    case 'blocks': {
      const count = dice.chance(0.99) ? 1 + dice.below(3) : dice.pick(BIG_BLOCKS);
      return list(dice, count, () => block(dice, type.layout));
    }
  }
}

/** Deltas lie between rows, offsets at them. */
function countOf(dice: Dice, rows: number, key: number): number {
  return key === D && dice.chance(0.95) ? Math.max(0, rows - 1) : rows;
}

function block(dice: Dice, layout: Layout): Node {
  const rows = dice.chance(0.99) ? dice.pick(ROWS) : dice.pick(BIG_ROWS);
  const all = pairs(dice, layout, rows);
  const has = (key: number): number => all.findIndex(([{ head }]) => head.at(-1) === key);
  if (has(DT) >= 0 && has(D) >= 0 && dice.chance(0.9)) all.splice(has(D), 1);
  if (has(DT) < 0 && has(D) < 0 && rows > 1 && dice.chance(0.95)) {
    all.push([item.int(DT), item.int(dice.below(DELTA_US))]);
  }
  return item.map(all, value.width(dice));
}

function tuple(dice: Dice, type: Extract<FieldType, { kind: 'tuples' }>): Node {
  const { elements, required } = type;
  const count = required + dice.below(elements.length - required + 1);
  const items = elements.slice(0, count).map((of) => value.scalar(dice, of));
  if (count === elements.length && dice.chance(0.1)) items.push(value.anything(dice, 2));
  return item.array(items, value.width(dice));
}

const list = (dice: Dice, count: number, one: () => Node): Node =>
  item.array(Array.from({ length: count }, one), value.width(dice));
