import type { ColumnValues, DeviceBlock } from '../../src/wire/messages.ts';

/** The rules of PROTOCOL §5.2 once more, from decoded blocks, against those in place. */

const TIME_END = 7_258_118_400_000_000;
const ROWS_MAX = 4096;
const TEXT_BYTES_MAX = 256;

export const rowsOf = ({ v, d }: DeviceBlock): number => {
  const first = v.find(isArray);
  if (first !== undefined) return first.length;
  return d === undefined ? 1 : d.length + 1;
};

type ArrayColumn = Extract<ColumnValues, { length: number }> & object;
const isArray = (column: ColumnValues): column is ArrayColumn =>
  Array.isArray(column) || ArrayBuffer.isView(column);

export function timesOf({ t, dt, d }: DeviceBlock, rows: number): number[] {
  let sum = 0;
  return Array.from({ length: rows }, (_, row) => {
    if (d === undefined) return t + Math.floor(row * (dt ?? 0));
    if (row > 0) sum += d[row - 1] as number;
    return t + sum;
  });
}

export function valuesOf(column: ColumnValues, rows: number): unknown[] {
  if (!isArray(column)) return new Array(rows).fill(column);
  return Array.from(column as Iterable<unknown>, (value) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
}

export const isText = (column: ColumnValues): boolean =>
  valuesOf(column, 1).some((value) => typeof value === 'string');
const isNumber = (column: ColumnValues): boolean =>
  valuesOf(column, 1).some((value) => typeof value === 'number' || typeof value === 'boolean');
const isTooLong = (column: ColumnValues): boolean =>
  valuesOf(column, 1).some(
    (value) => typeof value === 'string' && new TextEncoder().encode(value).length > TEXT_BYTES_MAX,
  );

/** True if the block is one of a set with so many columns. */
export function isWellShaped(block: DeviceBlock, columns: number): boolean {
  const { v, d, dt, q, fid = 1 } = block;
  const rows = rowsOf(block);
  if (v.length !== columns || fid < 1 || rows < 1 || rows > ROWS_MAX) return false;
  if (v.some((column) => isArray(column) && column.length !== rows)) return false;
  if (v.some((column) => (isText(column) && isNumber(column)) || isTooLong(column))) return false;
  if (d !== undefined && (dt !== undefined || d.length !== rows - 1)) return false;
  if (dt !== undefined && !(dt >= 0 && Number.isFinite(dt))) return false;
  if (d === undefined && dt === undefined && rows !== 1) return false;
  if (timesOf(block, rows).some((t) => t < 0 || t >= TIME_END)) return false;
  if (q === undefined) return true;
  const qualities = typeof q === 'number' ? [q] : [...q];
  return (typeof q === 'number' || q.length === rows) && qualities.every((value) => value <= 255);
}
