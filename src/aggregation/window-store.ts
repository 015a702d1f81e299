import { KEPT_WINDOWS } from '../model/limits.ts';
import type { ClassId } from '../model/reading.ts';
import type { EventUs } from '../model/time.ts';
import type { Aggregate, AggregateValue, Series, StatusId, WindowSeries } from '../model/window.ts';
import { physical, type Run } from './run.ts';

// One window is one row of figures, side by side: a fold touches one or two cache lines, and a
// device that has just begun costs one small array per series.
const START = 0;
const N = 1;
const MIN = 2;
const MAX = 3;
const SUM = 4;
const FIRST = 5;
const LAST = 6;
const TFIRST = 7;
const TLAST = 8;
const FLAGS = 9;
const STRIDE = 10;

/** Where an aggregate stands; `mean` is computed when asked for. */
const FIELD_OF: Readonly<Record<Exclude<Aggregate, 'mean'>, number>> = {
  n: N,
  min: MIN,
  max: MAX,
  sum: SUM,
  first: FIRST,
  last: LAST,
  tfirst: TFIRST,
  tlast: TLAST,
};

const STATUS_MASK = 3;
const TEXT_FLAG = 4;
const TOUCHED_FLAG = 8;

const FIRST_ROWS = 8;
/** Up to here rows double; then they grow by a quarter, for 300 windows fill what is left. */
const DOUBLING_ROWS = 256;
/** Above this, what a burst of windows took is given back. */
const SHRINK_ROWS = 1024;

/** A map entry, an object and two short texts. */
const TEXT_WINDOW_BYTES = 160;

/** First and last text of a window. */
interface TextEnds {
  first: string;
  last: string;
}

/**
 * The kept windows of one (series, class), sorted by start.
 *
 * Bounds: the newest 300 and all that can still change (`makeRoom`), 80 bytes each.
 */
export class WindowStore implements WindowSeries {
  readonly series: Series;
  readonly classId: ClassId;
  readonly lengthMs: number;
  /**
   * The unit of the class's last aggregated reading. Not that of the series: another class may
   * come from another log, and results must be a function of one log alone.
   */
  unit = '';
  #figures = new Float64Array(FIRST_ROWS * STRIDE);
  /** Index of the oldest window's first figure. */
  #head = 0;
  #count = 0;
  #dropped = 0;
  #texts: Map<number, TextEnds> | null = null;

  constructor(series: Series, classId: ClassId, lengthMs: number) {
    this.series = series;
    this.classId = classId;
    this.lengthMs = lengthMs;
  }

  get count(): number {
    return this.#count;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Memory that the windows take, about. Units: bytes. */
  get bytes(): number {
    return this.#figures.byteLength + (this.#texts?.size ?? 0) * TEXT_WINDOW_BYTES;
  }

  startAt(i: number): EventUs {
    return this.#get(i, START) as EventUs;
  }

  /** Index of the window that starts at `start`; −1 if it is not kept. */
  find(start: number): number {
    const newest = this.#count - 1;
    if (newest >= 0 && this.#get(newest, START) === start) return newest;
    const i = this.indexFrom(start as EventUs);
    return i < this.#count && this.#get(i, START) === start ? i : -1;
  }

  indexFrom(start: EventUs): number {
    let low = 0;
    let high = this.#count;
    // Nearly every new window is the newest.
    if (high > 0 && this.#get(high - 1, START) < start) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#get(middle, START) < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  statusAt(i: number): StatusId {
    return (this.#get(i, FLAGS) & STATUS_MASK) as StatusId;
  }

  setStatus(i: number, status: StatusId): void {
    this.#set(i, FLAGS, (this.#get(i, FLAGS) & ~STATUS_MASK) | status);
  }

  /** True if the window's first reading was text. */
  isText(i: number): boolean {
    return (this.#get(i, FLAGS) & TEXT_FLAG) !== 0;
  }

  /** Notes that the window changed; true the first time since `settle`. */
  touch(i: number): boolean {
    const flags = this.#get(i, FLAGS);
    if ((flags & TOUCHED_FLAG) !== 0) return false;
    this.#set(i, FLAGS, flags | TOUCHED_FLAG);
    return true;
  }

  /** Forgets that the window changed. */
  settle(i: number): void {
    this.#set(i, FLAGS, this.#get(i, FLAGS) & ~TOUCHED_FLAG);
  }

  valueAt(i: number, aggregate: Aggregate): AggregateValue {
    if (this.isText(i)) {
      const ends = this.#texts?.get(this.#get(i, START));
      if (aggregate === 'first') return ends?.first ?? null;
      if (aggregate === 'last') return ends?.last ?? null;
    }
    const value =
      aggregate === 'mean'
        ? this.#get(i, SUM) / this.#get(i, N)
        : this.#get(i, FIELD_OF[aggregate]);
    // A sum may overflow, and a text window's figures are infinite or NaN: both have no value.
    return Number.isFinite(value) ? value : null;
  }

  /** Adds the window that starts at `start`, which is not kept yet. Returns its index. */
  insert(start: number, status: StatusId, isText: boolean): number {
    if (this.#head + this.#count * STRIDE === this.#figures.length) this.#growOrCompact();
    const i = this.indexFrom(start as EventUs);
    const at = this.#head + i * STRIDE;
    const end = this.#head + this.#count * STRIDE;
    if (at < end) this.#figures.copyWithin(at + STRIDE, at, end);
    this.#count += 1;
    this.#blank(at, start, status);
    if (isText) this.#makeText(at, start);
    return i;
  }

  /**
   * Folds a run of numbers, in log order, into window i. The run's first row has a value.
   * Returns how many rows had one.
   */
  foldNumbers(i: number, run: Run): number {
    const figures = this.#figures;
    const at = this.#head + i * STRIDE;
    const { values, from, to, scale, offset, fid } = run;
    let min = figures[at + MIN] as number;
    let max = figures[at + MAX] as number;
    let sum = figures[at + SUM] as number;
    let last = from;
    let without = 0;
    for (let row = from; row < to; row += 1) {
      const value = (values[row] as number) * scale + offset;
      // The difference is NaN for NaN and for both infinities.
      if (value - value !== 0) {
        without += 1;
        continue;
      }
      last = row;
      sum += fid * value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    figures[at + MIN] = min;
    figures[at + MAX] = max;
    figures[at + SUM] = sum;
    const accepted = to - from - without;
    figures[at + N] = (figures[at + N] as number) + fid * accepted;
    if (this.#isFirst(at, run)) figures[at + FIRST] = physical(run, from);
    if (this.#isLast(at, run, last)) figures[at + LAST] = physical(run, last);
    return accepted;
  }

  /** Folds a run of texts into window i, as `foldNumbers` does with numbers. */
  foldTexts(i: number, run: Run): number {
    const at = this.#head + i * STRIDE;
    const texts = run.texts ?? [];
    const ends = this.#texts?.get(this.#figures[at + START] as number) ?? { first: '', last: '' };
    let last = run.from;
    let accepted = 0;
    for (let row = run.from; row < run.to; row += 1) {
      if (texts[row] === null) continue;
      accepted += 1;
      last = row;
    }
    this.#figures[at + N] = (this.#figures[at + N] as number) + run.fid * accepted;
    if (this.#isFirst(at, run)) ends.first = texts[run.from] ?? '';
    if (this.#isLast(at, run, last)) ends.last = texts[last] ?? '';
    return accepted;
  }

  /**
   * Drops the oldest windows while there are more than `keep`, but only those that end at or
   * before `closedUs`, which can never change again.
   */
  makeRoom(closedUs: number, keep = KEPT_WINDOWS): void {
    const lengthUs = this.lengthMs * 1000;
    while (this.#count > keep && this.#get(0, START) + lengthUs <= closedUs) {
      this.#texts?.delete(this.#get(0, START));
      this.#head += STRIDE;
      this.#count -= 1;
      this.#dropped += 1;
    }
    const rows = this.#figures.length / STRIDE;
    if (rows > SHRINK_ROWS && rows > 4 * this.#count) this.#resize(2 * this.#count + FIRST_ROWS);
  }

  /** Takes the time of the run's first row if it is earlier; on a tie the log's order decides. */
  #isFirst(at: number, run: Run): boolean {
    const time = run.times[run.from] as number;
    if (time >= (this.#figures[at + TFIRST] as number)) return false;
    this.#figures[at + TFIRST] = time;
    return true;
  }

  #isLast(at: number, run: Run, row: number): boolean {
    const time = run.times[row] as number;
    if (time < (this.#figures[at + TLAST] as number)) return false;
    this.#figures[at + TLAST] = time;
    return true;
  }

  #get(i: number, field: number): number {
    return this.#figures[this.#head + i * STRIDE + field] as number;
  }

  #set(i: number, field: number, value: number): void {
    this.#figures[this.#head + i * STRIDE + field] = value;
  }

  #blank(at: number, start: number, status: StatusId): void {
    const figures = this.#figures;
    figures.fill(0, at, at + STRIDE);
    figures[at + START] = start;
    figures[at + MIN] = Number.POSITIVE_INFINITY;
    figures[at + MAX] = Number.NEGATIVE_INFINITY;
    figures[at + TFIRST] = Number.POSITIVE_INFINITY;
    figures[at + TLAST] = Number.NEGATIVE_INFINITY;
    figures[at + FLAGS] = status;
  }

  #makeText(at: number, start: number): void {
    this.#figures[at + SUM] = Number.NaN;
    this.#figures[at + FLAGS] = (this.#figures[at + FLAGS] as number) | TEXT_FLAG;
    this.#texts ??= new Map();
    this.#texts.set(start, { first: '', last: '' });
  }

  /** Moving is cheap but not free: do it only where a sixteenth of the rows becomes usable. */
  #growOrCompact(): void {
    const rows = this.#figures.length / STRIDE;
    const isWorthMoving = this.#head * 16 >= this.#figures.length;
    const grown = rows < DOUBLING_ROWS ? rows * 2 : Math.ceil(rows * 1.25);
    this.#resize(isWorthMoving ? rows : grown);
  }

  #resize(rows: number): void {
    const end = this.#head + this.#count * STRIDE;
    if (rows * STRIDE === this.#figures.length) {
      this.#figures.copyWithin(0, this.#head, end);
    } else {
      const figures = new Float64Array(rows * STRIDE);
      figures.set(this.#figures.subarray(this.#head, end));
      this.#figures = figures;
    }
    this.#head = 0;
  }
}
