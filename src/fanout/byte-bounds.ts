import type { Codec } from '../model/machine.ts';

/**
 * Upper bounds of what parts of a message take when encoded, so that a message is composed once and
 * never tried, found too long and composed again.
 * Units: bytes.
 */
export interface ByteBounds {
  /** A `data` without its blocks. */
  readonly dataHead: number;
  /** A `def` without its entries. */
  readonly defHead: number;
  /** A block without its rows and columns. */
  readonly block: number;
  /** A column without its values. */
  readonly column: number;
  /** One entry of `d`. */
  readonly delta: number;
  /** A series number in a list. */
  seriesNumber(number: number): number;
  /** A number or "no value" in a block without text. */
  value(value: number | null): number;
  /** What numbers may take more than that in a block with text, where columns are plain arrays. */
  readonly mixed: number;
  /** A number of readings: its column holds integers only. */
  count(count: number): number;
  /** A text in a column. */
  text(text: string): number;
  /** An entry of `ser`. */
  series(number: number, topic: string, unit: string): number;
}

/** Text that both codecs write as it is, a byte per character. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** An integer ≥ 0 in CBOR. */
function integerBytes(value: number): number {
  if (value < 24) return 1;
  if (value < 0x1_0000) return 3;
  return value < 0x1_0000_0000 ? 5 : 9;
}

/** CBOR: a head takes at most 9 bytes, one that counts at most 32 KiB takes at most 3. */
const CBOR: ByteBounds = {
  dataHead: 48,
  defHead: 16,
  block: 48,
  column: 8,
  delta: 9,
  seriesNumber: integerBytes,
  // Eight in a typed array of floats; up to nine in a list, which is then one of integers.
  value: (value) => (value !== null && Math.abs(value) > 0xffff_ffff ? 9 : 8),
  mixed: 1,
  count: integerBytes,
  // A UTF-16 unit takes at most three bytes of UTF-8.
  text: (text) => 3 + (PLAIN.test(text) ? 1 : 3) * text.length,
  series: (_number, topic, unit) => 1 + 9 + 3 + topic.length + 3 + unit.length,
};

/** Decimal digits, sign and comma of an integer that JSON prints in full. */
function integerChars(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude < 1000) return 5;
  return magnitude < 1e6 ? 8 : 18;
}

const JSON_TEXT: ByteBounds = {
  dataHead: 96,
  defHead: 48,
  block: 104,
  column: 3,
  delta: 18,
  seriesNumber: integerChars,
  // The longest float64 is -2.2250738585072014e-308, 24 characters.
  value: (value) => {
    if (value === null) return 5;
    return Number.isSafeInteger(value) ? integerChars(value) : 25;
  },
  mixed: 0,
  count: integerChars,
  // A control character is written as six: \u0000.
  text: (text) => 3 + (PLAIN.test(text) ? 1 : 6) * text.length,
  // Units may hold quotes and backslashes, which are escaped; topics hold neither.
  series: (number, topic, unit) => 8 + integerChars(number) + topic.length + 2 * unit.length,
};

/** The bounds by codec. */
export const BYTE_BOUNDS: { readonly [codec in Codec]: ByteBounds } = {
  cbor: CBOR,
  json: JSON_TEXT,
};
