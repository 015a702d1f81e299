/**
 * CBOR as a tree that keeps every head as it stands, so that a mutation can make a head say what
 * its content does not. Any bytes are a tree: what is no item is a node of junk.
 */
export interface Node {
  /** Initial byte and argument; empty for junk. */
  head: Uint8Array;
  /** Content of a byte string, a text, or junk. */
  payload: Uint8Array;
  /** Elements of an array, keys and values of a map by turns, what stands behind a tag. */
  items: Node[];
}

/** CBOR's major types. */
export const MAJOR = {
  uint: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  tag: 6,
  other: 7,
} as const;

const NOTHING: Uint8Array = new Uint8Array(0);
const DEPTH_MAX = 40;
const JUNK = -1;

/** Major type of a node, −1 for junk. */
export const majorOf = ({ head }: Node): number =>
  head.length === 0 ? JUNK : (head[0] as number) >>> 5;

/** Bytes of the argument: 0, 1, 2, 4 or 8. */
export const widthOf = ({ head }: Node): number => head.length - 1;

/** The argument as the nearest double; of an indefinite or reserved head the low five bits. */
export function argumentOf({ head }: Node): number {
  const width = head.length - 1;
  if (width === 0) return (head[0] as number) & 0x1f;
  let value = 0;
  for (let i = 1; i <= width; i += 1) value = value * 256 + (head[i] as number);
  return value;
}

/** A head with an argument of at least `least` bytes; 0 is the shortest form. */
export function headOf(major: number, argument: number, least = 0): Uint8Array {
  const shortest = argument < 24 ? 0 : argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : 4;
  const width = Math.max(least, argument < 0x1_0000_0000 ? shortest : 8);
  const head = new Uint8Array(1 + width);
  head[0] = (major << 5) | (width === 0 ? argument : 24 + Math.log2(width));
  let rest = argument;
  for (let i = width; i > 0; i -= 1) {
    head[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return head;
}

/** A node whose head says what it holds. */
export const leaf = (head: Uint8Array, payload = NOTHING): Node => ({ head, payload, items: [] });
export const branch = (head: Uint8Array, items: Node[]): Node => ({
  head,
  payload: NOTHING,
  items,
});

/** A deep copy; the bytes are shared, nobody writes into them. */
export const copyOf = ({ head, payload, items }: Node): Node => ({
  head,
  payload,
  items: items.map(copyOf),
});

/** The top-level items of any bytes. */
export function parseTree(bytes: Uint8Array): Node[] {
  const reader = new Reader(bytes);
  const nodes: Node[] = [];
  while (reader.at < bytes.length) nodes.push(reader.item(0));
  return nodes;
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  item(depth: number): Node {
    const initial = this.#bytes[this.at] as number;
    const info = initial & 31;
    const width = info < 24 || info > 27 ? 0 : 1 << (info - 24);
    if (this.at + 1 + width > this.#bytes.length || depth > DEPTH_MAX) return this.#junk();
    const node = leaf(this.#bytes.subarray(this.at, this.at + 1 + width));
    this.at += 1 + width;
    const major = initial >>> 5;
    if (major === MAJOR.bytes || major === MAJOR.text) node.payload = this.#take(argumentOf(node));
    if (major === MAJOR.array) this.#fill(node, argumentOf(node), depth);
    if (major === MAJOR.map) this.#fill(node, 2 * argumentOf(node), depth);
    if (major === MAJOR.tag) this.#fill(node, 1, depth);
    return node;
  }

  #fill({ items }: Node, count: number, depth: number): void {
    while (items.length < count && this.at < this.#bytes.length) items.push(this.item(depth + 1));
  }

  #take(length: number): Uint8Array {
    const from = this.at;
    this.at = Math.min(this.#bytes.length, from + length);
    return this.#bytes.subarray(from, this.at);
  }

  #junk(): Node {
    return leaf(NOTHING, this.#take(this.#bytes.length));
  }
}

/** The bytes of nodes one after the other. */
export function writeTree(nodes: readonly Node[]): Uint8Array {
  const out = new Uint8Array(nodes.reduce((sum, node) => sum + lengthOf(node), 0));
  let at = 0;
  const write = ({ head, payload, items }: Node): void => {
    out.set(head, at);
    out.set(payload, at + head.length);
    at += head.length + payload.length;
    items.forEach(write);
  };
  nodes.forEach(write);
  return out;
}

/** Length of a node in bytes. */
export const lengthOf = ({ head, payload, items }: Node): number =>
  items.reduce((sum, item) => sum + lengthOf(item), head.length + payload.length);

/** Makes the head say what the node holds. */
export function fixHead(node: Node): void {
  const major = majorOf(node);
  const width = widthOf(node);
  if (major === MAJOR.bytes || major === MAJOR.text) {
    node.head = headOf(major, node.payload.length, width);
  } else if (major === MAJOR.array) node.head = headOf(major, node.items.length, width);
  else if (major === MAJOR.map) node.head = headOf(major, node.items.length >>> 1, width);
}
