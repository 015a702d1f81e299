import type { LogKind } from '../model/record.ts';
import type { OwnedLogPort } from './owned-log-port.ts';
import type { PendingBatch } from './pending-batch.ts';

/**
 * An append that came back, whole or its first rows. It may have to wait for the rows before it, or
 * for a gap to be read.
 */
export interface Landing {
  readonly batch: PendingBatch;
  /** Rows of the batch that landed before. */
  readonly from: number;
  /** Of the rows that are there now; of all of them in the end. */
  readonly offsets: Float64Array;
  /** Units: ms. */
  readonly tookMs: number;
}

/** Nothing of the batch is still on its way. */
export const isWhole = ({ batch, offsets }: Pick<Landing, 'batch' | 'offsets'>): boolean =>
  offsets.length === batch.records.rows;

/** Tells the final word on the rows that landed in this log, and what they cost together. */
export function settleRows(landing: Landing, log: LogKind, port: OwnedLogPort): void {
  const { batch, from, offsets, tookMs } = landing;
  let cost = 0;
  for (let row = from; row < offsets.length; row += 1) {
    const settlement = batch.settlement(row);
    if (!settlement) continue;
    cost += settlement.cost;
    port.settled(settlement);
  }
  port.appendDone(log, cost, tookMs);
}
