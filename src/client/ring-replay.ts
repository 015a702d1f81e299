import type { Codec } from '../model/machine.ts';
import type { DeviceSet } from './device-io.ts';
import { LaneQueue } from './lane-queue.ts';
import type { RingImage } from './ring-image.ts';
import type { RingOp } from './ring-op.ts';

/** Makes a ring again of the changes that a journal kept. */
export class RingReplay {
  #epoch: number | null = null;
  readonly #sets = new Map<number, DeviceSet>();
  readonly #lanes = new Map<number, LaneQueue>();

  apply(op: RingOp): void {
    if (op.op === 'epoch') this.#begin(op.epoch);
    else if (op.op === 'set') this.#sets.set(op.set.s, op.set);
    else this.#applyToLane(this.#lane(op.lane), op);
  }

  /** What is retained, encoded like this. */
  image(codec: Codec): RingImage {
    const lanes = [...this.#lanes.values()].map((queue) => queue.image);
    return { epoch: this.#epoch, codec, sets: [...this.#sets.values()], lanes };
  }

  /** The journal is not the whole truth: its numbers must not be used again. [R4.2-7] */
  forgetEpoch(): void {
    this.#begin(null);
  }

  #begin(epoch: number | null): void {
    this.#epoch = epoch;
    if (epoch === null) for (const queue of this.#lanes.values()) queue.renumber();
  }

  #applyToLane(queue: LaneQueue, op: Exclude<RingOp, { op: 'epoch' | 'set' }>): void {
    switch (op.op) {
      case 'frame':
        return queue.restoreFrame(op.frame);
      case 'lane':
        return queue.restoreNumbers(op);
      case 'content':
        return queue.restoreContent(op.frame);
      case 'sent':
        return queue.restoreSent(op.n);
      case 'ack':
        queue.free(op.n);
        return;
      case 'drop':
        queue.drop(op.n);
        return;
      case 'reject':
        queue.reject(op.n);
        return;
    }
  }

  #lane(lane: number): LaneQueue {
    const queue = this.#lanes.get(lane) ?? new LaneQueue(lane);
    this.#lanes.set(lane, queue);
    return queue;
  }
}
