import type { FieldType, Layout, ScalarType } from '../../../src/wire/fields.ts';

/**
 * Whether a decoded message says what another decoder saw. `get` gives what that one has for a
 * field: by key from a map of cbor-x, by name from parsed JSON.
 */
export type Get = (holder: unknown, key: number, name: string) => unknown;

/** How the other decoder's values are to be read. */
export interface Reading {
  readonly get: Get;
  /** JSON has no NaN, no −0, no typed arrays: App. D says what becomes of a column. */
  readonly isJson: boolean;
}

const UTF8 = new TextEncoder();

/** Path of the first difference, or null. */
export function difference(
  ours: object,
  theirs: unknown,
  layout: Layout,
  reading: Reading,
): string | null {
  const bag = ours as Readonly<Record<string, unknown>>;
  for (const { key, name, type } of layout.fields) {
    const other = reading.get(theirs, key, name);
    const value = bag[name];
    if (value === undefined && other === undefined) continue;
    if (value === undefined || other === undefined) return name;
    const inner = differenceOf(type, value, other, reading);
    if (inner !== null) return `${name}${inner}`;
  }
  return null;
}

function differenceOf(
  type: FieldType,
  ours: unknown,
  theirs: unknown,
  reading: Reading,
): string | null {
  if (type.kind === 'scalar') return isScalar(type.of, ours, theirs, reading, type.cut) ? null : '';
  if (type.kind === 'uintOrUints' && typeof ours === 'number') return ours === theirs ? null : '';
  const element = elementOf(type, reading);
  const [a, b] = [ours as ArrayLike<unknown>, theirs as ArrayLike<unknown>];
  if (a.length !== b.length) return '.length';
  for (let i = 0; i < a.length; i += 1) {
    const inner = element(a[i], b[i]);
    if (inner !== null) return `[${i}]${inner}`;
  }
  return null;
}

type Element = (ours: unknown, theirs: unknown) => string | null;

function elementOf(type: FieldType, reading: Reading): Element {
  const when = (holds: boolean): string | null => (holds ? null : '');
  switch (type.kind) {
    case 'list':
      return (a, b) => when(isScalar(type.of, a, b, reading));
    case 'tuples':
      return (a, b) => when(isTuple(type.elements, a, b, reading));
    case 'columns':
      return (a, b) => when(isColumn(a, b, reading));
    case 'blocks':
      return (a, b) => difference(a as object, b, type.layout, reading);
    default:
      return (a, b) => when(a === Number(b));
  }
}

function isScalar(
  type: ScalarType,
  ours: unknown,
  theirs: unknown,
  { isJson }: Reading,
  cut?: number,
): boolean {
  if (type === 'text') return isText(ours, theirs, cut);
  return isJson ? ours === theirs : Object.is(ours, theirs);
}

/**
 * cbor-x drops a byte order mark from long texts; a lone surrogate, which only JSON can spell, has
 * no UTF-8 and becomes U+FFFD.
 */
function isText(ours: unknown, theirs: unknown, cut?: number): boolean {
  if (typeof ours !== 'string' || typeof theirs !== 'string') return false;
  const whole = theirs.toWellFormed();
  return isCut(ours, whole, cut) || isCut(ours, `\ufeff${whole}`, cut);
}

/** `text` itself, or as much of it as fits in `bytesMax`. */
function isCut(ours: string, text: string, bytesMax: number | undefined): boolean {
  if (ours === text) return true;
  if (bytesMax === undefined || !text.startsWith(ours)) return false;
  const next = String.fromCodePoint(text.codePointAt(ours.length) as number);
  return UTF8.encode(ours).length <= bytesMax && UTF8.encode(ours + next).length > bytesMax;
}

function isTuple(
  elements: readonly ScalarType[],
  ours: unknown,
  theirs: unknown,
  reading: Reading,
): boolean {
  const [a, b] = [ours as readonly unknown[], theirs as readonly unknown[]];
  if (a.length !== Math.min(b.length, elements.length)) return false;
  return a.every((value, i) => isScalar(elements[i] as ScalarType, value, b[i], reading));
}

/** Of a column: one value, or as many values as the other has. */
function isColumn(ours: unknown, theirs: unknown, { isJson }: Reading): boolean {
  const isList = Array.isArray(ours) || ArrayBuffer.isView(ours);
  if (!isList) return isJson ? isJsonCell(ours, theirs) : isCell(ours, theirs);
  if (!Array.isArray(theirs) && !ArrayBuffer.isView(theirs)) return false;
  const [a, b] = [ours as unknown as ArrayLike<unknown>, theirs as unknown as ArrayLike<unknown>];
  if (a.length !== b.length) return false;
  const isFloats = ours instanceof Float64Array;
  const isEqual = !isJson ? isCell : isFloats ? isJsonFloat : isJsonCell;
  for (let i = 0; i < a.length; i += 1) if (!isEqual(a[i], b[i])) return false;
  return isJson ? isFloats === isFloatColumn(b) : true;
}

const isCell = (ours: unknown, theirs: unknown): boolean =>
  typeof ours === 'string' ? isText(ours, theirs) : Object.is(ours, theirs);

function isJsonCell(ours: unknown, theirs: unknown): boolean {
  if (typeof theirs === 'number' && !Number.isFinite(theirs)) return ours === null;
  return typeof ours === 'string' ? isText(ours, theirs) : ours === theirs;
}

function isJsonFloat(ours: unknown, theirs: unknown): boolean {
  const isNone = theirs === null || (typeof theirs === 'number' && !Number.isFinite(theirs));
  return isNone ? Number.isNaN(ours) : Object.is(ours, Number(theirs));
}

/** App. D, kind 0: integers and nulls stay a list, any other column with a number is tag 86. */
function isFloatColumn(values: ArrayLike<unknown>): boolean {
  const present = Array.from(values).filter(
    (value) => value !== null && !(typeof value === 'number' && !Number.isFinite(value)),
  );
  if (present.some((value) => typeof value === 'string')) return false;
  const hasNumber = present.some((value) => typeof value === 'number');
  return hasNumber && !present.every((value) => Number.isSafeInteger(value));
}
