import { breach } from '../model/errors.ts';
import { BLOCKS_MAX, COLUMNS_MAX, TEXT_BYTES_MAX } from '../model/limits.ts';
import { type BlockPool, FORM, HOLDS, type Spans } from './block-pool.ts';
import { type CborCursor, ITEM } from './cbor-cursor.ts';
import { isUintTag, widthOfTag } from './typed-array.ts';

/** Nesting of a block in a `data` message, and of what stands in it. */
const BLOCK_LEVEL = 3;
const VALUE_LEVEL = 4;

/** Keys of a device block. Source: App. A `dblock`. */
const KEY = { s: 0, t: 1, dt: 2, d: 3, v: 4, q: 5, fid: 8 } as const;
const REQUIRED = (1 << KEY.s) | (1 << KEY.t) | (1 << KEY.v);

const WRONG_TYPE = breach(4000, 'a block key has another type than the protocol gives it');
const MISSING = breach(4000, 'a required block key is missing');
const MUST_UNDERSTAND = breach(4005, 'a must-understand key that is not known');

/**
 * Reads `[+ dblock]` in place into a pool: checks the profile and the types of App. A, notes where
 * values lie, and never looks at the payload of a typed array.
 */
export class BlockReader {
  readonly #cursor: CborCursor;
  readonly #pool: BlockPool;
  #block = 0;
  #nextColumn = 0;

  constructor(cursor: CborCursor, pool: BlockPool) {
    this.#cursor = cursor;
    this.#pool = pool;
  }

  /** The value of `b`. False after a breach. */
  read(): boolean {
    const cursor = this.#cursor;
    if (cursor.item() !== ITEM.array || cursor.value < 1) return cursor.fail(WRONG_TYPE);
    const count = cursor.value;
    this.#pool.blocks = count;
    this.#nextColumn = 0;
    for (let block = 0; block < count; block += 1) {
      // Beyond the limit blocks are checked, and the last place is written over.
      this.#block = block < BLOCKS_MAX ? block : BLOCKS_MAX - 1;
      if (block >= BLOCKS_MAX) this.#nextColumn = this.#pool.firstColumn[BLOCKS_MAX - 1] as number;
      if (!this.#readBlock()) return false;
    }
    return true;
  }

  #readBlock(): boolean {
    const cursor = this.#cursor;
    if (cursor.item() !== ITEM.map) return cursor.fail(WRONG_TYPE);
    const pairs = cursor.value;
    this.#clear();
    cursor.openMap(BLOCK_LEVEL);
    let seen = 0;
    for (let left = pairs; left > 0; left -= 1) {
      const kind = cursor.key(BLOCK_LEVEL);
      if (kind === ITEM.uint) {
        const key = cursor.value;
        if (key <= KEY.fid) seen |= 1 << key;
        if (!this.#readValue(key)) return cursor.fail(WRONG_TYPE);
      } else if (kind === ITEM.text) {
        if (!cursor.skip(VALUE_LEVEL)) return false;
      } else return kind === ITEM.bad ? false : cursor.fail(MUST_UNDERSTAND);
    }
    return (seen & REQUIRED) === REQUIRED || cursor.fail(MISSING);
  }

  #clear(): void {
    const pool = this.#pool;
    const block = this.#block;
    pool.hasDt[block] = 0;
    pool.fid[block] = 1;
    pool.arrayRows[block] = -1;
    pool.d.form[block] = FORM.absent;
    pool.q.form[block] = FORM.absent;
    pool.firstColumn[block] = this.#nextColumn;
  }

  #readValue(key: number): boolean {
    const pool = this.#pool;
    switch (key) {
      case KEY.s:
        return this.#readUint(pool.set);
      case KEY.t:
        return this.#readTime();
      case KEY.dt:
        return this.#readStep();
      case KEY.d:
        return this.#readUints(pool.d, this.#cursor.item());
      case KEY.v:
        return this.#readColumns();
      case KEY.q:
        return this.#readQuality();
      case KEY.fid:
        return this.#readUint(pool.fid);
      default:
        return this.#cursor.skip(VALUE_LEVEL);
    }
  }

  #readUint(into: Float64Array): boolean {
    if (this.#cursor.item() !== ITEM.uint) return false;
    into[this.#block] = this.#cursor.value;
    return true;
  }

  #readTime(): boolean {
    const kind = this.#cursor.item();
    if (kind !== ITEM.uint && kind !== ITEM.negative) return false;
    this.#pool.t[this.#block] = this.#cursor.value;
    return true;
  }

  #readStep(): boolean {
    const kind = this.#cursor.item();
    if (kind !== ITEM.uint && kind !== ITEM.negative && kind !== ITEM.float) return false;
    this.#pool.dt[this.#block] = this.#cursor.value;
    this.#pool.hasDt[this.#block] = 1;
    return true;
  }

  #readQuality(): boolean {
    const at = this.#cursor.at;
    const kind = this.#cursor.item();
    if (kind !== ITEM.uint) return this.#readUints(this.#pool.q, kind);
    this.#pool.q.set(this.#block, FORM.scalar, at, 1);
    return true;
  }

  #readUints(spans: Spans, kind: number): boolean {
    const cursor = this.#cursor;
    if (kind === ITEM.typed) {
      if (!isUintTag(cursor.tag)) return false;
      this.#noteTyped(spans, this.#block);
      return true;
    }
    if (kind !== ITEM.array) return false;
    const count = cursor.value;
    spans.set(this.#block, FORM.list, cursor.at, count);
    for (let left = count; left > 0; left -= 1) if (cursor.item() !== ITEM.uint) return false;
    return true;
  }

  /** Notes the typed array that `item()` found and passes its payload. Returns its length. */
  #noteTyped(spans: Spans, index: number): number {
    const cursor = this.#cursor;
    const count = cursor.value / widthOfTag(cursor.tag);
    spans.set(index, cursor.tag, cursor.at, count);
    cursor.at += cursor.value;
    return count;
  }

  #readColumns(): boolean {
    const cursor = this.#cursor;
    if (cursor.item() !== ITEM.array || cursor.value < 1) return false;
    const count = cursor.value;
    const first = this.#nextColumn;
    this.#pool.columns[this.#block] = count;
    for (let i = 0; i < count; i += 1) {
      // Beyond the limit columns are checked, and the last place is written over.
      if (!this.#readColumn(first + (i < COLUMNS_MAX ? i : COLUMNS_MAX - 1))) return false;
    }
    this.#nextColumn = first + Math.min(count, COLUMNS_MAX);
    return true;
  }

  #readColumn(column: number): boolean {
    const cursor = this.#cursor;
    const pool = this.#pool;
    const at = cursor.at;
    const kind = cursor.item();
    if (kind === ITEM.typed) {
      pool.holds[column] = HOLDS.number;
      this.#noteRows(this.#noteTyped(pool.column, column));
      return true;
    }
    if (kind === ITEM.array) return this.#readList(column);
    pool.column.set(column, kind === ITEM.null ? FORM.absent : FORM.scalar, at, 1);
    return this.#readScalar(column, kind, 0);
  }

  #readList(column: number): boolean {
    const cursor = this.#cursor;
    const count = cursor.value;
    this.#pool.column.set(column, FORM.list, cursor.at, count);
    this.#noteRows(count);
    this.#pool.holds[column] = 0;
    for (let left = count; left > 0; left -= 1) {
      if (!this.#readScalar(column, cursor.item(), this.#pool.holds[column] as number))
        return false;
    }
    return true;
  }

  /** Adds what a scalar is to `before`, what its column holds so far. */
  #readScalar(column: number, kind: number, before: number): boolean {
    const { holds } = this.#pool;
    if (kind === ITEM.text) {
      const long = this.#cursor.value > TEXT_BYTES_MAX ? HOLDS.longText : 0;
      holds[column] = before | HOLDS.text | long;
      return this.#cursor.passText();
    }
    if (kind === ITEM.null) {
      holds[column] = before;
      return true;
    }
    holds[column] = before | HOLDS.number;
    return kind <= ITEM.negative || kind === ITEM.bool || kind === ITEM.float;
  }

  #noteRows(count: number): void {
    const { arrayRows } = this.#pool;
    if ((arrayRows[this.#block] as number) < 0) arrayRows[this.#block] = count;
  }
}
