import { DEVICE_BLOCK, type FieldType, type Layout } from './fields.ts';
import type { Message } from './messages.ts';
import { isTypedArray } from './typed-array.ts';
import { cutText } from './utf8.ts';

/** A message as JSON text. Source: PROTOCOL §3.2. */
export function messageText(layout: Layout, message: Message): string {
  const fields = fieldTexts(layout, message, layout.fields.some(isDeviceData));
  return `{${[`"k":"${message.k}"`, ...fields].join(',')}}`;
}

/** Blocks as JSON text, the value of `b`. */
export function blocksText(layout: Layout, blocks: readonly object[]): string {
  const isDevice = layout === DEVICE_BLOCK;
  const texts = blocks.map((block) => `{${fieldTexts(layout, block, isDevice).join(',')}}`);
  return `[${texts.join(',')}]`;
}

const isDeviceData = ({ type }: { readonly type: FieldType }): boolean =>
  type.kind === 'blocks' && type.layout === DEVICE_BLOCK;

function fieldTexts(layout: Layout, object: object, isDevice: boolean): string[] {
  const bag = object as Readonly<Record<string, unknown>>;
  const texts: string[] = [];
  for (const { name, type } of layout.fields) {
    const value = bag[name];
    if (value !== undefined) texts.push(`"${name}":${valueText(type, value, isDevice)}`);
  }
  return texts;
}

function valueText(type: FieldType, value: unknown, isDevice: boolean): string {
  switch (type.kind) {
    case 'blocks':
      return blocksText(type.layout, value as readonly object[]);
    case 'columns': {
      const columns = value as readonly unknown[];
      return `[${columns.map((column) => columnText(column, isDevice)).join(',')}]`;
    }
    case 'tuples': {
      const tuples = value as readonly (readonly unknown[])[];
      return JSON.stringify(tuples.map((tuple) => withoutHoles(tuple)));
    }
    case 'scalar':
      return JSON.stringify(cut(value, type.cut));
    default:
      return isTypedArray(value) ? columnText(value, false) : JSON.stringify(value);
  }
}

const cut = (value: unknown, bytesMax?: number): unknown =>
  typeof value === 'string' && bytesMax !== undefined ? cutText(value, bytesMax) : value;

/** Unit and scale that are left out before an offset get their defaults. */
function withoutHoles(tuple: readonly unknown[]): readonly unknown[] {
  let length = tuple.length;
  while (length > 0 && tuple[length - 1] === undefined) length -= 1;
  return tuple.slice(0, length).map((element, i) => element ?? (i === 1 ? '' : 1));
}

/** NaN and ±Infinity are null. `JSON.stringify` prints the shortest digits that round-trip. */
function columnText(column: unknown, isDevice: boolean): string {
  if (!isTypedArray(column)) return JSON.stringify(column);
  if (column instanceof Float32Array && isDevice) {
    return JSON.stringify(Array.from(column, shortestFloat32));
  }
  return JSON.stringify(Array.from(column as Iterable<number | bigint>, Number));
}

/** Up to this magnitude float32 has fewer than six digits, and fewer may do. */
const SUBNORMAL_MAX = 2 ** -126;

/**
 * The number with the fewest digits that rounds to the float32 `value`; an integer stays what it
 * is, for the log keeps float64 and a counter must not change there. Source: [R3.2-5].
 */
export function shortestFloat32(value: number): number {
  if (!Number.isFinite(value) || Number.isSafeInteger(value)) return value;
  // Any six digits survive float32 (FLT_DIG), so six find every shorter form as well.
  for (let digits = Math.abs(value) < SUBNORMAL_MAX ? 1 : 6; digits < 9; digits += 1) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return Number(value.toPrecision(9));
}
