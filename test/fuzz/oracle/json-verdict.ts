import {
  type FieldType,
  type Layout,
  layoutOf,
  type ScalarType,
  type Sender,
} from '../../../src/wire/fields.ts';
import { KIND } from '../../../src/wire/messages.ts';

/** Whether a text is a message of PROTOCOL §3.2, once more: which codes its faults have. */
export interface JsonVerdict {
  readonly message: Readonly<Record<string, unknown>> | null;
  readonly faults: ReadonlySet<number>;
}

const NESTING_MAX = 6;
const CHANNEL_MAX = 65_535;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const STRING = /"(?:[^"\\]|\\.)*"/gu;

type Bag = Readonly<Record<string, unknown>>;

export function jsonVerdict(bytes: Uint8Array, from: Sender): JsonVerdict {
  const parsed = parse(bytes);
  if (parsed === null) return { message: null, faults: new Set([4000]) };
  const { text, value } = parsed;
  if (!isBag(value) || typeof value['k'] !== 'string') {
    return { message: null, faults: new Set([4000]) };
  }
  const faults = new Set<number>();
  if (depthOf(text) > NESTING_MAX) faults.add(4000);
  addKindFaults(value, from, faults);
  return { message: value, faults };
}

function addKindFaults(message: Bag, from: Sender, faults: Set<number>): void {
  const entry = Object.entries(KIND).find(([name]) => name === message['k']);
  if (entry === undefined) {
    faults.add(4005);
    return;
  }
  const layout = layoutOf(entry[1], from);
  if (layout === undefined) {
    faults.add(4001);
    return;
  }
  addBagFaults(message, layout, faults);
  const { n, lost } = message;
  const isLimited = from === 'client' && layout.byKey.has(4);
  if (isLimited && typeof lost === 'number' && typeof n === 'number' && lost >= n) faults.add(4000);
}

function addBagFaults(bag: Bag, layout: Layout, faults: Set<number>): void {
  if (Object.keys(bag).some((name) => name.startsWith('!'))) faults.add(4005);
  let present = 0;
  layout.fields.forEach(({ name, type, required }, i) => {
    const value = bag[name];
    if (value === undefined) {
      if (required) faults.add(4000);
      return;
    }
    present |= 1 << i;
    if (type.kind === 'blocks') addBlockFaults(value, type.layout, faults);
    else if (!fits(value, type)) faults.add(4000);
  });
  if (layout.anyOf !== 0 && (present & layout.anyOf) === 0) faults.add(4000);
}

function addBlockFaults(value: unknown, layout: Layout, faults: Set<number>): void {
  if (!Array.isArray(value) || value.length === 0) {
    faults.add(4000);
    return;
  }
  for (const block of value as readonly unknown[]) {
    if (isBag(block)) addBagFaults(block, layout, faults);
    else faults.add(4000);
  }
}

function parse(bytes: Uint8Array): { text: string; value: unknown } | null {
  try {
    const text = UTF8.decode(bytes);
    return { text, value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

/** Of a text that is JSON. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const character of text.replace(STRING, '')) {
    if (character === '[' || character === '{') depth += 1;
    if (character === ']' || character === '}') depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

const isBag = (value: unknown): value is Bag =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isUint = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isUints = (value: unknown): boolean => Array.isArray(value) && value.every(isUint);
const isCell = (value: unknown): boolean => value === null || typeof value !== 'object';
const isColumn = (value: unknown): boolean =>
  isCell(value) || (Array.isArray(value) && value.every(isCell));
const isList = (value: unknown, least: number, holds: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length >= least && value.every(holds);

function fits(value: unknown, type: Exclude<FieldType, { kind: 'blocks' }>): boolean {
  switch (type.kind) {
    case 'scalar':
      return fitsScalar(value, type.of);
    case 'list':
      return isList(value, 1, (one) => fitsScalar(one, type.of));
    case 'tuples':
      return isList(value, type.least, (one) => fitsTuple(one, type.elements, type.required));
    case 'uints':
      return isUints(value);
    case 'uintOrUints':
      return isUint(value) || isUints(value);
    case 'columns':
      return isList(value, 1, isColumn);
  }
}

function fitsTuple(value: unknown, elements: readonly ScalarType[], required: number): boolean {
  if (!Array.isArray(value) || value.length < required) return false;
  return elements.every((of, i) => i >= value.length || fitsScalar(value[i], of));
}

function fitsScalar(value: unknown, type: ScalarType): boolean {
  switch (type) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'int':
      return Number.isSafeInteger(value);
    case 'uint':
      return isUint(value);
    case 'num':
      return isUint(value) && (value as number) >= 1;
    case 'channel':
      return isUint(value) && (value as number) >= 1 && (value as number) <= CHANNEL_MAX;
  }
}
