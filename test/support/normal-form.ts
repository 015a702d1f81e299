import { KIND_NAMES, type Layout, layoutOf, type Sender } from '../../src/wire/fields.ts';
import type { Message } from '../../src/wire/messages.ts';

/** Forms in which messages that came different ways can be compared. */

/** Typed arrays as lists of numbers: what they say, not how. */
export function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value))
    return Array.from(value as unknown as Iterable<number | bigint>, Number);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, plain(of)]));
}

/** The map that a CBOR decoder sees, with the names of App. A. */
export function named(map: Map<number, unknown>, from: Sender): unknown {
  const k = map.get(0) as number;
  const layout = layoutOf(k, from) as Layout;
  return { k: KIND_NAMES[k], ...fields(map, layout) };
}

function fields(map: Map<number, unknown>, layout: Layout): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const { key, name, type } of layout.fields) {
    const value = map.get(key);
    if (value === undefined) continue;
    object[name] =
      type.kind === 'blocks'
        ? (value as Map<number, unknown>[]).map((block) => fields(block, type.layout))
        : value;
  }
  return object;
}

/** What is left of a message that went through JSON: App. D says which columns are float64 then. */
export function asJsonTells(message: Message): unknown {
  if (message.k !== 'data') return withoutNegativeZero(message);
  const blocks = (message.b as readonly { v: readonly unknown[] }[]).map((block) => ({
    ...(withoutNegativeZero(block) as object),
    v: block.v.map((column) => columnAsJsonTells(column, 's' in block)),
  }));
  return { ...message, b: blocks };
}

/** JSON prints −0 as 0. */
function withoutNegativeZero(value: unknown): unknown {
  if (typeof value === 'number') return value === 0 ? 0 : value;
  if (Array.isArray(value)) return value.map(withoutNegativeZero);
  if (ArrayBuffer.isView(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, of]) => [name, withoutNegativeZero(of)]),
  );
}

function columnAsJsonTells(column: unknown, isDevice: boolean): unknown {
  if (!Array.isArray(column) && !ArrayBuffer.isView(column)) return scalarAsJsonTells(column);
  const isRounded = column instanceof Float32Array && isDevice;
  const list = (plain(column) as unknown[]).map(scalarAsJsonTells);
  const values = isRounded ? list.map(roundedToSeven) : list;
  const hasNumber = values.some((value) => typeof value === 'number');
  const hasText = values.some((value) => typeof value === 'string');
  const isIntegers = values.every((value) => value === null || Number.isSafeInteger(value));
  if (!hasNumber || hasText || isIntegers) return values;
  return values.map((value) => (value === null ? Number.NaN : Number(value)));
}

const scalarAsJsonTells = (value: unknown): unknown => {
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) return null;
  return value === 0 ? 0 : value;
};

/** The shortest decimal that rounds to the same float32, found by trying. */
function roundedToSeven(value: unknown): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  for (let digits = 1; digits < 9; digits += 1) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return Number(value.toPrecision(9));
}
