import { BLOCKS_MAX, ROWS_MAX } from '../model/limits.ts';
import type { Codec } from '../model/machine.ts';
import { AGGREGATES, type Aggregate, type WindowSeries } from '../model/window.ts';
import type { ServerBlock } from '../wire/messages.ts';
import { BYTE_BOUNDS, type ByteBounds } from './byte-bounds.ts';
import { ColumnScratch } from './column-scratch.ts';

/** What the rows of a subscription look like. */
export interface RowShape {
  readonly codec: Codec;
  readonly aggregates: readonly Aggregate[];
  /** Window length. Units: ms. */
  readonly lengthMs: number;
}

/**
 * Rows of one block are of one kind: one class and one status [R11.2-10], and all with text or all
 * without, so that numbers stay typed arrays.
 */
const STATUSES = 3;
const KINDS = 2 * 3 * STATUSES;

/**
 * The rows of one `data` message in the making. It counts what the message takes in each of the two
 * window forms ("window of many series", "many windows of one series") as rows are added, and in
 * the end the cheaper one is built.
 * Bounds: `ROWS_MAX` rows, `BLOCKS_MAX` blocks and the room given to `begin`. Source: PROTOCOL §11.2.
 */
export class Draft {
  readonly #columns = AGGREGATES.map(() => new ColumnScratch());
  readonly #starts = new Float64Array(ROWS_MAX);
  readonly #numbers = new Float64Array(ROWS_MAX);
  /** Per row: 2 × (class × 3 + status), and 1 more with text. */
  readonly #kinds = new Uint8Array(ROWS_MAX);
  /** By start and kind, the rows of a block of the first form. */
  readonly #windows = new Map<number, (number[] | undefined)[]>();
  /** The first rows of the blocks of the second form. */
  #runs: number[] = [];
  #rows = 0;
  #shape: RowShape = { codec: 'cbor', aggregates: [], lengthMs: 0 };
  #bounds: ByteBounds = BYTE_BOUNDS.cbor;
  #roomBytes = 0;
  /** The row read last holds text. */
  #isText = false;
  #windowsBytes = 0;
  #windowBlocks = 0;
  #runsBytes = 0;

  get rows(): number {
    return this.#rows;
  }

  /** Starts an empty message of at most `roomBytes`. */
  begin(shape: RowShape, roomBytes: number): void {
    this.#shape = shape;
    this.#bounds = BYTE_BOUNDS[shape.codec];
    this.#roomBytes = roomBytes;
    this.#rows = 0;
    this.#runs = [];
    this.#windows.clear();
    for (const column of this.#columns) column.clear();
    this.#windowsBytes = this.#bounds.dataHead;
    this.#runsBytes = this.#bounds.dataHead;
    this.#windowBlocks = 0;
  }

  /** Adds the i-th kept window as a row of series `number`; false if it does not fit any more. */
  add(windows: WindowSeries, i: number, number: number): boolean {
    if (this.#rows === ROWS_MAX) return false;
    const start = windows.startAt(i);
    const values = this.#read(windows, i);
    const isText = this.#isText ? 1 : 0;
    const kind = 2 * (windows.classId * STATUSES + windows.statusAt(i)) + isText;
    const isNewWindow = this.#windows.get(start)?.[kind] === undefined;
    const isNewRun = this.#isNewRun(number, kind);
    const { block, column, delta } = this.#bounds;
    const frame = block + column * this.#shape.aggregates.length;
    const numberBytes = this.#bounds.seriesNumber(number);
    const windowsBytes = this.#windowsBytes + values + numberBytes + (isNewWindow ? frame : 0);
    const runsBytes = this.#runsBytes + values + delta + (isNewRun ? frame + numberBytes : 0);
    const windowBlocks = this.#windowBlocks + (isNewWindow ? 1 : 0);
    const runs = this.#runs.length + (isNewRun ? 1 : 0);
    if (!this.#fits(windowsBytes, windowBlocks) && !this.#fits(runsBytes, runs)) return false;
    this.#windowsBytes = windowsBytes;
    this.#windowBlocks = windowBlocks;
    this.#runsBytes = runsBytes;
    this.#commit(start, kind, number, isNewRun);
    return true;
  }

  /** The blocks, in the cheaper form of those that fit; in each, a series' windows rise. */
  blocks(): ServerBlock[] {
    const isRunsAllowed = this.#fits(this.#runsBytes, this.#runs.length);
    const isWindowsAllowed = this.#fits(this.#windowsBytes, this.#windowBlocks);
    const isRunsCheaper = this.#runsBytes < this.#windowsBytes;
    return isRunsAllowed && (isRunsCheaper || !isWindowsAllowed)
      ? this.#asRuns()
      : this.#asWindows();
  }

  #fits(bytes: number, blocks: number): boolean {
    return bytes <= this.#roomBytes && blocks <= BLOCKS_MAX;
  }

  #isNewRun(number: number, kind: number): boolean {
    const last = this.#rows - 1;
    return last < 0 || this.#numbers[last] !== number || this.#kinds[last] !== kind;
  }

  /** Reads the values into the next row, and whether there is text; returns a bound of their bytes. */
  #read(windows: WindowSeries, i: number): number {
    let bytes = 0;
    let texts = 0;
    for (let a = 0; a < this.#shape.aggregates.length; a += 1) {
      const aggregate = this.#shape.aggregates[a] as Aggregate;
      const value = windows.valueAt(i, aggregate);
      this.#columns[a]?.set(this.#rows, value);
      if (typeof value === 'string') {
        bytes += this.#bounds.text(value);
        texts += 1;
      } else {
        bytes += aggregate === 'n' ? this.#bounds.count(value ?? 0) : this.#bounds.value(value);
      }
    }
    this.#isText = texts > 0;
    return texts > 0 ? bytes + this.#bounds.mixed * this.#shape.aggregates.length : bytes;
  }

  #commit(start: number, kind: number, number: number, isNewRun: boolean): void {
    const row = this.#rows;
    this.#starts[row] = start;
    this.#kinds[row] = kind;
    this.#numbers[row] = number;
    if (isNewRun) this.#runs.push(row);
    let kinds = this.#windows.get(start);
    if (kinds === undefined) {
      kinds = new Array<number[] | undefined>(KINDS).fill(undefined);
      this.#windows.set(start, kinds);
    }
    const rows = kinds[kind];
    if (rows === undefined) kinds[kind] = [row];
    else rows.push(row);
    this.#rows += 1;
  }

  #asWindows(): ServerBlock[] {
    const blocks: ServerBlock[] = [];
    for (const start of [...this.#windows.keys()].sort((a, b) => a - b)) {
      for (const rows of this.#windows.get(start) ?? []) {
        if (rows !== undefined) blocks.push(this.#block(rows, rows.length > 1));
      }
    }
    return blocks;
  }

  #asRuns(): ServerBlock[] {
    return this.#runs.map((first, r) => {
      const end = this.#runs[r + 1] ?? this.#rows;
      return this.#block(
        Array.from({ length: end - first }, (_, i) => first + i),
        false,
      );
    });
  }

  /** One block of these rows: with `isMany` of as many series, else of one series. */
  #block(rows: readonly number[], isMany: boolean): ServerBlock {
    const first = rows[0] as number;
    const kind = this.#kinds[first] as number;
    const v = this.#shape.aggregates.map((_, a) => (this.#columns[a] as ColumnScratch).take(rows));
    const d = isMany
      ? undefined
      : this.#deltas(
          rows,
          v.every((column) => typeof column !== 'object' || column === null),
        );
    const numberOf = (row: number): number => this.#numbers[row] as number;
    return {
      t: this.#starts[first] as number,
      dt: this.#shape.lengthMs * 1000,
      i: isMany ? rows.map(numberOf) : numberOf(first),
      d,
      v,
      st: (kind >> 1) % STATUSES || undefined,
      cl: Math.floor((kind >> 1) / STATUSES) || undefined,
    };
  }

  /** `d`, unless the windows follow each other and a column tells how many there are. [R11.2-15] */
  #deltas(rows: readonly number[], isAllScalar: boolean): number[] | undefined {
    if (rows.length === 1) return undefined;
    const startOf = (i: number): number => this.#starts[rows[i] as number] as number;
    const deltas = Array.from({ length: rows.length - 1 }, (_, i) => startOf(i + 1) - startOf(i));
    const isRegular = deltas.every((delta) => delta === this.#shape.lengthMs * 1000);
    return isRegular && !isAllScalar ? undefined : deltas;
  }
}
