import { BLOCKS_MAX, COLUMNS_MAX } from '../model/limits.ts';

/** How a column, or a list of uints, lies in the bytes: a typed-array tag, or one of these. */
export const FORM = {
  absent: 0,
  /** One value for all rows. */
  scalar: 1,
  /** A plain array, item by item. */
  list: 2,
} as const;

/** What a column holds, bits. */
export const HOLDS = { number: 1, text: 2, longText: 4 } as const;

/**
 * The blocks of one frame and their columns as a structure of arrays, allocated once.
 *
 * Bounds: 64 blocks of 64 columns are kept; `blocks` and `columns` count further, and what is
 * beyond is refused by the shape check anyhow.
 */
export class BlockPool {
  blocks = 0;
  readonly set = new Float64Array(BLOCKS_MAX);
  readonly t = new Float64Array(BLOCKS_MAX);
  /** NaN when absent: a `dt` of NaN is none that is ≥ 0 either. */
  readonly dt = new Float64Array(BLOCKS_MAX);
  readonly hasDt = new Uint8Array(BLOCKS_MAX);
  readonly fid = new Float64Array(BLOCKS_MAX);
  /** Length of the first array column, −1 without one. */
  readonly arrayRows = new Int32Array(BLOCKS_MAX);
  readonly firstColumn = new Int32Array(BLOCKS_MAX);
  readonly columns = new Int32Array(BLOCKS_MAX);
  readonly d = new Spans(BLOCKS_MAX);
  readonly q = new Spans(BLOCKS_MAX);
  readonly column = new Spans(BLOCKS_MAX * COLUMNS_MAX);
  /** Bits of `HOLDS`, by column. */
  readonly holds = new Uint8Array(BLOCKS_MAX * COLUMNS_MAX);
}

/** Where values lie in the bytes of the frame. */
export class Spans {
  /** A typed-array tag or one of `FORM`. */
  readonly form: Uint8Array;
  /** First byte of the payload, of the first element, or of the scalar's head. */
  readonly at: Int32Array;
  /** Elements; 1 for a scalar. */
  readonly count: Int32Array;

  constructor(size: number) {
    this.form = new Uint8Array(size);
    this.at = new Int32Array(size);
    this.count = new Int32Array(size);
  }

  set(index: number, form: number, at: number, count: number): void {
    this.form[index] = form;
    this.at[index] = at;
    this.count[index] = count;
  }
}
