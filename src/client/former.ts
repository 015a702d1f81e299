import type { Codec } from '../model/machine.ts';
import { LANE } from '../model/reading.ts';
import { encodeBlocks } from '../wire/encode.ts';
import type { DeviceBlock } from '../wire/messages.ts';
import { countReadings } from './block.ts';
import type { DeviceEffect, DropReason, WhenFull } from './device-io.ts';
import type { LaneQueue } from './lane-queue.ts';
import { HEAD_BYTES_MAX } from './pump.ts';
import type { Ring } from './ring.ts';
import { type FrameContent, RING_BYTES_PER_FRAME, ringBytesOf } from './ring-frame.ts';
import { halve, isOverLimits } from './split.ts';
import type { Thinner } from './thinner.ts';

/** Where nothing is ever dropped, bulk leaves so much of the ring to alarms. */
const CRITICAL_SHARE = 1 / 8;

/** What is kept of readings for which there is no room. */
const NOTHING = new Uint8Array(0);

/** How frames are formed. */
export interface FormerOptions {
  readonly codec: Codec;
  readonly whenFull: WhenFull;
  readonly keepsBlocks: boolean;
}

/**
 * Makes frames of blocks: encodes them once, halves what does not fit `mf`, and retains the result,
 * for which room is made by the policy of the device.
 * Guarantee: no frame is formed that could be longer than `mf` of its lane. Source: [R5.3-3].
 */
export class Former {
  readonly #options: FormerOptions;
  readonly #ring: Ring;
  readonly #thinner: Thinner;
  #isTaken = false;

  constructor(options: FormerOptions, ring: Ring, thinner: Thinner) {
    this.#options = options;
    this.#ring = ring;
    this.#thinner = thinner;
  }

  /** What this lane may still add to the ring before the policy has to act. Units: bytes. */
  roomIn(lane: number): number {
    return this.#bytesMaxFor(lane) - this.#ring.bytes;
  }

  /** `isTaken`: by the policy `block` these are retained in any case, also over the bound. */
  form(
    effects: DeviceEffect[],
    queue: LaneQueue,
    blocks: readonly DeviceBlock[],
    isTaken = false,
  ): void {
    this.#isTaken = isTaken;
    const isThinned = this.#options.whenFull === 'thin' && queue.lane !== LANE.critical;
    const kept = isThinned ? this.#thinned(effects, queue, blocks) : blocks;
    const left = this.#form(effects, queue, kept);
    if (left.length > 0) effects.push({ kind: 'refused', lane: queue.lane, blocks: left });
  }

  /** Presses what waits until there is room for these rows, then passes them at the same pace. */
  #thinned(
    effects: DeviceEffect[],
    queue: LaneQueue,
    blocks: readonly DeviceBlock[],
  ): readonly DeviceBlock[] {
    const { codec } = this.#options;
    const bytes = encodeBlocks(codec, blocks).length;
    const isOne = bytes + HEAD_BYTES_MAX[codec] <= queue.mf;
    const frames = isOne ? 1 : 1 + Math.ceil((2 * bytes) / queue.mf);
    const needed = bytes + frames * RING_BYTES_PER_FRAME;
    while (this.#ring.bytes + needed > this.#ring.bytesMax && this.#thinner.press(effects));
    return this.#thinner.pass(effects, blocks);
  }

  /** Returns what found no room and is the caller's again. */
  #form(
    effects: DeviceEffect[],
    queue: LaneQueue,
    blocks: readonly DeviceBlock[],
  ): readonly DeviceBlock[] {
    if (blocks.length === 0) return [];
    const { codec } = this.#options;
    const bytes = isOverLimits(blocks) ? null : encodeBlocks(codec, blocks);
    if (bytes && bytes.length + HEAD_BYTES_MAX[codec] <= queue.mf) {
      return this.#put(effects, queue, blocks, bytes) ? [] : blocks;
    }
    const halves = halve(blocks);
    if (!halves) {
      effects.push(dropped(blocks, 'too long'));
      return [];
    }
    const left = this.#form(effects, queue, halves[0]);
    // What comes later must not overtake what was refused.
    return left.length > 0 ? [...left, ...halves[1]] : this.#form(effects, queue, halves[1]);
  }

  /** False if there is no room and the readings are refused. */
  #put(
    effects: DeviceEffect[],
    queue: LaneQueue,
    blocks: readonly DeviceBlock[],
    bytes: Uint8Array,
  ): boolean {
    const content: FrameContent = {
      blocks: bytes,
      sets: [...new Set(blocks.map((block) => block.s))],
      readings: countReadings(blocks),
      source: this.#options.keepsBlocks ? blocks : null,
      thinning: queue.lane === LANE.critical ? 1 : this.#thinner.k,
    };
    if (this.#makeRoom(effects, queue, ringBytesOf(content))) {
      effects.push({ kind: 'formed', frame: queue.form(content) });
      return true;
    }
    if (this.#options.whenFull === 'block') return false;
    this.#giveUp(effects, queue, content);
    return true;
  }

  /**
   * There is no room: the readings take a number all the same, so that the next frame declares them
   * lost. What would go on lane 2 takes one of lane 1, where a next frame surely comes: an outage
   * for which there was no room at all has none on lane 2.
   */
  #giveUp(effects: DeviceEffect[], queue: LaneQueue, content: FrameContent): void {
    const live = queue.lane === LANE.backfill ? this.#ring.lane(LANE.live) : undefined;
    const home = live ?? queue;
    const frame = home.form({ ...content, blocks: NOTHING, sets: [] });
    home.drop(frame.n);
    effects.push(
      { kind: 'formed', frame },
      { kind: 'dropped', frame, readings: frame.readings, reason: 'ring full' },
    );
  }

  #makeRoom(effects: DeviceEffect[], queue: LaneQueue, bytes: number): boolean {
    const { whenFull } = this.#options;
    while (bytes > this.roomIn(queue.lane)) {
      if (whenFull === 'block') return this.#isTaken;
      const isAlarm = queue.lane === LANE.critical;
      if (whenFull === 'thin' && isAlarm && this.#thinner.press(effects)) continue;
      const frame = this.#ring.dropOne(queue.lane);
      if (!frame) return false;
      effects.push({ kind: 'dropped', frame, readings: frame.readings, reason: 'ring full' });
    }
    return true;
  }

  #bytesMaxFor(lane: number): number {
    const { bytesMax } = this.#ring;
    const hasReserve = this.#options.whenFull === 'block' && this.#ring.lane(LANE.critical);
    return hasReserve && lane !== LANE.critical ? bytesMax * (1 - CRITICAL_SHARE) : bytesMax;
  }
}

/** Readings that never became a frame with a number. */
export const dropped = (blocks: readonly DeviceBlock[], reason: DropReason): DeviceEffect => ({
  kind: 'dropped',
  frame: null,
  readings: countReadings(blocks),
  reason,
});
