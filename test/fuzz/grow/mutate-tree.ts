import type { Dice } from '../../sim/random.ts';
import { FLOATS, INTEGERS, OTHER_TAGS, TEXTS, TYPED_TAGS, WIDE } from './boundaries.ts';
import * as item from './items.ts';
import {
  argumentOf,
  branch,
  copyOf,
  fixHead,
  headOf,
  leaf,
  lengthOf,
  MAJOR,
  majorOf,
  type Node,
  widthOf,
} from './tree.ts';
import { anything } from './values.ts';

/** Where a node stands: its parent's list (or the top) and the index in it. */
interface Place {
  readonly list: Node[];
  readonly index: number;
  readonly parent: Node | null;
}

/** Changes the node at `place`; `donor` lends items for splicing. */
type Mutation = (dice: Dice, place: Place, donor: readonly Node[]) => void;

const WIDTHS = [0, 1, 2, 4, 8] as const;
/** A message may have 16 KiB. */
const GROWN_BYTES_MAX = 16_000;
const LENGTHS = [0, 1, 23, 24, 255, 65_535, 2 ** 31, 2 ** 32 - 1, 2 ** 53 - 1] as const;

const nodeAt = ({ list, index }: Place): Node => list[index] as Node;
const put = ({ list, index }: Place, node: Node): void => {
  list[index] = node;
};
const fixParent = (dice: Dice, { parent }: Place): void => {
  if (parent !== null && dice.chance(0.85)) fixHead(parent);
};

/** The same argument in more bytes than it needs, or, where it does not fit, in another form. */
function width(dice: Dice, place: Place): void {
  const node = nodeAt(place);
  if (node.head.length === 0) return;
  node.head = headOf(majorOf(node), argumentOf(node), dice.pick(WIDTHS));
}

/** A length, count, integer or tag that is off by a little or by far. */
function argument(dice: Dice, place: Place): void {
  const node = nodeAt(place);
  if (node.head.length === 0) return;
  const before = argumentOf(node);
  const near = [before + 1, Math.max(0, before - 1), before * 2, Math.floor(before / 2)];
  const after = dice.chance(0.6)
    ? dice.pick(near)
    : dice.pick(dice.chance(0.5) ? LENGTHS : INTEGERS);
  node.head = headOf(majorOf(node), after, dice.chance(0.7) ? widthOf(node) : 0);
}

function wide(dice: Dice, place: Place): void {
  const node = nodeAt(place);
  const bytes = dice.pick(WIDE);
  node.head = Uint8Array.of((Math.max(0, majorOf(node)) << 5) | 27, ...bytes);
}

/** The head's low bits say reserved or indefinite. */
function reserved(dice: Dice, place: Place): void {
  const node = nodeAt(place);
  node.head = Uint8Array.of((Math.max(0, majorOf(node)) << 5) | (28 + dice.below(4)));
  if (dice.chance(0.5)) node.items.push(leaf(Uint8Array.of(0xff)));
}

function major(dice: Dice, place: Place): void {
  const node = nodeAt(place);
  if (node.head.length === 0) return;
  const head = node.head.slice();
  head[0] = ((head[0] as number) & 0x1f) | (dice.below(8) << 5);
  node.head = head;
}

function tag(dice: Dice, place: Place): void {
  const node = nodeAt(place);
  const number = dice.pick(dice.chance(0.7) ? TYPED_TAGS : OTHER_TAGS);
  if (majorOf(node) === MAJOR.tag) node.head = headOf(MAJOR.tag, number, widthOf(node));
  else put(place, item.tagged(number, node));
}

/** A few levels more around a node. */
function nest(dice: Dice, place: Place): void {
  for (let levels = 1 + dice.below(dice.chance(0.9) ? 4 : 200); levels > 0; levels -= 1) {
    const inner = nodeAt(place);
    put(place, dice.chance(0.5) ? item.array([inner]) : item.map([[item.int(levels), inner]]));
  }
}

function remove(dice: Dice, place: Place): void {
  place.list.splice(place.index, isMap(place) && dice.chance(0.8) ? 2 : 1);
  fixParent(dice, place);
}

/** Once more, next to itself; in a map a whole pair. */
function duplicate(dice: Dice, place: Place): void {
  const { list, index } = place;
  const from = isMap(place) ? index - (index % 2) : index;
  const count = isMap(place) ? 2 : 1;
  const copies = list.slice(from, from + count).map(copyOf);
  list.splice(dice.chance(0.5) ? list.length : from, 0, ...copies);
  fixParent(dice, place);
}

function swap(dice: Dice, place: Place): void {
  const { list, index } = place;
  const step = isMap(place) ? 2 : 1;
  const other = (index % step) + step * dice.below(Math.ceil(list.length / step));
  const [a, b] = [list[index] as Node, list[other]];
  if (b === undefined) return;
  list[index] = b;
  list[other] = a;
}

/** A piece of another message in place of this one, or beside it. */
function splice(dice: Dice, place: Place, donor: readonly Node[]): void {
  const pieces = placesIn(donor as Node[]);
  if (pieces.length === 0) return;
  const piece = copyOf(nodeAt(dice.pick(pieces)));
  place.list.splice(place.index, dice.chance(0.7) ? 1 : 0, piece);
  fixParent(dice, place);
}

function replace(dice: Dice, place: Place): void {
  const kind = dice.below(6);
  if (kind === 0) put(place, item.bitsOf(Uint8Array.from(dice.pick(FLOATS))));
  else if (kind === 1) put(place, item.int(dice.pick(INTEGERS)));
  else if (kind === 2) put(place, item.int(-1 - dice.pick(INTEGERS.slice(0, -1))));
  else if (kind === 3) put(place, item.simple(dice.pick([0, 16, 19, 20, 21, 22, 23])));
  else if (kind === 4) put(place, anything(dice, 2));
  else put(place, leaf(Uint8Array.of(dice.below(256))));
}

/** Text that is no UTF-8, bytes more or fewer than an element takes. */
function payload(dice: Dice, place: Place): void {
  const node = nodeAt(place);
  if (node.payload.length === 0 && majorOf(node) !== MAJOR.text) return;
  const at = dice.below(node.payload.length + 1);
  const piece = dice.chance(0.5) ? dice.pick(TEXTS) : [dice.below(256)];
  const rest = node.payload.subarray(at + dice.below(3));
  node.payload = Uint8Array.from([...node.payload.subarray(0, at), ...piece, ...rest]);
  if (dice.chance(0.85)) fixHead(node);
}

/** Many times over, up to the size of a message: what is quadratic shows. */
function grow(dice: Dice, place: Place): void {
  const node = nodeAt(place);
  if (node.payload.length > 0 && dice.chance(0.5)) {
    const unit = node.payload.subarray(0, dice.pick([1, 2, 8, node.payload.length]));
    const bytes = new Uint8Array(dice.below(GROWN_BYTES_MAX));
    for (let at = 0; at + unit.length <= bytes.length; at += unit.length) bytes.set(unit, at);
    node.payload = bytes;
    fixHead(node);
    return;
  }
  const room = Math.floor(GROWN_BYTES_MAX / Math.max(1, lengthOf(node)));
  const times = dice.chance(0.5) ? dice.below(64) : dice.below(room);
  place.list.splice(place.index, 0, ...Array.from({ length: times }, () => copyOf(node)));
  if (place.parent !== null) fixHead(place.parent);
}

/** A map with as many distinct keys as there is room for. */
function keys(dice: Dice, place: Place): void {
  const count = dice.pick([31, 32, 33, 200, 2000]);
  const items: Node[] = [];
  const isText = dice.chance(0.5);
  for (let i = 0; i < count; i += 1) {
    items.push(isText ? item.text(`k${i}`) : item.int(100 + i), item.int(0));
  }
  put(place, branch(headOf(MAJOR.map, count), items));
}

function key(dice: Dice, place: Place): void {
  if (!isMap(place)) return;
  const at = place.index - (place.index % 2);
  const numbers = [dice.below(12), dice.below(50), -1 - dice.below(50), dice.pick(INTEGERS)];
  place.list[at] = dice.chance(0.8) ? item.int(dice.pick(numbers)) : item.text('x');
}

const isMap = ({ parent }: Place): boolean => parent !== null && majorOf(parent) === MAJOR.map;

/** Every mutation, the frequent ones several times. */
const MUTATIONS: readonly Mutation[] = [
  width,
  width,
  argument,
  argument,
  argument,
  wide,
  reserved,
  major,
  tag,
  tag,
  nest,
  remove,
  remove,
  duplicate,
  duplicate,
  swap,
  splice,
  splice,
  replace,
  replace,
  replace,
  payload,
  payload,
  key,
  key,
];
/** Those that make long messages. */
const LONG: readonly Mutation[] = [grow, grow, keys];

/** Every node with its place. */
export function placesIn(nodes: Node[], parent: Node | null = null, into: Place[] = []): Place[] {
  for (const [index, node] of nodes.entries()) {
    into.push({ list: nodes, index, parent });
    if (node.items.length > 0) placesIn(node.items, node, into);
  }
  return into;
}

/** Changes one place of the tree. */
export function mutateTree(dice: Dice, nodes: Node[], donor: readonly Node[]): void {
  const places = placesIn(nodes);
  if (places.length === 0) return;
  const mutation = dice.pick(dice.chance(0.01) ? LONG : MUTATIONS);
  mutation(dice, dice.pick(places), donor);
}
