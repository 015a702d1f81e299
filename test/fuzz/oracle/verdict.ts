import {
  type FieldType,
  KIND_NAMES,
  type Layout,
  layoutOf,
  type ScalarType,
  type Sender,
} from '../../../src/wire/fields.ts';
import { argumentOf, MAJOR, majorOf, type Node, widthOf } from '../grow/tree.ts';

/**
 * Whether a message is one of App. A, once more and from a tree: which codes its faults have. A
 * good message has none. The bytes have been found to be CBOR of the profile before.
 */

const CHANNEL_MAX = 65_535;
const UINT_TAGS: ReadonlySet<number> = new Set([64, 69, 70, 71]);
/** Keys of the head and their places; `k` is 0. Source: [R3.1-7]. */
const RANKS: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [2, 2],
  [4, 3],
]);
const REST = 4;

/** Codes of all the faults of a message from this side. */
export function faultsOf(message: Node, from: Sender): ReadonlySet<number> {
  const faults = new Set<number>();
  const [first, kind] = message.items;
  const isMessage = majorOf(message) === MAJOR.map && first !== undefined && kind !== undefined;
  if (!isMessage || !isUint(first) || argumentOf(first) !== 0 || !isUint(kind))
    return faults.add(4000);
  const k = argumentOf(kind);
  if (KIND_NAMES[k] === undefined) return faults.add(4005);
  const layout = layoutOf(k, from);
  if (layout === undefined) return faults.add(4001);
  addHeadFaults(message, layout, faults);
  addMapFaults(message.items.slice(2), layout, faults);
  const [n, lost] = [uintAt(message, 2), uintAt(message, 4)];
  const isLimited = from === 'client' && layout.byKey.has(4);
  if (isLimited && lost !== undefined && n !== undefined && lost >= n) faults.add(4000);
  return faults;
}

/** `c`, `n` and `lost`, where the kind has them, stand first and in this order. */
function addHeadFaults({ items }: Node, layout: Layout, faults: Set<number>): void {
  let rank = 0;
  for (let i = 2; i < items.length; i += 2) {
    const key = items[i] as Node;
    const isListed = isUint(key) && layout.byKey.has(argumentOf(key));
    const place = isListed ? RANKS.get(argumentOf(key)) : undefined;
    if (place !== undefined && place <= rank) faults.add(4000);
    rank = place ?? REST;
  }
}

function uintAt({ items }: Node, key: number): number | undefined {
  for (let i = 0; i < items.length; i += 2) {
    const [at, value] = [items[i] as Node, items[i + 1] as Node];
    if (isUint(at) && argumentOf(at) === key && isUint(value)) return argumentOf(value);
  }
  return undefined;
}

function addMapFaults(items: readonly Node[], layout: Layout, faults: Set<number>): void {
  const seen = new Set<string>();
  for (let i = 0; i < items.length; i += 2) {
    const [key, value] = [items[i] as Node, items[i + 1] as Node];
    if (majorOf(key) === MAJOR.negative) faults.add(4005);
    const at = isUint(key) ? layout.byKey.get(argumentOf(key)) : undefined;
    const field = at === undefined ? undefined : layout.fields[at];
    if (field === undefined) continue;
    seen.add(field.name);
    if (field.type.kind !== 'blocks') {
      if (!fits(value, field.type)) faults.add(4000);
    } else addBlockFaults(value, field.type.layout, faults);
  }
  const bit = (i: number): number => 1 << i;
  let present = 0;
  layout.fields.forEach(({ name, required }, i) => {
    if (seen.has(name)) present |= bit(i);
    else if (required) faults.add(4000);
  });
  if (layout.anyOf !== 0 && (present & layout.anyOf) === 0) faults.add(4000);
}

function addBlockFaults(value: Node, layout: Layout, faults: Set<number>): void {
  if (majorOf(value) !== MAJOR.array || value.items.length === 0) faults.add(4000);
  for (const block of value.items) {
    if (majorOf(block) !== MAJOR.map) faults.add(4000);
    else addMapFaults(block.items, layout, faults);
  }
}

const isUint = (node: Node): boolean => majorOf(node) === MAJOR.uint;
const isFloat = (node: Node): boolean => majorOf(node) === MAJOR.other && widthOf(node) >= 2;
const isList = (node: Node): boolean => majorOf(node) === MAJOR.array;
const isTyped = (node: Node): boolean => majorOf(node) === MAJOR.tag;

/** True if a value is of its type. */
function fits(value: Node, type: Exclude<FieldType, { kind: 'blocks' }>): boolean {
  switch (type.kind) {
    case 'scalar':
      return fitsScalar(value, type.of);
    case 'list':
      return (
        isList(value) && value.items.length > 0 && all(value, (one) => fitsScalar(one, type.of))
      );
    case 'tuples':
      return (
        isList(value) &&
        value.items.length >= type.least &&
        all(value, (one) => fitsTuple(one, type.elements, type.required))
      );
    case 'uints':
      return isUints(value);
    case 'uintOrUints':
      return isUint(value) || isUints(value);
    case 'columns':
      return isList(value) && value.items.length > 0 && all(value, isColumn);
  }
}

const all = ({ items }: Node, holds: (item: Node) => boolean): boolean => items.every(holds);

const isUints = (value: Node): boolean =>
  isTyped(value) ? UINT_TAGS.has(argumentOf(value)) : isList(value) && all(value, isUint);

const isColumn = (value: Node): boolean =>
  isTyped(value) || isCell(value) || (isList(value) && all(value, isCell));

function isCell(value: Node): boolean {
  const major = majorOf(value);
  return major <= MAJOR.negative || major === MAJOR.text || major === MAJOR.other;
}

function fitsScalar(value: Node, type: ScalarType): boolean {
  switch (type) {
    case 'text':
      return majorOf(value) === MAJOR.text;
    case 'uint':
      return isUint(value);
    case 'num':
      return isUint(value) && argumentOf(value) >= 1;
    case 'channel':
      return isUint(value) && argumentOf(value) >= 1 && argumentOf(value) <= CHANNEL_MAX;
    case 'int':
      return majorOf(value) <= MAJOR.negative;
    case 'number':
      return majorOf(value) <= MAJOR.negative || isFloat(value);
  }
}

function fitsTuple(value: Node, elements: readonly ScalarType[], required: number): boolean {
  const { items } = value;
  if (!isList(value) || items.length < required) return false;
  return elements.every((of, i) => items[i] === undefined || fitsScalar(items[i] as Node, of));
}
