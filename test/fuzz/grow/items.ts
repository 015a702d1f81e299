import { branch, headOf, leaf, MAJOR, type Node } from './tree.ts';

/** Items by what they mean, in the shortest form unless a width is given. */

const FLOAT = new DataView(new ArrayBuffer(8));
const UTF8 = new TextEncoder();

/** Units: a safe integer. */
export const int = (value: number, width = 0): Node =>
  leaf(value >= 0 ? headOf(MAJOR.uint, value, width) : headOf(MAJOR.negative, -1 - value, width));

export function text(value: string, width = 0): Node {
  const bytes = UTF8.encode(value);
  return leaf(headOf(MAJOR.text, bytes.length, width), bytes);
}

export const byteString = (bytes: Uint8Array): Node =>
  leaf(headOf(MAJOR.bytes, bytes.length), bytes);

export const array = (items: Node[], width = 0): Node =>
  branch(headOf(MAJOR.array, items.length, width), items);

export const map = (pairs: readonly (readonly [Node, Node])[], width = 0): Node =>
  branch(headOf(MAJOR.map, pairs.length, width), pairs.flat());

export const tagged = (tag: number, item: Node): Node => branch(headOf(MAJOR.tag, tag), [item]);

/** A typed array with these bytes. */
export const typed = (tag: number, bytes: Uint8Array): Node => tagged(tag, byteString(bytes));

export const simple = (value: number): Node => leaf(headOf(MAJOR.other, value));
export const FALSE = 20;
export const TRUE = 21;
export const NULL = 22;

/** A float from its bits, `width` bytes of them. */
export function bitsOf(bytes: Uint8Array): Node {
  const head = new Uint8Array(1 + bytes.length);
  head[0] = (MAJOR.other << 5) | (24 + Math.log2(bytes.length));
  head.set(bytes, 1);
  return leaf(head);
}

export function float(value: number, width: 4 | 8 = 8): Node {
  if (width === 4) FLOAT.setFloat32(0, value);
  else FLOAT.setFloat64(0, value);
  return bitsOf(new Uint8Array(FLOAT.buffer.slice(0, width)));
}
