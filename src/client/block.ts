import type { ColumnValues, DeviceBlock } from '../wire/messages.ts';

type Rows = Exclude<ColumnValues, number | string | boolean | null>;

/** True for a column with one value per row; false for a constant and for an absent column. */
export const isRows = (column: ColumnValues): column is Rows =>
  typeof column === 'object' && column !== null;

/** How many rows a block has. Source: [R5.2-2]. */
export function rowsOf(block: DeviceBlock): number {
  const column = block.v.find(isRows);
  if (column) return column.length;
  return block.d ? block.d.length + 1 : 1;
}

/** How many readings a block carries: one per row and column that is not absent. */
export const readingsOf = (block: DeviceBlock): number =>
  rowsOf(block) * block.v.reduce<number>((sum, column) => (column === null ? sum : sum + 1), 0);

/** How many readings these blocks carry. */
export const countReadings = (blocks: readonly DeviceBlock[]): number =>
  blocks.reduce((sum, block) => sum + readingsOf(block), 0);

/** The event time of every row, in order. Units: µs. Source: [R5.2-4], [R5.2-5]. */
export function timesOf(block: DeviceBlock): number[] {
  const { t, dt, d } = block;
  const rows = rowsOf(block);
  if (dt !== undefined) return Array.from({ length: rows }, (_, i) => t + Math.floor(i * dt));
  const times = [t];
  let at = t;
  for (const delta of d ?? []) {
    at += delta;
    times.push(at);
  }
  return times;
}
