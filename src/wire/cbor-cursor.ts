import { type Breach, breach } from '../model/errors.ts';
import { MapKeys } from './map-keys.ts';
import { widthOfTag } from './typed-array.ts';
import { isUtf8 } from './utf8.ts';

/** Deepest nesting: maps and arrays count, the top-level map is 1. Source: [R3.1-1]. */
export const NESTING_MAX = 6;
/** Most pairs in a map: bounds the check for duplicate keys. Source: [R3.1-1]. */
export const PAIRS_MAX = 32;

/**
 * What `item()` found. The first six are CBOR's major types 0 to 5; a typed array is the tag and
 * its byte string taken together; `bad` has left its breach in `fault`.
 */
export const ITEM = {
  uint: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  typed: 6,
  bool: 7,
  null: 8,
  float: 9,
  bad: 10,
} as const;

const MALFORMED = breach(4000, 'malformed CBOR');
const TRUNCATED = breach(4000, 'a length or count passes the end of the message');
const TOO_BIG = breach(4000, 'an integer is beyond ±(2^53−1)');
const TOO_DEEP = breach(4000, 'nested deeper than 6');
const TOO_MANY_PAIRS = breach(4000, 'a map has more than 32 pairs');
const BAD_TAG = breach(4000, 'a tag that is not a typed array of whole elements');
const BAD_TEXT = breach(4000, 'text that is not UTF-8');
const BAD_KEY = breach(4000, 'a map key that is neither integer nor text');
const DUPLICATE = breach(4000, 'a map key stands twice');
const TRAILING = breach(4000, 'bytes after the top-level item');

const FLOAT = new DataView(new ArrayBuffer(8));

/**
 * Reads CBOR of the profile of PROTOCOL §3.1 item by item, in place, and refuses everything else.
 *
 * Guarantee: never throws, allocates nothing, and no length or count leads to work that the bytes
 * do not pay for. The first breach stays in `fault`.
 */
export class CborCursor {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  /** Of the last item: an integer's or float's value, a bool as 0 or 1, a length or a count. */
  value = 0;
  /** Tag of the last typed array. */
  tag = 0;
  fault: Breach | null = null;
  readonly #keys = new MapKeys(NESTING_MAX + 1, PAIRS_MAX);

  /** Starts on new bytes. They are kept, not copied, until the next call. */
  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
    this.fault = null;
  }

  /** Notes a breach, the first one counts. Returns false, so that callers can return it. */
  fail(fault: Breach): false {
    this.fault ??= fault;
    return false;
  }

  /**
   * Reads the next item's head. Scalars are then done with; of byte strings, texts and typed arrays
   * the payload (`value` bytes from `at`) is still to be passed; of arrays and maps the content.
   * Returns one of `ITEM`.
   */
  item(): number {
    if (this.at >= this.end) return this.#bad(TRUNCATED);
    const initial = this.bytes[this.at] as number;
    const info = initial & 0x1f;
    this.at += 1;
    if (initial >= 0xe0) return this.#simple(info);
    if (info < 24) this.value = info;
    else if (!this.#argument(info)) return ITEM.bad;
    const major = initial >>> 5;
    if (major === 0) return ITEM.uint;
    if (major === 1) return this.#negative();
    if (major === 6) return this.#typed();
    return this.#sized(major);
  }

  /** Passes what is left of an item after `item()` returned `kind`; `level` is its nesting. */
  pass(kind: number, level: number): boolean {
    switch (kind) {
      case ITEM.text:
        return this.passText();
      case ITEM.bytes:
      case ITEM.typed:
        this.at += this.value;
        return true;
      case ITEM.array:
        return this.#passArray(level);
      case ITEM.map:
        return this.#passMap(level);
      default:
        return kind !== ITEM.bad;
    }
  }

  /** Passes a whole item whose nesting is `level` if it is a container. */
  skip(level: number): boolean {
    return this.pass(this.item(), level);
  }

  /** Checks and passes the payload of a text. */
  passText(): boolean {
    const from = this.at;
    this.at = from + this.value;
    return isUtf8(this.bytes, from, this.at) || this.fail(BAD_TEXT);
  }

  /** Starts a map's keys at a nesting level; `item()` has returned `map`. */
  openMap(level: number): boolean {
    if (level > NESTING_MAX) return this.fail(TOO_DEEP);
    this.#keys.open(level);
    return true;
  }

  /**
   * Reads the next key of the map opened at `level`: `uint` or `negative` with its `value`, or
   * `text`, already passed. Anything else, and a key seen before in this map, is `bad`.
   */
  key(level: number): number {
    const kind = this.item();
    if (kind === ITEM.uint || kind === ITEM.negative) {
      return this.#keys.addInteger(level, this.value) ? kind : this.#bad(DUPLICATE);
    }
    if (kind !== ITEM.text) return kind === ITEM.bad ? kind : this.#bad(BAD_KEY);
    const from = this.at;
    if (!this.passText()) return ITEM.bad;
    this.#keys.bytes = this.bytes;
    return this.#keys.addText(level, from, this.at) ? kind : this.#bad(DUPLICATE);
  }

  /** True at the very end: nothing may stand after the top-level item. */
  atEnd(): boolean {
    return this.at === this.end || this.fail(TRAILING);
  }

  #bad(fault: Breach): number {
    this.fail(fault);
    return ITEM.bad;
  }

  /** Arguments of 1, 2, 4 and 8 bytes; 28–31 are reserved or indefinite. */
  #argument(info: number): boolean {
    const { bytes, at } = this;
    const width = 1 << (info - 24);
    if (info > 27) return this.fail(MALFORMED);
    if (at + width > this.end) return this.fail(TRUNCATED);
    this.at = at + width;
    if (info === 24) this.value = bytes[at] as number;
    else if (info === 25) this.value = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    else if (info === 26) this.value = u32(bytes, at);
    else return this.#wide(at);
    return true;
  }

  #wide(at: number): boolean {
    const high = u32(this.bytes, at);
    if (high > 0x1f_ffff) return this.fail(TOO_BIG);
    this.value = high * 0x1_0000_0000 + u32(this.bytes, at + 4);
    return true;
  }

  #negative(): number {
    if (this.value >= Number.MAX_SAFE_INTEGER) return this.#bad(TOO_BIG);
    this.value = -1 - this.value;
    return ITEM.negative;
  }

  /** Strings, arrays and maps: their size is checked against the bytes that remain. */
  #sized(major: number): number {
    const left = this.end - this.at;
    if (major === ITEM.map) {
      if (this.value > PAIRS_MAX) return this.#bad(TOO_MANY_PAIRS);
      return this.value * 2 > left ? this.#bad(TRUNCATED) : major;
    }
    return this.value > left ? this.#bad(TRUNCATED) : major;
  }

  #typed(): number {
    const tag = this.value;
    const width = widthOfTag(tag);
    if (width === 0 || this.at >= this.end) return this.#bad(BAD_TAG);
    if ((this.bytes[this.at] as number) >>> 5 !== ITEM.bytes) return this.#bad(BAD_TAG);
    if (this.item() === ITEM.bad) return ITEM.bad;
    if (this.value % width !== 0) return this.#bad(BAD_TAG);
    this.tag = tag;
    return ITEM.typed;
  }

  #simple(info: number): number {
    if (info === 20 || info === 21) {
      this.value = info - 20;
      return ITEM.bool;
    }
    if (info === 22) return ITEM.null;
    if (info < 25 || info > 27) return this.#bad(MALFORMED);
    return this.#float(info);
  }

  #float(info: number): number {
    const { bytes, at } = this;
    const width = 1 << (info - 24);
    if (at + width > this.end) return this.#bad(TRUNCATED);
    this.at = at + width;
    if (info === 25) {
      this.value = half(((bytes[at] as number) << 8) | (bytes[at + 1] as number));
      return ITEM.float;
    }
    FLOAT.setUint32(0, u32(bytes, at));
    if (info === 27) FLOAT.setUint32(4, u32(bytes, at + 4));
    this.value = info === 26 ? FLOAT.getFloat32(0) : FLOAT.getFloat64(0);
    return ITEM.float;
  }

  #passArray(level: number): boolean {
    if (level > NESTING_MAX) return this.fail(TOO_DEEP);
    for (let left = this.value; left > 0; left -= 1) {
      if (!this.skip(level + 1)) return false;
    }
    return true;
  }

  #passMap(level: number): boolean {
    let left = this.value;
    if (!this.openMap(level)) return false;
    for (; left > 0; left -= 1) {
      if (this.key(level) === ITEM.bad || !this.skip(level + 1)) return false;
    }
    return true;
  }
}

const u32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) * 0x100_0000 +
  (((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number));

/** The value of an IEEE 754 half-precision float. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
