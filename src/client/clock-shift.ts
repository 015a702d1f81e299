import type { Codec } from '../model/machine.ts';
import { encodeBlocks } from '../wire/encode.ts';
import { blocksOf } from './recode.ts';
import type { Ring } from './ring.ts';

/**
 * A device without a clock has learnt the time: what it measured and never sent gets the time at
 * which it was measured. Units: µs. Source: [R4.3-8].
 */
export function shiftTimes(codec: Codec, ring: Ring, byUs: number): void {
  for (const queue of ring.lanes) {
    for (const frame of queue.fresh) {
      const blocks = frame.source ?? blocksOf(codec, frame.blocks) ?? [];
      const shifted = blocks.map((block) => ({ ...block, t: block.t + byUs }));
      const { readings, thinning } = frame;
      const source = frame.source && shifted;
      queue.replace(frame, { blocks: encodeBlocks(codec, shifted), readings, source, thinning });
    }
  }
}
