import { KEPT_WINDOWS, ROWS_MAX, WINDOWS_PER_FRAME_MAX } from '../model/limits.ts';
import { STATUS } from '../model/window.ts';
import type { FrameReader } from '../wire/frame-reader.ts';
import type { BoundFrame } from './bound-frame.ts';
import type { BoundColumn, BoundSet } from './bound-set.ts';
import type { Changes } from './changes.ts';
import type { ClassState } from './class-state.ts';
import type { Counters } from './counters.ts';
import { countValues, emptyRun, firstWithValue } from './run.ts';
import type { SeriesTable } from './series-table.ts';
import { type Timing, windowStart } from './timing.ts';
import type { WindowStore } from './window-store.ts';

/** Qualities from here on are bad. Source: [R5.2-11]. */
const QUALITY_BAD = 128;

/**
 * Puts the rows of one frame into windows: the hot loop. Rows are cut into runs of one window each,
 * once per block; then every column is folded run by run.
 * Guarantee: nothing is allocated per reading, nor per frame unless a window or series is new.
 */
export class FramePlacer {
  readonly #series: SeriesTable;
  readonly #changes: Changes;
  readonly #counters: Counters;
  readonly #windowUs: number;
  readonly #latenessUs: number;
  readonly #run = emptyRun(ROWS_MAX);
  readonly #qualities = new Uint8Array(ROWS_MAX);
  /** First row of each run, and behind the last run the row where it ends. */
  readonly #runFrom = new Uint16Array(ROWS_MAX + 1);
  readonly #runStart = new Float64Array(ROWS_MAX);
  #runs = 0;
  /** The current block's rows: late before `#placedFrom`, future from `#placedTo` on. */
  #placedFrom = 0;
  #placedTo = 0;
  #rows = 0;
  #hasBad = false;
  /** Windows that start before these are closed for good, or final. Units: µs. */
  #closedUs = 0;
  #finalUs = 0;
  #futureUs = 0;
  /** (series, window) pairs that the frame may still touch. */
  #windowsLeft = 0;

  constructor(series: SeriesTable, changes: Changes, counters: Counters, timing: Timing) {
    this.#series = series;
    this.#changes = changes;
    this.#counters = counters;
    this.#windowUs = timing.windowUs;
    this.#latenessUs = timing.latenessUs;
  }

  /**
   * Sets what is late and final (by the watermark before this frame) and what is future: from
   * `futureUs` on. Units: µs.
   */
  begin(watermarkUs: number, futureUs: number): void {
    this.#finalUs = windowStart(watermarkUs, this.#windowUs);
    this.#closedUs = windowStart(watermarkUs - this.#latenessUs, this.#windowUs);
    this.#futureUs = futureUs;
    this.#windowsLeft = WINDOWS_PER_FRAME_MAX;
  }

  /** Places the rows of a frame. Returns its highest event time that is not future, or −∞. */
  place({ reader, sets, target }: BoundFrame): number {
    let highestUs = Number.NEGATIVE_INFINITY;
    for (let b = 0; b < sets.length; b += 1) {
      this.#cut(reader, b);
      const columns = this.#limit(reader, b);
      this.#counters.refused += columns * (this.#placedTo - (this.#runFrom[this.#runs] as number));
      this.#block(reader, b, target, sets[b] as BoundSet);
      const { times } = this.#run;
      if (this.#placedTo > 0) highestUs = Math.max(highestUs, times[this.#placedTo - 1] as number);
    }
    return highestUs;
  }

  /**
   * Makes series that `place` would make for a frame, `most` of them, and does nothing else: making
   * one takes longer than placing its first rows. Returns how many, fewer than `most` if no more
   * are missing.
   */
  prepare({ reader, sets, target }: BoundFrame, most: number): number {
    const before = target.log.storeCount;
    for (let b = 0; b < sets.length; b += 1) {
      this.#cut(reader, b);
      this.#limit(reader, b);
      const { columns } = sets[b] as BoundSet;
      for (let c = 0; c < columns.length && this.#runs > 0; c += 1) {
        const column = columns[c] as BoundColumn;
        if (column.store !== null || !this.#hasRows(reader, b, c)) continue;
        column.store = this.#series.storeOf(target, column);
        if (target.log.storeCount - before === most) return most;
      }
    }
    return target.log.storeCount - before;
  }

  /** Places the rows of block b, which are cut. */
  #block(reader: FrameReader, b: number, target: ClassState, set: BoundSet): void {
    for (let c = 0; c < set.columns.length; c += 1) {
      if (reader.kind(b, c) === 'absent') continue;
      this.#counters.late += this.#placedFrom;
      this.#counters.future += this.#rows - this.#placedTo;
      if (this.#runs === 0) continue;
      this.#read(reader, b, c);
      this.#column(target, set.columns[c] as BoundColumn);
    }
  }

  /** A row of this column, among those that will be placed, has a value. */
  #hasRows(reader: FrameReader, b: number, c: number): boolean {
    if (reader.kind(b, c) === 'absent') return false;
    this.#read(reader, b, c);
    const run = this.#run;
    run.from = this.#runFrom[0] as number;
    run.to = this.#runFrom[this.#runs] as number;
    return firstWithValue(run) < run.to;
  }

  /** Reads times and qualities of block b and cuts its rows into runs. */
  #cut(reader: FrameReader, b: number): void {
    const run = this.#run;
    const rows = reader.rows(b);
    reader.times(b, run.times);
    run.fid = reader.fid(b);
    this.#rows = rows;
    this.#placedTo = this.#firstRow(rows, this.#futureUs);
    this.#placedFrom = this.#firstRow(this.#placedTo, this.#closedUs);
    this.#cutRuns();
    reader.qualities(b, this.#qualities);
    this.#hasBad = this.#findBad(rows);
  }

  /** First of the block's first `rows` rows whose time is at or after `timeUs`; else `rows`. */
  #firstRow(rows: number, timeUs: number): number {
    const { times } = this.#run;
    // Nearly always all rows are before it (future) or none is (late): look at the ends first.
    if (rows === 0 || (times[rows - 1] as number) < timeUs) return rows;
    let row = 0;
    while ((times[row] as number) < timeUs) row += 1;
    return row;
  }

  #cutRuns(): void {
    const { times } = this.#run;
    const to = this.#placedTo;
    let row = this.#placedFrom;
    this.#runs = 0;
    while (row < to) {
      const start = windowStart(times[row] as number, this.#windowUs);
      this.#runFrom[this.#runs] = row;
      this.#runStart[this.#runs] = start;
      this.#runs += 1;
      const end = start + this.#windowUs;
      // Times never decrease within a block, so most blocks are one run.
      if ((times[to - 1] as number) < end) row = to;
      else while (row < to && (times[row] as number) < end) row += 1;
    }
    this.#runFrom[this.#runs] = to;
  }

  /**
   * Leaves out the runs that are too many for the frame, of all columns alike: a constant column
   * has readings without bytes, and would open windows without bound. Source: [R9.1-6]. Returns how
   * many columns the block has.
   */
  #limit(reader: FrameReader, b: number): number {
    let columns = 0;
    for (let c = 0; c < reader.columnCount(b); c += 1) {
      if (reader.kind(b, c) !== 'absent') columns += 1;
    }
    this.#runs = Math.min(this.#runs, Math.floor(this.#windowsLeft / Math.max(1, columns)));
    this.#windowsLeft -= this.#runs * columns;
    return columns;
  }

  #findBad(rows: number): boolean {
    for (let row = 0; row < rows; row += 1) {
      if ((this.#qualities[row] as number) >= QUALITY_BAD) return true;
    }
    return false;
  }

  #read(reader: FrameReader, b: number, c: number): void {
    if (reader.kind(b, c) === 'text') this.#readTexts(reader, b, c);
    else this.#readNumbers(reader, b, c);
  }

  /** A value of bad quality is treated as none: both are excluded. */
  #readNumbers(reader: FrameReader, b: number, c: number): void {
    const { values } = this.#run;
    this.#run.texts = null;
    reader.numbers(b, c, values);
    if (!this.#hasBad) return;
    for (let row = 0; row < this.#rows; row += 1) {
      if ((this.#qualities[row] as number) >= QUALITY_BAD) values[row] = Number.NaN;
    }
  }

  #readTexts(reader: FrameReader, b: number, c: number): void {
    const isBad = (row: number): boolean => (this.#qualities[row] as number) >= QUALITY_BAD;
    const texts = reader.texts(b, c);
    this.#run.texts = this.#hasBad ? texts.map((text, row) => (isBad(row) ? null : text)) : texts;
  }

  #column(target: ClassState, column: BoundColumn): void {
    this.#run.scale = column.scale;
    this.#run.offset = column.offset;
    for (let k = 0; k < this.#runs; k += 1) {
      this.#run.from = this.#runFrom[k] as number;
      this.#run.to = this.#runFrom[k + 1] as number;
      this.#foldRun(target, column, this.#runStart[k] as number);
    }
  }

  /** Guarantee: each row of the run is counted exactly once. */
  #foldRun(target: ClassState, column: BoundColumn, start: number): void {
    const run = this.#run;
    const counters = this.#counters;
    const rows = run.to - run.from;
    run.from = firstWithValue(run);
    if (run.from === run.to) {
      counters.excluded += rows;
      return;
    }
    column.store ??= this.#series.storeOf(target, column);
    if (column.store === null) {
      const refused = countValues(run);
      counters.refused += refused;
      counters.excluded += rows - refused;
      return;
    }
    const aggregated = this.#foldInto(target, column.store, start);
    if (aggregated > 0) setUnit(column.store, column.unit);
    counters.aggregated += aggregated;
    counters.excluded += rows - aggregated;
  }

  /** Folds the run unless the window is of the other kind. Returns how many rows it took. */
  #foldInto(target: ClassState, store: WindowStore, start: number): number {
    const run = this.#run;
    const found = store.find(start);
    const i = found >= 0 ? found : this.#insert(target, store, start);
    if (store.isText(i) !== (run.texts !== null)) return 0;
    if (start < this.#finalUs) store.setStatus(i, STATUS.corrected);
    this.#changes.note(store, i);
    return run.texts === null ? store.foldNumbers(i, run) : store.foldTexts(i, run);
  }

  #insert(target: ClassState, store: WindowStore, start: number): number {
    // Only closed windows go, and each of them is older than the new one.
    store.makeRoom(this.#closedUs, KEPT_WINDOWS - 1);
    if (start >= this.#finalUs) target.open.add(start, store);
    return store.insert(start, STATUS.provisional, this.#run.texts !== null);
  }
}

function setUnit(store: WindowStore, unit: string): void {
  if (store.unit !== unit) store.unit = unit;
  if (store.series.unit !== unit) store.series.unit = unit;
}
