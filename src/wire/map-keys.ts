const SMALL_KEYS = 32;

/**
 * The keys seen so far in the maps that are being read, one map per nesting level.
 *
 * Shape: integers 0–31 are a bit each; others lie in a list of at most `pairs` per level, a text as
 * the range of its bytes. Bounds: levels × pairs entries, allocated once.
 */
export class MapKeys {
  /** Where the texts lie. */
  bytes: Uint8Array = new Uint8Array(0);
  readonly #pairs: number;
  readonly #mask: Int32Array;
  readonly #count: Int32Array;
  /** An integer key, or where a text key starts. */
  readonly #first: Float64Array;
  /** Where a text key ends, −1 for an integer. */
  readonly #end: Int32Array;

  constructor(levels: number, pairs: number) {
    this.#pairs = pairs;
    this.#mask = new Int32Array(levels);
    this.#count = new Int32Array(levels);
    this.#first = new Float64Array(levels * pairs);
    this.#end = new Int32Array(levels * pairs);
  }

  /** Forgets the keys of a level. */
  open(level: number): void {
    this.#mask[level] = 0;
    this.#count[level] = 0;
  }

  /** False if the integer is a key of this map already. */
  addInteger(level: number, key: number): boolean {
    if (key < 0 || key >= SMALL_KEYS) return this.#addLarge(level, key);
    const mask = this.#mask[level] as number;
    const bit = 1 << key;
    this.#mask[level] = mask | bit;
    return (mask & bit) === 0;
  }

  /** False if the text `bytes[from … to)` is a key of this map already. */
  addText(level: number, from: number, to: number): boolean {
    const base = level * this.#pairs;
    const last = base + (this.#count[level] as number);
    for (let i = base; i < last; i += 1) {
      const end = this.#end[i] as number;
      if (end >= 0 && this.#isSame(this.#first[i] as number, end, from, to)) return false;
    }
    this.#push(level, from, to);
    return true;
  }

  #addLarge(level: number, key: number): boolean {
    const base = level * this.#pairs;
    const last = base + (this.#count[level] as number);
    for (let i = base; i < last; i += 1) {
      if (this.#end[i] === -1 && this.#first[i] === key) return false;
    }
    this.#push(level, key, -1);
    return true;
  }

  #push(level: number, first: number, end: number): void {
    const count = this.#count[level] as number;
    this.#first[level * this.#pairs + count] = first;
    this.#end[level * this.#pairs + count] = end;
    this.#count[level] = count + 1;
  }

  #isSame(aFrom: number, aTo: number, bFrom: number, bTo: number): boolean {
    if (aTo - aFrom !== bTo - bFrom) return false;
    for (let i = 0; i < aTo - aFrom; i += 1) {
      if (this.bytes[aFrom + i] !== this.bytes[bFrom + i]) return false;
    }
    return true;
  }
}
