import { ROWS_MAX } from '../model/limits.ts';
import type { CborWriter } from './cbor-writer.ts';
import type { ColumnValues, Scalar } from './messages.ts';
import { isTypedArray } from './typed-array.ts';

/**
 * A column of ours, as it was handed in: a typed array stays one, a list of integers is a list of
 * shortest integers, any other list has its numbers as floats.
 */
export function writeColumn(out: CborWriter, column: unknown): boolean {
  if (isTypedArray(column)) out.typed(column);
  else if (Array.isArray(column)) writeList(out, column as readonly Scalar[]);
  else return writeScalar(out, column as ColumnValues);
  return true;
}

/**
 * A column from JSON, as the log keeps it: integers and nulls stay a list, any other with a number
 * and no text is float64 with NaN for null, and what mixes text and numbers stays a list, for the
 * shape check to refuse. Source: PROTOCOL App. D, kind 0.
 */
export function writeJsonColumn(out: CborWriter, column: unknown): boolean {
  if (!Array.isArray(column)) return writeScalar(out, finiteOrNull(column));
  const kinds = kindsIn(column);
  if ((kinds & OTHER) !== 0) return false;
  const isNumeric = (kinds & NUMBER) !== 0 && (kinds & TEXT) === 0;
  if (isNumeric && (kinds & NOT_INTEGER) !== 0) writeFloats(out, column);
  else if (isNumeric) writeIntegers(out, column);
  else {
    out.head(4, column.length);
    for (const value of column) writeScalar(out, finiteOrNull(value));
  }
  return true;
}

/** Grows to the longest column seen; a message of 16 KiB holds no more than 8 192 values. */
let floats = new Float64Array(ROWS_MAX);

/** `Float64Array.from` would take 60 ns per value. */
function writeFloats(out: CborWriter, column: readonly unknown[]): void {
  const { length } = column;
  if (length > floats.length) floats = new Float64Array(length);
  for (let i = 0; i < length; i += 1) floats[i] = floatOf(column[i]);
  out.typed(floats.subarray(0, length));
}

/** Integers and what stands for null. */
function writeIntegers(out: CborWriter, column: readonly unknown[]): void {
  out.head(4, column.length);
  for (const value of column) {
    if (typeof value === 'number' && Number.isFinite(value)) out.int(value);
    else out.null();
  }
}

const NUMBER = 1;
const TEXT = 2;
/** A fraction, a number beyond ±(2^53−1), or a boolean. */
const NOT_INTEGER = 4;
const OTHER = 8;

function kindsIn(column: readonly unknown[]): number {
  let kinds = 0;
  for (const value of column) {
    if (typeof value === 'number') kinds |= kindOfNumber(value);
    else if (typeof value === 'string') kinds |= TEXT;
    else if (typeof value === 'boolean') kinds |= NOT_INTEGER;
    else if (value !== null) kinds |= OTHER;
  }
  return kinds;
}

/** A number beyond float64 parses to ±Infinity and means null. Source: [R3.2-2]. */
function kindOfNumber(value: number): number {
  if (!Number.isFinite(value)) return 0;
  return Number.isSafeInteger(value) ? NUMBER : NUMBER | NOT_INTEGER;
}

const finiteOrNull = (value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? null : value;

function floatOf(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' && Number.isFinite(value) ? value : Number.NaN;
}

function writeList(out: CborWriter, list: readonly Scalar[]): void {
  const isFloat = list.some((value) => typeof value === 'number' && !isInteger(value));
  out.head(4, list.length);
  for (const value of list) {
    if (isFloat && typeof value === 'number') out.float(value);
    else writeScalar(out, value);
  }
}

const isInteger = (value: number): boolean => Number.isSafeInteger(value) && !Object.is(value, -0);

function writeScalar(out: CborWriter, value: unknown): boolean {
  if (typeof value === 'number') out.number(value);
  else if (typeof value === 'string') out.text(value);
  else if (typeof value === 'boolean') out.bool(value);
  else if (value === null) out.null();
  else return false;
  return true;
}
