import { COST_PER_MESSAGE } from '../../model/limits.ts';
import { LANE } from '../../model/reading.ts';

/** Cost of a largest frame. */
export const oneOf = (mf: number): number => mf + COST_PER_MESSAGE;

/** Exposure that a lane owns, whatever the others do. Units: bytes of cost. Source: CREDIT §5.4. */
export function reserveOf(lane: number, mf: number): number {
  if (lane === LANE.critical) return 2 * oneOf(mf);
  return lane === LANE.backfill ? 0 : oneOf(mf);
}
