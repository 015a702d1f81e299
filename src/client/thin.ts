import type { ColumnValues, DeviceBlock } from '../wire/messages.ts';
import { isRows, rowsOf, timesOf } from './block.ts';

/**
 * Every k-th row of a block, the first one that counts being `skip` rows in. Each row kept stands
 * for k times as many samples as before, which `fid` says. Null if no row is left.
 * Guarantee: what is left has the times, values and qualities it had. Source: PROTOCOL §5.2, R9.4-9.
 */
export function everyKth(block: DeviceBlock, k: number, skip: number): DeviceBlock | null {
  const rows = rowsOf(block);
  if (skip >= rows) return null;
  const pick = <Value>(_: Value, row: number): boolean => row >= skip && (row - skip) % k === 0;
  const { q, fid = 1 } = block;
  return {
    ...block,
    ...stepsOf(block, k, skip),
    v: block.v.map((column) => picked(column, pick)),
    q: typeof q === 'object' ? [...q].filter(pick) : q,
    fid: fid * k,
  };
}

function picked(
  column: ColumnValues,
  pick: <Value>(value: Value, row: number) => boolean,
): ColumnValues {
  return isRows(column) ? (column.filter(pick as never) as ColumnValues) : column;
}

/** Where `dt` is whole it stays one; else deltas, which cannot move a time by rounding. */
function stepsOf(block: DeviceBlock, k: number, skip: number): Pick<DeviceBlock, 't' | 'dt' | 'd'> {
  const times = timesOf(block).filter((_, row) => row >= skip && (row - skip) % k === 0);
  const t = times[0] as number;
  const { dt } = block;
  if (times.length === 1) return { t, dt: undefined, d: undefined };
  if (dt !== undefined && Number.isInteger(dt)) return { t, dt: dt * k, d: undefined };
  const d = times.slice(1).map((time, i) => time - (times[i] as number));
  return { t, dt: undefined, d };
}
