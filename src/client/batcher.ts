import { BLOCKS_MAX } from '../model/limits.ts';
import type { DeviceBlock, Scalar } from '../wire/messages.ts';
import { RowBatch } from './row-batch.ts';

/** The rows of one lane that wait to become a frame. Source: [R5.3-1]. */
export class Batcher {
  #batches: RowBatch[] = [];
  #newest = new Map<number, RowBatch>();
  #sinceMs = Number.NaN;

  /** When the oldest row began to wait; NaN: none does. Units: monotonic ms. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Near enough what the blocks will take. Units: bytes. */
  get bytes(): number {
    return this.#batches.reduce((sum, batch) => sum + batch.bytes, 0);
  }

  /** No further block fits one frame. */
  get isFull(): boolean {
    return this.#batches.length >= BLOCKS_MAX;
  }

  add(s: number, timeUs: number, row: readonly Scalar[], nowMs: number): void {
    let batch = this.#newest.get(s);
    if (!batch?.takes(timeUs)) {
      batch = new RowBatch(s);
      this.#batches.push(batch);
      this.#newest.set(s, batch);
    }
    batch.add(timeUs, row);
    if (Number.isNaN(this.#sinceMs)) this.#sinceMs = nowMs;
  }

  /** The clock was wrong by this much. Units: µs. */
  shift(byUs: number): void {
    for (const batch of this.#batches) batch.shift(byUs);
  }

  /** Everything that waits, which waits no more. */
  take(): readonly DeviceBlock[] {
    const blocks = this.#batches.map(({ block }) => block);
    this.#batches = [];
    this.#newest = new Map();
    this.#sinceMs = Number.NaN;
    return blocks;
  }
}
