/**
 * A stretch of rows of one column that fall in one window. One object is reused for all of them:
 * its fields are set before each use.
 */
export interface Run {
  /** Event time by row, never decreasing. */
  readonly times: Float64Array;
  /** Raw value by row; NaN for no value. */
  readonly values: Float64Array;
  /** Text by row, in place of `values` if the column is text; null for no value. */
  texts: readonly (string | null)[] | null;
  /** Rows `[from, to)`. */
  from: number;
  to: number;
  /** physical = raw × scale + offset. */
  scale: number;
  offset: number;
  /** How many raw samples a row stands for. */
  fid: number;
}

/** A run over scratch arrays of `rowsMax` rows. */
export function emptyRun(rowsMax: number): Run {
  return {
    times: new Float64Array(rowsMax),
    values: new Float64Array(rowsMax),
    texts: null,
    from: 0,
    to: 0,
    scale: 1,
    offset: 0,
    fid: 1,
  };
}

/** The physical value of a row; NaN or infinite if it has none. Source: [R5.1-7]. */
export const physical = (run: Run, row: number): number =>
  (run.values[row] as number) * run.scale + run.offset;

/** True if the row has a value. A physical value that overflows is none: no result could hold it. */
export const hasValue = (run: Run, row: number): boolean =>
  run.texts === null ? Number.isFinite(physical(run, row)) : typeof run.texts[row] === 'string';

/** The first row of the run that has a value; `to` if none has. */
export function firstWithValue(run: Run): number {
  let row = run.from;
  while (row < run.to && !hasValue(run, row)) row += 1;
  return row;
}

/** How many rows of the run have a value. */
export function countValues(run: Run): number {
  let count = 0;
  for (let row = run.from; row < run.to; row += 1) if (hasValue(run, row)) count += 1;
  return count;
}
