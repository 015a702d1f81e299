import { type Breach, breach } from '../model/errors.ts';
import { BLOCKS_MAX, EVENT_US_MAX, ROWS_MAX } from '../model/limits.ts';
import { type BlockPool, FORM, HOLDS, type Spans } from './block-pool.ts';
import { type CborCursor, ITEM } from './cbor-cursor.ts';
import { copyNumbers, numberOf, type Source } from './numbers.ts';
import { TAG } from './typed-array.ts';
import { textOf } from './utf8.ts';

/** What a column holds. */
export type ColumnKind = 'absent' | 'numeric' | 'text';

const QUALITY_MAX = 255;

const TOO_MANY_BLOCKS = breach(4021, `more than ${BLOCKS_MAX} blocks in a frame`);
const COLUMNS = breach(4021, 'v has not one entry per column of the set');
const ROWS = breach(4021, `a block has 1 to ${ROWS_MAX} rows`);
const LENGTHS = breach(4021, 'columns, q and d do not have the same number of rows');
const STEP = breach(4021, 'dt is negative or not finite, or stands with d');
const TIMES = breach(4021, 'times lie in 1970–2200');
const QUALITY = breach(4021, 'q is at most 255');
const FIDELITY = breach(4021, 'fid is at least 1');
const MIXED = breach(4021, 'a column holds numbers or text, not both');
const LONG_TEXT = breach(4021, 'a text of a column is at most 256 bytes');

/** The rules of §5.2 and the values of the blocks in a pool. Source: PROTOCOL §5.2. */
export class BlockValues {
  readonly #cursor: CborCursor;
  readonly #pool: BlockPool;
  readonly #source: Source = { bytes: new Uint8Array(0), form: 0, at: 0, count: 0 };
  /** Deltas and qualities on their way. */
  readonly #scratch = new Float64Array(ROWS_MAX);

  constructor(cursor: CborCursor, pool: BlockPool) {
    this.#cursor = cursor;
    this.#pool = pool;
  }

  /** Rows: [R5.2-2]. */
  rows(i: number): number {
    const { arrayRows, d } = this.#pool;
    const rows = arrayRows[i] as number;
    if (rows >= 0) return rows;
    return d.form[i] === FORM.absent ? 1 : (d.count[i] as number) + 1;
  }

  /** Rejects: 4021. */
  shape(i: number, columns: number): Breach | null {
    const pool = this.#pool;
    if (pool.blocks > BLOCKS_MAX) return TOO_MANY_BLOCKS;
    if (pool.columns[i] !== columns) return COLUMNS;
    if ((pool.fid[i] as number) < 1) return FIDELITY;
    const rows = this.rows(i);
    if (rows < 1 || rows > ROWS_MAX) return ROWS;
    return this.#faultOfColumns(i, rows) ?? this.#faultOfTimes(i, rows) ?? this.#faultOfQ(i, rows);
  }

  /** Event times: [R5.2-4], [R5.2-5]. */
  times(i: number, out: Float64Array): void {
    const pool = this.#pool;
    const t = pool.t[i] as number;
    out[0] = t;
    const rows = this.rows(i);
    if (pool.d.form[i] !== FORM.absent) {
      this.#copy(pool.d, i, out, 1);
      for (let row = 1; row < rows; row += 1)
        out[row] = (out[row - 1] as number) + (out[row] as number);
      return;
    }
    const dt = pool.dt[i] as number;
    for (let row = 1; row < rows; row += 1) out[row] = t + Math.floor(row * dt);
  }

  kind(i: number, column: number): ColumnKind {
    const at = (this.#pool.firstColumn[i] as number) + column;
    if (this.#pool.column.form[at] === FORM.absent) return 'absent';
    return ((this.#pool.holds[at] as number) & HOLDS.text) === 0 ? 'numeric' : 'text';
  }

  numbers(i: number, column: number, out: Float64Array): void {
    const spans = this.#pool.column;
    const at = (this.#pool.firstColumn[i] as number) + column;
    const form = spans.form[at] as number;
    if (form === FORM.absent) out.fill(Number.NaN, 0, this.rows(i));
    else if (form === FORM.scalar) out.fill(this.#scalar(spans.at[at] as number), 0, this.rows(i));
    else this.#copy(spans, at, out, 0);
  }

  texts(i: number, column: number): (string | null)[] {
    const spans = this.#pool.column;
    const at = (this.#pool.firstColumn[i] as number) + column;
    this.#cursor.at = spans.at[at] as number;
    if (spans.form[at] === FORM.scalar) return new Array(this.rows(i)).fill(this.#text());
    const texts: (string | null)[] = [];
    for (let left = spans.count[at] as number; left > 0; left -= 1) texts.push(this.#text());
    return texts;
  }

  qualities(i: number, out: Uint8Array): void {
    const { q } = this.#pool;
    const rows = this.rows(i);
    const form = q.form[i] as number;
    if (form === FORM.absent) out.fill(0, 0, rows);
    else if (form === FORM.scalar) out.fill(this.#scalar(q.at[i] as number), 0, rows);
    else {
      this.#copy(q, i, this.#scratch, 0);
      for (let row = 0; row < rows; row += 1) out[row] = this.#scratch[row] as number;
    }
  }

  #faultOfColumns(i: number, rows: number): Breach | null {
    const { column, columns, firstColumn, holds } = this.#pool;
    const first = firstColumn[i] as number;
    for (let at = first; at < first + (columns[i] as number); at += 1) {
      if ((column.form[at] as number) > FORM.scalar && column.count[at] !== rows) return LENGTHS;
      const held = holds[at] as number;
      if ((held & HOLDS.longText) !== 0) return LONG_TEXT;
      if (held === (HOLDS.number | HOLDS.text)) return MIXED;
    }
    return null;
  }

  /** Times never decrease: the first and the last one bound all. */
  #faultOfTimes(i: number, rows: number): Breach | null {
    const { d, dt, hasDt, t } = this.#pool;
    const first = t[i] as number;
    const step = dt[i] as number;
    const hasStep = hasDt[i] === 1;
    let last = first;
    if (d.form[i] !== FORM.absent) {
      if (hasStep) return STEP;
      if (d.count[i] !== rows - 1) return LENGTHS;
      last += this.#sum(d, i);
    } else if (hasStep) {
      if (!(step >= 0 && step < Number.POSITIVE_INFINITY)) return STEP;
      last += Math.floor((rows - 1) * step);
    } else if (rows > 1) return LENGTHS;
    return first >= 0 && last < EVENT_US_MAX ? null : TIMES;
  }

  #faultOfQ(i: number, rows: number): Breach | null {
    const { q } = this.#pool;
    const form = q.form[i] as number;
    if (form === FORM.absent) return null;
    if (form === FORM.scalar) {
      return this.#scalar(q.at[i] as number) > QUALITY_MAX ? QUALITY : null;
    }
    if (q.count[i] !== rows) return LENGTHS;
    if (form === TAG.uint8) return null;
    this.#copy(q, i, this.#scratch, 0);
    for (let row = 0; row < rows; row += 1) {
      if ((this.#scratch[row] as number) > QUALITY_MAX) return QUALITY;
    }
    return null;
  }

  #sum(spans: Spans, index: number): number {
    this.#copy(spans, index, this.#scratch, 0);
    let sum = 0;
    for (let k = 0; k < (spans.count[index] as number); k += 1) sum += this.#scratch[k] as number;
    return sum;
  }

  #copy(spans: Spans, index: number, out: Float64Array, first: number): void {
    const source = this.#source;
    source.bytes = this.#cursor.bytes;
    source.form = spans.form[index] as number;
    source.at = spans.at[index] as number;
    source.count = spans.count[index] as number;
    copyNumbers(source, this.#cursor, out, first);
  }

  #scalar(at: number): number {
    this.#cursor.at = at;
    return numberOf(this.#cursor, this.#cursor.item());
  }

  #text(): string | null {
    const cursor = this.#cursor;
    if (cursor.item() !== ITEM.text) return null;
    const from = cursor.at;
    cursor.at += cursor.value;
    return textOf(cursor.bytes, from, cursor.at);
  }
}
