import type { DeviceEffect, DeviceSet } from './device-io.ts';
import type { RingFrame } from './ring-frame.ts';
import type { FrameImage, RingImage } from './ring-image.ts';

/** One change of a ring, as a journal keeps it. */
export type RingOp =
  /** The epoch is known from now on; null: it is forgotten, and what is retained becomes 1, 2, … */
  | { readonly op: 'epoch'; readonly epoch: number | null }
  | { readonly op: 'set'; readonly set: DeviceSet }
  /** A frame was formed, or stands so in an image. */
  | { readonly op: 'frame'; readonly lane: number; readonly frame: FrameImage }
  /** The numbers of a lane, after its frames in an image. */
  | {
      readonly op: 'lane';
      readonly lane: number;
      readonly next: number;
      readonly ack: number;
      readonly lostNext: number;
    }
  /** A frame that was never sent has another content. */
  | { readonly op: 'content'; readonly lane: number; readonly frame: FrameImage }
  /** About to be sent for the first time; `ack`: everything up to n is safe; and the ends of a frame. */
  | {
      readonly op: 'sent' | 'ack' | 'drop' | 'reject';
      readonly lane: number;
      readonly n: number;
    };

/** A frame of a ring as an image has it. */
export const imageOfFrame = (frame: RingFrame): FrameImage => {
  const { n, lost, readings, thinning, sets, blocks } = frame;
  return { n, lost, wasSent: frame.transmissions > 0, readings, thinning, sets, blocks };
};

/** What a step of a session changed in its ring, in order. */
export function opsOf(effects: readonly DeviceEffect[]): readonly RingOp[] {
  return effects.flatMap(opsOfEffect);
}

/** The changes that make an empty ring this one. */
export function opsOfImage({ epoch, sets, lanes }: RingImage): readonly RingOp[] {
  return [
    ...sets.map((set): RingOp => ({ op: 'set', set })),
    ...lanes.flatMap(({ frames, ...numbers }): RingOp[] => [
      ...frames.map((frame): RingOp => ({ op: 'frame', lane: numbers.lane, frame })),
      { op: 'lane', ...numbers },
    ]),
    ...(epoch === null ? [] : [{ op: 'epoch', epoch } as const]),
  ];
}

function opsOfEffect(effect: DeviceEffect): readonly RingOp[] {
  switch (effect.kind) {
    case 'welcomed':
      return [{ op: 'epoch', epoch: effect.epoch }];
    case 'renumbered':
      return [{ op: 'epoch', epoch: null }];
    case 'formed':
      return [formed(effect.frame)];
    case 'moved':
      return [ended('drop', effect.left), formed(effect.frame)];
    case 'acked':
      return effect.freed.length === 0 ? [] : [{ op: 'ack', lane: effect.lane, n: effect.ack }];
    case 'rejected':
      return [ended('reject', effect.frame)];
    case 'dropped':
      return effect.frame ? [ended('drop', effect.frame)] : [];
    case 'thinned':
      return effect.frame ? [thinned(effect.frame, effect.isGone)] : [];
    case 'sendFrame':
      return effect.frame.transmissions === 1 ? [ended('sent', effect.frame)] : [];
    default:
      // The other effects change nothing that is retained.
      return [];
  }
}

/** As it was formed: it may have been sent later in the same step, which has an entry of its own. */
const formed = (frame: RingFrame): RingOp => ({
  op: 'frame',
  lane: frame.lane,
  frame: { ...imageOfFrame(frame), wasSent: false },
});

const ended = (op: 'sent' | 'drop' | 'reject', { lane, n }: RingFrame): RingOp => ({ op, lane, n });

const thinned = (frame: RingFrame, isGone: boolean): RingOp =>
  isGone ? ended('drop', frame) : { op: 'content', lane: frame.lane, frame: imageOfFrame(frame) };
