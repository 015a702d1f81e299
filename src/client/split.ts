import { BLOCKS_MAX, ROWS_MAX } from '../model/limits.ts';
import type { ColumnValues, DeviceBlock } from '../wire/messages.ts';
import { isRows, rowsOf, timesOf } from './block.ts';

/** True if the blocks break a limit of one frame whatever their bytes: too many blocks or rows. */
export const isOverLimits = (blocks: readonly DeviceBlock[]): boolean =>
  blocks.length > BLOCKS_MAX || blocks.some((block) => rowsOf(block) > ROWS_MAX);

/**
 * Cuts blocks that do not fit one frame into two halves, in order.
 * Guarantee: the two halves have the same rows, times and values as the whole.
 * Returns null for a single row, which cannot be cut.
 */
export function halve(
  blocks: readonly DeviceBlock[],
): readonly [readonly DeviceBlock[], readonly DeviceBlock[]] | null {
  if (blocks.length > 1) {
    const at = blocks.length >>> 1;
    return [blocks.slice(0, at), blocks.slice(at)];
  }
  const block = blocks[0];
  if (!block || rowsOf(block) < 2) return null;
  const at = rowsOf(block) >>> 1;
  return [[rowsFrom(block, 0, at)], [rowsFrom(block, at, rowsOf(block))]];
}

const cut = (column: ColumnValues, from: number, to: number): ColumnValues =>
  isRows(column) ? column.slice(from, to) : column;

/** Rows [from, to) of a block as a block of its own. */
export function rowsFrom(block: DeviceBlock, from: number, to: number): DeviceBlock {
  const { q } = block;
  return {
    ...block,
    ...stepsFrom(block, from, to),
    v: block.v.map((column) => cut(column, from, to)),
    q: typeof q === 'object' ? q.slice(from, to) : q,
  };
}

/** A fractional `dt` cannot start again in the middle without moving a time by 1 µs: it becomes `d`. */
function stepsFrom(
  block: DeviceBlock,
  from: number,
  to: number,
): Pick<DeviceBlock, 't' | 'dt' | 'd'> {
  const times = timesOf(block);
  const t = times[from] as number;
  if (to - from === 1) return { t, dt: undefined, d: undefined };
  const { dt } = block;
  if (dt !== undefined && (from === 0 || Number.isInteger(dt))) return { t, dt, d: undefined };
  const d: number[] = [];
  for (let i = from + 1; i < to; i += 1) d.push((times[i] as number) - (times[i - 1] as number));
  return { t, dt: undefined, d };
}
