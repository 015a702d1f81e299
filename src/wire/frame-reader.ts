import { type Breach, breach } from '../model/errors.ts';
import { BlockPool } from './block-pool.ts';
import { BlockReader } from './block-reader.ts';
import { BlockValues, type ColumnKind } from './block-values.ts';
import { CborCursor, ITEM } from './cbor-cursor.ts';
import { KIND } from './messages.ts';

const NOT_DATA = breach(4000, 'not a data message with k, c and n');
const UNKNOWN_KIND = breach(4005, 'unknown kind of message');
const MUST_UNDERSTAND = breach(4005, 'a must-understand key that is not known');
const WRONG_ORDER = breach(4000, 'k, c, n, lost come first, in this order');
const WRONG_TYPE = breach(4000, 'a key has another type than the protocol gives it');
const NO_BLOCKS = breach(4000, 'a data message without blocks');
const LOST_TOO_BIG = breach(4000, 'lost is not less than n');

/**
 * Reads the `data` message of a device in place: the whole profile of §3.1 and the types of App. A
 * at once in `read`, the rules of §5.2 block by block in `shape`, values on demand.
 *
 * Guarantee: never throws for any bytes, and allocates nothing per frame but the texts asked for.
 * The accessors look into the bytes given to `read`: they hold until these change. Accessors of a
 * block need a `shape` that returned null, `set` aside.
 * Source: PROTOCOL §3, §5.2, App. A `data`, `dblock`.
 */
export class FrameReader {
  c = 0;
  n = 0;
  lost = 0;
  /** −1 when absent. */
  bl = -1;
  /** NaN when absent. Units: µs. */
  wm = Number.NaN;
  readonly #cursor = new CborCursor();
  readonly #pool = new BlockPool();
  readonly #blocks = new BlockReader(this.#cursor, this.#pool);
  readonly #values = new BlockValues(this.#cursor, this.#pool);

  /** Null for a good frame. Rejects: 4000, 4005. */
  read(bytes: Uint8Array): Breach | null {
    const cursor = this.#cursor;
    cursor.open(bytes);
    this.#pool.blocks = 0;
    const isGood = this.#readMessage() && cursor.atEnd();
    return isGood ? null : (cursor.fault ?? WRONG_TYPE);
  }

  /** Blocks in the frame; more than 64 are counted, and refused by `shape`. */
  get blockCount(): number {
    return this.#pool.blocks;
  }

  /** Set id of block i. */
  set(i: number): number {
    return this.#pool.set[i] as number;
  }

  /** Raw samples that a row of block i stands for, 1 if absent. */
  fid(i: number): number {
    return this.#pool.fid[i] as number;
  }

  /** Rows of block i. */
  rows(i: number): number {
    return this.#values.rows(i);
  }

  /** Entries in `v` of block i. */
  columnCount(i: number): number {
    return this.#pool.columns[i] as number;
  }

  /** Checks §5.2 for block i of a set with so many columns. Rejects: 4021. */
  shape(i: number, columns: number): Breach | null {
    return this.#values.shape(i, columns);
  }

  /** Event times of the rows. Units: µs. Shape: `rows(i)` entries of `out` are written. */
  times(i: number, out: Float64Array): void {
    this.#values.times(i, out);
  }

  /** Absent for a column that is null; a list of nulls only is numeric. */
  kind(i: number, column: number): ColumnKind {
    return this.#values.kind(i, column);
  }

  /** Raw values, before scale and offset; booleans are 0 and 1, "no value" is NaN. */
  numbers(i: number, column: number, out: Float64Array): void {
    this.#values.numbers(i, column, out);
  }

  /** The texts of a text column, null for "no value". */
  texts(i: number, column: number): (string | null)[] {
    return this.#values.texts(i, column);
  }

  /** Quality of every row, 0 where the block has none. */
  qualities(i: number, out: Uint8Array): void {
    this.#values.qualities(i, out);
  }

  #readMessage(): boolean {
    const cursor = this.#cursor;
    if (cursor.item() !== ITEM.map || cursor.value < 1) return cursor.fail(NOT_DATA);
    const pairs = cursor.value;
    cursor.openMap(1);
    if (!this.#readHead(pairs)) return false;
    this.lost = 0;
    this.bl = -1;
    this.wm = Number.NaN;
    for (let i = 3; i < pairs; i += 1) {
      const kind = cursor.key(1);
      if (kind === ITEM.uint) {
        if (!this.#readValue(cursor.value, i)) return cursor.fail(WRONG_TYPE);
      } else if (kind === ITEM.text) {
        if (!cursor.skip(2)) return false;
      } else return kind === ITEM.bad ? false : cursor.fail(MUST_UNDERSTAND);
    }
    if (this.#pool.blocks === 0) return cursor.fail(NO_BLOCKS);
    return this.lost < this.n || cursor.fail(LOST_TOO_BIG);
  }

  #readHead(pairs: number): boolean {
    const cursor = this.#cursor;
    if (!this.#readHeadKey(0)) return cursor.fail(NOT_DATA);
    if (cursor.value > KIND.end) return cursor.fail(UNKNOWN_KIND);
    if (cursor.value !== KIND.data || pairs < 3) return cursor.fail(NOT_DATA);
    if (!this.#readHeadKey(1)) return cursor.fail(NOT_DATA);
    this.c = cursor.value;
    if (!this.#readHeadKey(2) || cursor.value < 1) return cursor.fail(NOT_DATA);
    this.n = cursor.value;
    return true;
  }

  /** One of `k`, `c`, `n`; the cursor has its value. */
  #readHeadKey(key: number): boolean {
    const cursor = this.#cursor;
    return cursor.key(1) === ITEM.uint && cursor.value === key && cursor.item() === ITEM.uint;
  }

  #readValue(key: number, index: number): boolean {
    const cursor = this.#cursor;
    if (key === 3) return this.#blocks.read();
    if (key !== 4 && key !== 6 && key !== 7) return cursor.skip(2);
    if (key === 4 && index !== 3) return cursor.fail(WRONG_ORDER);
    const kind = cursor.item();
    if (kind !== ITEM.uint && !(key === 7 && kind === ITEM.negative)) return false;
    if (key === 4) this.lost = cursor.value;
    else if (key === 6) this.bl = cursor.value;
    else this.wm = cursor.value;
    return true;
  }
}
