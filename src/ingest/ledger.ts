import { LANES } from '../model/reading.ts';

/** Plain counters of frames. Guarantee: received = settled + in flight + refused by closing. */
export class IngestLedger {
  received = 0;
  /** Payload bytes of the frames received. */
  bytes = 0;
  inFlight = 0;
  durable = 0;
  /** Readings in the durable frames. */
  readingsDurable = 0;
  duplicate = 0;
  rejected = 0;
  /** Frames of lanes at QoS 0 that came while the log took nothing. */
  dropped = 0;
  /** Sessions that a bug of ours ended, with 1011. */
  broken = 0;
  /**
   * By lane: numbers that will never come, as the headers of the admitted rows say it. A number that
   * a frame left behind when it went from lane 1 to lane 2 is among those of lane 1. [R5.3-7]
   */
  readonly lost: number[] = Array.from({ length: LANES }, () => 0);
  /** Frames that closed their session, by code. */
  readonly closed = new Map<number, number>();
  readonly rejectedBy = new Map<number, number>();

  /** Counts a frame that closes its session. */
  close(code: number): void {
    this.closed.set(code, (this.closed.get(code) ?? 0) + 1);
  }

  /** Counts the numbers missing before an admitted row. */
  lose(lane: number, count: number): void {
    this.lost[lane] = (this.lost[lane] ?? 0) + count;
  }

  /** Counts a refused frame. */
  reject(code: number): void {
    this.rejected += 1;
    this.rejectedBy.set(code, (this.rejectedBy.get(code) ?? 0) + 1);
  }
}
