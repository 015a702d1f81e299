import type { LogKind } from '../model/record.ts';
import { CapQueue } from './cap-queue.ts';
import { Emission } from './emission.ts';

/** What aggregation keeps for one (log kind, shard). */
export class LogState {
  readonly kind: LogKind;
  readonly shard: number;
  /** The log clock: receive time in the records, made non-decreasing. Source: [R9.1-2]. Units: µs. */
  clockUs = Number.NEGATIVE_INFINITY;
  /** Classes that wait for the log clock. */
  readonly capped = new CapQueue();
  /** What its last record has still to give. */
  readonly emission: Emission;
  /** How many (series, class) have windows. */
  storeCount = 0;

  constructor(kind: LogKind, shard: number) {
    this.kind = kind;
    this.shard = shard;
    this.emission = new Emission(kind, shard);
  }

  /** Where the clock stands once a record of this receive time has moved it, never back. */
  clockAfter(recvUs: number): number {
    return Math.max(this.clockUs, recvUs);
  }

  /** Moves the clock to a record's receive time, never back. */
  advance(recvUs: number): void {
    this.clockUs = this.clockAfter(recvUs);
  }
}
