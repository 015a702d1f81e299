import type { ColumnValues, Scalar } from '../wire/messages.ts';

type IntegerArray = { new (values: ArrayLike<number>): ColumnValues & object };

/** Integer columns, narrowest first, with the range of each. */
const INTEGERS: readonly (readonly [low: number, high: number, array: IntegerArray])[] = [
  [-128, 127, Int8Array],
  [0, 255, Uint8Array],
  [-32_768, 32_767, Int16Array],
  [0, 65_535, Uint16Array],
  [-2_147_483_648, 2_147_483_647, Int32Array],
  [0, 4_294_967_295, Uint32Array],
];

/**
 * Values of one series as the shortest column that keeps every one of them bit for bit; null is "no
 * value". All of one value: a constant. Source: [R5.2-8].
 */
export function packColumn(values: readonly Scalar[]): ColumnValues {
  const [first = null] = values;
  if (values.every((value) => Object.is(value, first))) return constant(first, values);
  if (values.every((value) => typeof value === 'number')) return packNumbers(values);
  const isNumeric = values.every((value) => typeof value === 'number' || value === null);
  // NaN in a typed array means "no value" as null does, and needs no more room than a number.
  if (isNumeric) return packFloats(values.map((value) => value ?? Number.NaN));
  return values;
}

/** A constant of one row must not become an absent column, nor a block without rows. */
function constant(first: Scalar, values: readonly Scalar[]): ColumnValues {
  if (first === null) return null;
  return values.length === 1 ? [first] : first;
}

function packNumbers(values: readonly number[]): ColumnValues {
  if (!values.every(isPlainInteger)) return packFloats(values);
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const fitting = INTEGERS.find(([least, most]) => low >= least && high <= most);
  return fitting ? new fitting[2](values) : packFloats(values);
}

/** −0 is no integer: an integer column has no room for its sign. */
const isPlainInteger = (value: number): boolean => Number.isInteger(value) && !Object.is(value, -0);

const packFloats = (values: readonly number[]): Float32Array | Float64Array =>
  values.every((value) => Object.is(Math.fround(value), value))
    ? Float32Array.from(values)
    : Float64Array.from(values);
