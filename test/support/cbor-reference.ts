/**
 * The profile of PROTOCOL §3.1 once more, as plainly as it can be said, to check src/wire against.
 * Slow, and it throws.
 */

export type Value =
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | readonly Value[]
  | { readonly tag: number; readonly bytes: Uint8Array }
  | ReadonlyMap<number | string, Value>;

/** Bytes per element by tag. */
export const WIDTH_OF_TAG: Readonly<Record<number, number>> = {
  64: 1,
  69: 2,
  70: 4,
  71: 8,
  72: 1,
  77: 2,
  78: 4,
  79: 8,
  85: 4,
  86: 8,
};

class Malformed extends Error {}

/** The one item that `bytes` are, whose nesting is `level` if it is a container, or null. */
export function referenceDecode(bytes: Uint8Array, level: number): { value: Value } | null {
  try {
    const reader = new Reader(bytes);
    const value = reader.item(level);
    return reader.at === bytes.length ? { value } : null;
  } catch (error) {
    if (error instanceof Malformed || error instanceof RangeError || error instanceof TypeError) {
      return null;
    }
    throw error;
  }
}

class Reader {
  at = 0;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  item(level: number): Value {
    const initial = this.#view.getUint8(this.at);
    const major = initial >> 5;
    const info = initial & 31;
    this.at += 1;
    if (major === 7) return this.#simple(info);
    const argument = this.#argument(info);
    if (major === 0) return argument;
    if (major === 1) return safe(-1 - argument, argument < Number.MAX_SAFE_INTEGER);
    if (major === 2) return this.#take(argument);
    if (major === 3)
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        this.#take(argument),
      );
    if (major === 6) return this.#typed(argument);
    check(level <= 6);
    return major === 4 ? this.#array(argument, level) : this.#map(argument, level);
  }

  #argument(info: number): number {
    if (info < 24) return info;
    check(info <= 27);
    const size = 1 << (info - 24);
    const at = this.at;
    this.at += size;
    if (size === 1) return this.#view.getUint8(at);
    if (size === 2) return this.#view.getUint16(at);
    if (size === 4) return this.#view.getUint32(at);
    const wide = this.#view.getBigUint64(at);
    return safe(Number(wide), wide <= BigInt(Number.MAX_SAFE_INTEGER));
  }

  #simple(info: number): Value {
    if (info === 20) return false;
    if (info === 21) return true;
    if (info === 22) return null;
    check(info >= 25 && info <= 27);
    const at = this.at;
    this.at += 1 << (info - 24);
    if (info === 27) return this.#view.getFloat64(at);
    return info === 26 ? this.#view.getFloat32(at) : half(this.#view.getUint16(at));
  }

  #take(length: number): Uint8Array {
    check(this.at + length <= this.#bytes.length);
    this.at += length;
    return this.#bytes.slice(this.at - length, this.at);
  }

  #typed(tag: number): Value {
    const width = WIDTH_OF_TAG[tag];
    check(width !== undefined);
    const initial = this.#view.getUint8(this.at);
    check(initial >> 5 === 2);
    const bytes = this.item(0) as Uint8Array;
    check(bytes.length % (width as number) === 0);
    return { tag, bytes };
  }

  #array(count: number, level: number): Value {
    check(count <= this.#bytes.length);
    return Array.from({ length: count }, () => this.item(level + 1));
  }

  #map(count: number, level: number): Value {
    check(count <= 32);
    const map = new Map<number | string, Value>();
    for (let i = 0; i < count; i += 1) {
      const major = this.#view.getUint8(this.at) >> 5;
      check(major === 0 || major === 1 || major === 3);
      const key = this.item(level + 1) as number | string;
      check(!map.has(key));
      map.set(key, this.item(level + 1));
    }
    return map;
  }
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const sign = bits >> 15 === 1 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}

function safe(value: number, holds: boolean): number {
  check(holds);
  return value;
}

function check(holds: boolean): void {
  if (!holds) throw new Malformed();
}
