import fc from 'fast-check';
import { concat, utf8 } from './bytes.ts';
import { WIDTH_OF_TAG } from './cbor-reference.ts';

/**
 * CBOR items as trees that know how wide their heads are, a writer for them, and a second, naive
 * reader of the profile of PROTOCOL §3.1. Both are written from the page, not from src/wire.
 */

export type Item =
  | { readonly kind: 'int'; readonly value: number; readonly width: Width }
  | { readonly kind: 'text'; readonly value: string; readonly width: Width }
  | { readonly kind: 'bytes'; readonly value: Uint8Array; readonly width: Width }
  | { readonly kind: 'array'; readonly items: readonly Item[]; readonly width: Width }
  | {
      readonly kind: 'map';
      readonly pairs: readonly (readonly [Item, Item])[];
      readonly width: Width;
    }
  | { readonly kind: 'typed'; readonly tag: number; readonly value: Uint8Array }
  | { readonly kind: 'simple'; readonly value: boolean | null }
  | { readonly kind: 'float'; readonly value: number; readonly bits: 16 | 32 | 64 };

/** Bytes of an argument beyond the shortest form: 0 shortest, else at least so many. */
export type Width = 0 | 1 | 2 | 4 | 8;

export function head(major: number, argument: number, least: Width): Uint8Array {
  const shortest = argument < 24 ? 0 : argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : 4;
  const needed = argument < 0x1_0000_0000 ? shortest : 8;
  const width = Math.max(needed, least);
  if (width === 0) return Uint8Array.of((major << 5) | argument);
  const out = new Uint8Array(1 + width);
  out[0] = (major << 5) | (24 + Math.log2(width));
  let rest = BigInt(argument);
  for (let i = width; i > 0; i -= 1) {
    out[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return out;
}

export function write(item: Item): Uint8Array {
  switch (item.kind) {
    case 'int':
      return item.value >= 0
        ? head(0, item.value, item.width)
        : head(1, -1 - item.value, item.width);
    case 'text': {
      const bytes = utf8(item.value);
      return concat(head(3, bytes.length, item.width), bytes);
    }
    case 'bytes':
      return concat(head(2, item.value.length, item.width), item.value);
    case 'array':
      return concat(head(4, item.items.length, item.width), ...item.items.map(write));
    case 'map':
      return concat(head(5, item.pairs.length, item.width), ...item.pairs.flat().map(write));
    case 'typed':
      return concat(head(6, item.tag, 0), head(2, item.value.length, 0), item.value);
    case 'simple':
      return Uint8Array.of(item.value === null ? 0xf6 : item.value ? 0xf5 : 0xf4);
    case 'float':
      return writeFloat(item.value, item.bits);
  }
}

function writeFloat(value: number, bits: 16 | 32 | 64): Uint8Array {
  const out = new DataView(new ArrayBuffer(1 + bits / 8));
  out.setUint8(0, bits === 16 ? 0xf9 : bits === 32 ? 0xfa : 0xfb);
  // Half floats: the few that a test needs.
  if (bits === 16) out.setUint16(1, HALVES.get(value) as number);
  else if (bits === 32) out.setFloat32(1, value);
  else out.setFloat64(1, value);
  return new Uint8Array(out.buffer);
}

/** Some half-precision values and their bits, subnormal, normal and special. */
export const HALVES: ReadonlyMap<number, number> = new Map([
  [0, 0x0000],
  [2 ** -24, 0x0001],
  [2 ** -14, 0x0400],
  [1, 0x3c00],
  [-2, 0xc000],
  [1.5, 0x3e00],
  [65_504, 0x7bff],
  [Number.POSITIVE_INFINITY, 0x7c00],
  [Number.NEGATIVE_INFINITY, 0xfc00],
  [Number.NaN, 0x7e00],
]);

const width = fc.constantFrom<Width>(0, 0, 0, 1, 2, 4, 8);
const int = (least: number): fc.Arbitrary<Item> =>
  fc.record({
    kind: fc.constant('int' as const),
    value: fc.oneof(
      fc.integer({ min: Math.max(least, -30), max: 30 }),
      fc.integer({ min: least, max: Number.MAX_SAFE_INTEGER }),
    ),
    width,
  });
const text: fc.Arbitrary<Item> = fc.record({
  kind: fc.constant('text' as const),
  value: fc.string({ unit: 'binary', maxLength: 12 }),
  width,
});
const bytes: fc.Arbitrary<Item> = fc.record({
  kind: fc.constant('bytes' as const),
  value: fc.uint8Array({ maxLength: 12 }),
  width,
});
const typed: fc.Arbitrary<Item> = fc
  .tuple(
    fc.constantFrom(...Object.keys(WIDTH_OF_TAG).map(Number)),
    fc.uint8Array({ maxLength: 40 }),
  )
  .map(([tag, raw]) => ({
    kind: 'typed' as const,
    tag,
    value: raw.slice(0, raw.length - (raw.length % (WIDTH_OF_TAG[tag] as number))),
  }));
const simple: fc.Arbitrary<Item> = fc
  .constantFrom(true, false, null)
  .map((value) => ({ kind: 'simple' as const, value }));
const float: fc.Arbitrary<Item> = fc.oneof(
  fc.double().map((value) => ({ kind: 'float' as const, value, bits: 64 as const })),
  fc.float().map((value) => ({ kind: 'float' as const, value, bits: 32 as const })),
  fc
    .constantFrom(...HALVES.keys())
    .map((value) => ({ kind: 'float' as const, value, bits: 16 as const })),
);

/** A map key: distinct keys are chosen by value, whatever their width. */
const keyName = (item: Item): string =>
  item.kind === 'int' || item.kind === 'text' ? `${item.kind} ${item.value}` : 'other';

/** Items of the profile that nest at most `levels` deep. */
export function profileItem(levels: number): fc.Arbitrary<Item> {
  const leaf = fc.oneof(int(Number.MIN_SAFE_INTEGER), text, bytes, typed, simple, float);
  if (levels === 0) return leaf;
  const inner = profileItem(levels - 1);
  const array: fc.Arbitrary<Item> = fc.record({
    kind: fc.constant('array' as const),
    items: fc.array(inner, { maxLength: 4 }),
    width,
  });
  const map: fc.Arbitrary<Item> = fc.record({
    kind: fc.constant('map' as const),
    pairs: fc.uniqueArray(fc.tuple(fc.oneof(int(Number.MIN_SAFE_INTEGER), text), inner), {
      maxLength: 4,
      selector: ([key]) => keyName(key),
    }),
    width,
  });
  return fc.oneof({ weight: 3, arbitrary: leaf }, array, map);
}

/** Damages bytes in a few places: flips, cuts, repeats, inserts. */
export const damage = (source: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      source,
      fc.array(fc.tuple(fc.nat(4), fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
    )
    .map(([bytes, edits]) => edits.reduce(edit, bytes));

const STARTS = [0x00, 0x18, 0x1b, 0x20, 0x3b, 0x40, 0x60, 0x80, 0x9f, 0xa0, 0xbf, 0xc2, 0xd8, 0xf6];

function edit(
  bytes: Uint8Array,
  [how, where, byte]: readonly [number, number, number],
): Uint8Array {
  const at = bytes.length === 0 ? 0 : where % bytes.length;
  const before = bytes.slice(0, at);
  if (how === 0) return concat(before, Uint8Array.of(byte), bytes.slice(at + 1));
  if (how === 1)
    return concat(
      before,
      Uint8Array.of(STARTS[byte % STARTS.length] as number),
      bytes.slice(at + 1),
    );
  if (how === 2) return before;
  if (how === 3) return concat(before, bytes.slice(at, at + (byte % 8)), bytes.slice(at));
  return concat(before, bytes.slice(at + 1 + (byte % 4)));
}
