/**
 * The ten typed arrays of RFC 8746 that the profile knows, little-endian all of them. Element
 * bytes are taken as the host has them: every platform Node runs on for us is little-endian.
 * Source: PROTOCOL §3.1.
 */

/** A typed array as a message carries it. */
export type TypedArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** Tags by element type. */
export const TAG = {
  uint8: 64,
  uint16: 69,
  uint32: 70,
  uint64: 71,
  sint8: 72,
  sint16: 77,
  sint32: 78,
  sint64: 79,
  float32: 85,
  float64: 86,
} as const;

const WIDTHS = new Uint8Array(128);
WIDTHS[TAG.uint8] = 1;
WIDTHS[TAG.uint16] = 2;
WIDTHS[TAG.uint32] = 4;
WIDTHS[TAG.uint64] = 8;
WIDTHS[TAG.sint8] = 1;
WIDTHS[TAG.sint16] = 2;
WIDTHS[TAG.sint32] = 4;
WIDTHS[TAG.sint64] = 8;
WIDTHS[TAG.float32] = 4;
WIDTHS[TAG.float64] = 8;

/** Element width of a typed-array tag, 0 for any other tag. Units: bytes. */
export const widthOfTag = (tag: number): number => (tag < 128 ? (WIDTHS[tag] as number) : 0);

/** True for the tags that `uints` of App. A allows. */
export const isUintTag = (tag: number): boolean =>
  tag === TAG.uint8 || (tag >= TAG.uint16 && tag <= TAG.uint64);

const TAG_BY_NAME: ReadonlyMap<string, number> = new Map<
  TypedArray[typeof Symbol.toStringTag],
  number
>([
  ['Uint8Array', TAG.uint8],
  ['Uint16Array', TAG.uint16],
  ['Uint32Array', TAG.uint32],
  ['BigUint64Array', TAG.uint64],
  ['Int8Array', TAG.sint8],
  ['Int16Array', TAG.sint16],
  ['Int32Array', TAG.sint32],
  ['BigInt64Array', TAG.sint64],
  ['Float32Array', TAG.float32],
  ['Float64Array', TAG.float64],
]);

/** The tag of a typed array. */
export const tagOf = (array: TypedArray): number =>
  TAG_BY_NAME.get(array[Symbol.toStringTag]) as number;

/** True for a typed array of one of the ten types. */
export const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) && TAG_BY_NAME.has((value as TypedArray)[Symbol.toStringTag]);

/** Copies `bytes[from … to)` into a typed array of its own. `tag` is one of `TAG`. */
export function typedArrayOf(tag: number, bytes: Uint8Array, from: number, to: number): TypedArray {
  const buffer = bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + to);
  switch (tag) {
    case TAG.uint8:
      return new Uint8Array(buffer);
    case TAG.uint16:
      return new Uint16Array(buffer);
    case TAG.uint32:
      return new Uint32Array(buffer);
    case TAG.uint64:
      return new BigUint64Array(buffer);
    case TAG.sint8:
      return new Int8Array(buffer);
    case TAG.sint16:
      return new Int16Array(buffer);
    case TAG.sint32:
      return new Int32Array(buffer);
    case TAG.sint64:
      return new BigInt64Array(buffer);
    case TAG.float32:
      return new Float32Array(buffer);
    default:
      return new Float64Array(buffer);
  }
}
