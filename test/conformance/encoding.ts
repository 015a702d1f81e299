import { concat, utf8 } from '../support/bytes.ts';
import { head } from '../support/cbor-items.ts';
import { BLOCK_KEYS, KINDS, MESSAGE_KEYS } from './page.ts';

/**
 * Writes messages, good and bad ones, in both codecs, from the tables of the page. It shares no
 * code with src/wire, checks nothing, and writes keys in the order in which they are given.
 */

/** Exactly these bytes (CBOR) or this text (JSON) in the place of a value. */
export class Verbatim {
  readonly cbor: Uint8Array;
  readonly json: string;

  constructor(cbor: Uint8Array, json: string) {
    this.cbor = cbor;
    this.json = json;
  }
}

/** A number that is a float in CBOR whatever its value. */
export const float = (value: number, bits: 32 | 64 = 64): Verbatim =>
  new Verbatim(floatBytes(value, bits), Number.isFinite(value) ? String(value) : 'null');

/** An integer whose head in CBOR is as wide as can be. */
export const wide = (value: number): Verbatim =>
  new Verbatim(value < 0 ? head(1, -1 - value, 8) : head(0, value, 8), String(value));

/** A kind of message that the page does not know. */
export const kindOf = (number: number): Verbatim =>
  new Verbatim(head(0, number, 0), `"k${number}"`);

/** What a message may be made of. */
export type Value =
  | number
  | bigint
  | string
  | boolean
  | null
  | Verbatim
  | Typed
  | readonly Value[]
  | ReadonlyMap<number | string, Value>
  | Fields;

/** Values by name: of `b` by the names of blocks, else by those of messages. */
export interface Fields {
  readonly [name: string]: Value | undefined;
}

/** A message by the names of §3.4. Other names become text keys; `!x` becomes key −1 in CBOR. */
export interface Words extends Fields {
  readonly k: string | Verbatim;
}

type Typed =
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

/** The message as bytes of CBOR, or as text of JSON. */
export const written = (codec: 'cbor' | 'json', words: Words): Uint8Array | string =>
  codec === 'cbor' ? cborOf(words) : jsonText(words);

/** A message in CBOR. */
export const cborOf = (words: Words): Uint8Array => cborMap(words, MESSAGE_KEYS);

/** One value in CBOR. */
export function cborValue(value: Value): Uint8Array {
  if (value instanceof Verbatim) return value.cbor;
  if (typeof value === 'number') return cborNumber(value);
  if (typeof value === 'bigint') return cborBig(value);
  if (typeof value === 'string') return cborText(value);
  if (value === null) return Uint8Array.of(0xf6);
  if (typeof value === 'boolean') return Uint8Array.of(value ? 0xf5 : 0xf4);
  if (ArrayBuffer.isView(value)) return cborTyped(value as Typed);
  if (Array.isArray(value)) return concat(head(4, value.length, 0), ...value.map(cborValue));
  if (value instanceof Map) {
    const pairs = [...value].flatMap(([key, one]) => [cborValue(key), cborValue(one)]);
    return concat(head(5, value.size, 0), ...pairs);
  }
  return cborMap(value as Fields, BLOCK_KEYS);
}

function cborMap(fields: Fields, keys: ReadonlyMap<string, number>): Uint8Array {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  const parts = pairs.map(([name, value]) => concat(keyOf(name, keys), wireValue(name, value)));
  return concat(head(5, pairs.length, 0), ...parts);
}

const keyOf = (name: string, keys: ReadonlyMap<string, number>): Uint8Array =>
  name.startsWith('!') ? head(1, 0, 0) : cborValue(keys.get(name) ?? name);

const wireValue = (name: string, value: Value | undefined): Uint8Array =>
  cborValue(name === 'k' ? (KINDS.get(value as string) ?? value ?? null) : (value ?? null));

function cborNumber(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return floatBytes(value, 64);
  return value >= 0 ? head(0, value, 0) : head(1, -1 - value, 0);
}

function floatBytes(value: number, bits: 32 | 64): Uint8Array {
  const view = new DataView(new ArrayBuffer(1 + bits / 8));
  view.setUint8(0, bits === 32 ? 0xfa : 0xfb);
  if (bits === 32) view.setFloat32(1, value);
  else view.setFloat64(1, value);
  return new Uint8Array(view.buffer);
}

function cborBig(value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(9));
  view.setUint8(0, value < 0n ? 0x3b : 0x1b);
  view.setBigUint64(1, value < 0n ? -1n - value : value);
  return new Uint8Array(view.buffer);
}

const cborText = (text: string): Uint8Array => {
  const bytes = utf8(text);
  return concat(head(3, bytes.length, 0), bytes);
};

/** Tags of RFC 8746, §3.1. */
const TAGS: readonly (readonly [
  Function: abstract new (...rest: never[]) => Typed,
  tag: number,
])[] = [
  [Uint8Array, 64],
  [Uint16Array, 69],
  [Uint32Array, 70],
  [BigUint64Array, 71],
  [Int8Array, 72],
  [Int16Array, 77],
  [Int32Array, 78],
  [BigInt64Array, 79],
  [Float32Array, 85],
  [Float64Array, 86],
];

function cborTyped(value: Typed): Uint8Array {
  const tag = TAGS.find(([type]) => value instanceof type)?.[1] ?? 0;
  return tagged(tag, new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

/** A byte string under a tag. */
export const tagged = (tag: number, bytes: Uint8Array): Uint8Array =>
  concat(head(6, tag, 0), head(2, bytes.length, 0), bytes);

/** A message in JSON. */
export function jsonText(value: Value): string {
  if (value instanceof Verbatim) return value.json;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (ArrayBuffer.isView(value)) return jsonText(Array.from(value as Float64Array));
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  const pairs = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${pairs.map(([name, one]) => `${JSON.stringify(name)}:${jsonText(one)}`).join(',')}}`;
}

/** Long enough for its length to take two bytes in CBOR, as every longer one here does. */
const PADDING = 300;

/** The message with a key of nobody's, so that it is exactly so many bytes long. */
export function padded(codec: 'cbor' | 'json', words: Words, bytes: number): Uint8Array | string {
  const of = (length: number) => written(codec, { ...words, zzz: 'x'.repeat(length) });
  return of(PADDING + bytes - Buffer.byteLength(of(PADDING)));
}
