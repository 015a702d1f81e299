import type { Codec } from '../model/machine.ts';
import { encodeBlocks } from '../wire/encode.ts';
import type { DeviceBlock } from '../wire/messages.ts';
import { readingsOf } from './block.ts';
import type { DeviceEffect, DropReason } from './device-io.ts';
import type { LaneQueue } from './lane-queue.ts';
import { HEAD_BYTES_MAX } from './pump.ts';
import type { Ring } from './ring.ts';
import { halve, isOverLimits } from './split.ts';

const countReadings = (blocks: readonly DeviceBlock[]): number =>
  blocks.reduce((sum, block) => sum + readingsOf(block), 0);

/**
 * Makes frames of blocks: encodes them once, halves what does not fit `mf`, and retains the result.
 * Guarantee: no frame is formed that could be longer than `mf` of its lane. Source: [R5.3-3].
 */
export class Former {
  readonly #codec: Codec;
  readonly #ring: Ring;
  readonly #keepsBlocks: boolean;

  constructor(codec: Codec, ring: Ring, keepsBlocks: boolean) {
    this.#codec = codec;
    this.#ring = ring;
    this.#keepsBlocks = keepsBlocks;
  }

  form(effects: DeviceEffect[], queue: LaneQueue, blocks: readonly DeviceBlock[]): void {
    if (blocks.length === 0) return;
    const bytes = isOverLimits(blocks) ? null : encodeBlocks(this.#codec, blocks);
    if (bytes && bytes.length + HEAD_BYTES_MAX[this.#codec] <= queue.mf) {
      this.#put(effects, queue, blocks, bytes);
      return;
    }
    const halves = halve(blocks);
    if (!halves) {
      effects.push(dropped(blocks, 'too long'));
      return;
    }
    this.form(effects, queue, halves[0]);
    this.form(effects, queue, halves[1]);
  }

  #put(
    effects: DeviceEffect[],
    queue: LaneQueue,
    blocks: readonly DeviceBlock[],
    bytes: Uint8Array,
  ): void {
    const put = this.#ring.put(queue, {
      blocks: bytes,
      sets: [...new Set(blocks.map((block) => block.s))],
      readings: countReadings(blocks),
      source: this.#keepsBlocks ? blocks : null,
    });
    for (const frame of put.dropped) {
      effects.push({ kind: 'dropped', frame, readings: frame.readings, reason: 'ring full' });
    }
    if (!put.frame) effects.push(dropped(blocks, 'ring full'));
  }
}

/** Readings that never became a frame with a number. */
export const dropped = (blocks: readonly DeviceBlock[], reason: DropReason): DeviceEffect => ({
  kind: 'dropped',
  frame: null,
  readings: countReadings(blocks),
  reason,
});
