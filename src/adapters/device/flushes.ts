import type { DeviceEffect } from '../../client/device-io.ts';
import type { RingFrame } from '../../client/ring-frame.ts';

/** One call of `flush` that waits. */
interface Flush {
  readonly frames: Set<RingFrame>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Who waits until certain frames have met their end. */
export class Flushes {
  readonly #waiting = new Set<Flush>();

  /** Resolves when none of these frames is retained any more. */
  wait(frames: readonly RingFrame[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const flush = { frames: new Set(frames), resolve, reject };
      this.#waiting.add(flush);
      this.#look(flush);
    });
  }

  /** Takes note of what a step did. */
  note(effects: readonly DeviceEffect[]): void {
    if (this.#waiting.size === 0) return;
    for (const effect of effects) {
      for (const { frames } of this.#waiting) noteOne(frames, effect);
    }
    for (const flush of this.#waiting) this.#look(flush);
  }

  /** The device ended: what is retained will not be sent. */
  fail(why: Error): void {
    for (const { reject } of this.#waiting) reject(why);
    this.#waiting.clear();
  }

  #look(flush: Flush): void {
    if (flush.frames.size > 0) return;
    this.#waiting.delete(flush);
    flush.resolve();
  }
}

function noteOne(frames: Set<RingFrame>, effect: DeviceEffect): void {
  if (effect.kind === 'acked') for (const frame of effect.freed) frames.delete(frame);
  else if (effect.kind === 'moved' && frames.delete(effect.left)) frames.add(effect.frame);
  else if (effect.kind === 'rejected') frames.delete(effect.frame);
  else if (effect.kind === 'dropped' && effect.frame) frames.delete(effect.frame);
  else if (effect.kind === 'thinned' && effect.frame && effect.isGone) frames.delete(effect.frame);
}
