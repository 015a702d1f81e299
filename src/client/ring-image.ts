import type { Codec } from '../model/machine.ts';
import type { DeviceSet } from './device-io.ts';

/** A retained frame, as it outlives its process. */
export interface FrameImage {
  readonly n: number;
  readonly lost: number;
  /** It may have been sent: then it is never moved, thinned or dropped for room. */
  readonly wasSent: boolean;
  readonly readings: number;
  readonly thinning: number;
  readonly sets: readonly number[];
  readonly blocks: Uint8Array;
}

/** A lane with what it retains. */
export interface LaneImage {
  readonly lane: number;
  readonly next: number;
  readonly ack: number;
  /** Numbers missing right before `next`. */
  readonly lostNext: number;
  readonly frames: readonly FrameImage[];
}

/** All that a device has to know to go on where it was: same epoch, same numbers, same frames. */
export interface RingImage {
  /** Null: a new epoch is to be minted, and frames are numbered from 1. */
  readonly epoch: number | null;
  /** How the blocks are encoded. */
  readonly codec: Codec;
  readonly sets: readonly DeviceSet[];
  readonly lanes: readonly LaneImage[];
}
