import type { DeviceEffect, DeviceSet } from '../../client/device-io.ts';
import type { RingImage } from '../../client/ring-image.ts';

/** A ring, to be looked at by whoever stores it: a `DeviceSession` is one. */
export interface StoredRing {
  readonly image: RingImage;
  readonly ring: { readonly bytes: number };
  setOf(s: number): DeviceSet | undefined;
}

/** Where the ring of a device outlives its process. */
export interface RingStore {
  /** What was retained when the last process ended; null: nothing, or nothing that can be used. */
  readonly restored: RingImage | null;
  /**
   * A connection for this device is about to be opened: the ring is its own from now on. Returns, as
   * a sentence, that it is another one's already; else null.
   */
  claim?(device: string): string | null;
  /**
   * Takes note of what a step did, before any of it is sent. Returns what keeps the ring from being
   * stored, as a sentence; null if it is stored. Never throws.
   */
  note(effects: readonly DeviceEffect[], ring: StoredRing): string | null;
  /** The device ended. */
  close(): void;
}
