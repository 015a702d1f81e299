import { LaneQueue } from './lane-queue.ts';
import type { RingFrame } from './ring-frame.ts';

/**
 * The encoded frames of all lanes between forming and ack.
 *
 * Bounds: `bytesMax`, the head and the cost of a frame counted with it.
 * Guarantee: a frame that was ever sent is never dropped for want of room: the log may hold it
 * already. Room is made by the oldest frame never sent, of the least important lane first and
 * never of a lane more important than the new frame's; if there is none, the new frame is the one
 * that is not kept, and its number is declared lost like the others.
 * Source: PROTOCOL App. B `ring_full`.
 */
export class Ring {
  readonly bytesMax: number;
  readonly lanes: readonly LaneQueue[];

  constructor(bytesMax: number, lanes: readonly number[]) {
    this.bytesMax = bytesMax;
    this.lanes = lanes.toSorted((a, b) => a - b).map((lane) => new LaneQueue(lane));
  }

  get bytes(): number {
    return this.lanes.reduce((sum, queue) => sum + queue.bytes, 0);
  }

  /** How many frames are retained. */
  get count(): number {
    return this.lanes.reduce((sum, queue) => sum + queue.count, 0);
  }

  get backlog(): number {
    return this.lanes.reduce((sum, queue) => sum + queue.backlog, 0);
  }

  lane(lane: number): LaneQueue | undefined {
    return this.lanes.find((queue) => queue.lane === lane);
  }

  /** Drops the frame that makes room for one of this lane; undefined if there is none to drop. */
  dropOne(lane: number): RingFrame | undefined {
    for (const queue of this.lanes.toReversed()) {
      if (queue.lane < lane) return undefined;
      const frame = queue.dropOldestUnsent();
      if (frame) return frame;
    }
    return undefined;
  }
}
