import type { Codec } from '../model/machine.ts';
import { LANE } from '../model/reading.ts';
import { encodeBlocks } from '../wire/encode.ts';
import type { DeviceBlock } from '../wire/messages.ts';
import type { DeviceEffect } from './device-io.ts';
import type { LaneQueue } from './lane-queue.ts';
import { blocksOf } from './recode.ts';
import type { Ring } from './ring.ts';
import type { FrameContent, RingFrame } from './ring-frame.ts';
import type { SetBook } from './set-book.ts';

/**
 * What was measured during an outage goes on lane 2, so that live readings need not queue up behind
 * it when the device is back.
 * Guarantee: a frame that was ever sent stays where it is. Source: [R5.3-5] to [R5.3-7].
 */
export class Backfill {
  readonly #codec: Codec;
  readonly #ring: Ring;
  readonly #sets: SetBook;

  constructor(codec: Codec, ring: Ring, sets: SetBook) {
    this.#codec = codec;
    this.#ring = ring;
    this.#sets = sets;
  }

  /** The queue of lane 2, if the device has it and the server has not refused it. */
  get queue(): LaneQueue | undefined {
    const queue = this.#ring.lane(LANE.backfill);
    return queue?.isOffered ? queue : undefined;
  }

  /** The same blocks with the sets of the other one of lanes 1 and 2; null if one has none. */
  translated(blocks: readonly DeviceBlock[]): readonly DeviceBlock[] | null {
    const moved: DeviceBlock[] = [];
    for (const block of blocks) {
      const s = this.#sets.twinOf(block.s);
      if (s === undefined) return null;
      moved.push({ ...block, s });
    }
    return moved;
  }

  /** What waits on lane 1 and was never sent is backfill by now. */
  takeFromLive(effects: DeviceEffect[]): void {
    const live = this.#ring.lane(LANE.live);
    if (live && this.queue) this.#move(effects, live, this.queue);
  }

  /** Lane 2 is not to be had: its frames go where they would have been formed without it. */
  giveBackToLive(effects: DeviceEffect[]): void {
    const [live, late] = [this.#ring.lane(LANE.live), this.#ring.lane(LANE.backfill)];
    if (live?.isGranted && late) this.#move(effects, late, live);
  }

  #move(effects: DeviceEffect[], from: LaneQueue, to: LaneQueue): void {
    const moving: [RingFrame, FrameContent][] = [];
    for (const frame of from.fresh) {
      const content = this.#contentOf(frame);
      if (content) moving.push([frame, content]);
    }
    // From the newest to the oldest: a list gives up its end for nothing, its middle not.
    for (const [frame] of moving.toReversed()) from.drop(frame.n);
    for (const [left, content] of moving) {
      effects.push({ kind: 'moved', left, frame: to.form(content) });
    }
  }

  #contentOf(frame: RingFrame): FrameContent | null {
    const blocks = frame.source ?? blocksOf(this.#codec, frame.blocks);
    const moved = blocks && this.translated(blocks);
    if (!moved) return null;
    return {
      blocks: encodeBlocks(this.#codec, moved),
      sets: [...new Set(moved.map(({ s }) => s))],
      readings: frame.readings,
      source: frame.source && moved,
      thinning: frame.thinning,
    };
  }
}
