import { COST_PER_MESSAGE } from '../model/limits.ts';
import type { DeviceBlock } from '../wire/messages.ts';

/** What a frame's head costs, near enough for the backlog, which is advisory. Units: bytes. */
const HEAD_BYTES_TYPICAL = 16;

/** What is needed to form a frame: its blocks, encoded, and what they are. */
export interface FrameContent {
  /** The value of `b`, encoded once: a frame's content never changes. [R1-3] */
  readonly blocks: Uint8Array;
  readonly sets: readonly number[];
  readonly readings: number;
  /** The blocks as they were given, if the session was asked to keep them. */
  readonly source: readonly DeviceBlock[] | null;
  /** Of so many rows that were measured one is here, by the policy `thin`. */
  readonly thinning: number;
}

/** A frame that is retained until it is acked. Fields that change belong to its `LaneQueue`. */
export interface RingFrame {
  readonly lane: number;
  /** Changes only before the first transmission. [R1-3] */
  blocks: Uint8Array;
  readonly sets: readonly number[];
  readings: number;
  source: readonly DeviceBlock[] | null;
  thinning: number;
  n: number;
  /** The numbers right before `n` that will never be sent. */
  lost: number;
  /** How often it was sent, under whatever number. */
  transmissions: number;
  /** When it was sent first; NaN if never. Units: ms. */
  sentAtMs: number;
}

/** What a frame counts besides its blocks. Units: bytes. */
export const RING_BYTES_PER_FRAME = HEAD_BYTES_TYPICAL + COST_PER_MESSAGE;

/** What a frame counts against the bound of the ring. Units: bytes. */
export const ringBytesOf = (content: Pick<FrameContent, 'blocks'>): number =>
  content.blocks.length + RING_BYTES_PER_FRAME;
