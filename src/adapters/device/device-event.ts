/** What a reading is: an alarm or change of state, an ordinary one, or one kept from an outage. */
export type LaneName = 'critical' | 'live' | 'backfill';

/** Why the gateway lets a device wait. Source: PROTOCOL §3.4, key 42. */
export type WaitReason =
  | 'none'
  | 'log slow'
  | 'log down'
  | 'quota'
  | 'memory'
  | 'draining'
  | 'other';

/** What happens to a device, told by `on` and `events`. */
export type DeviceEvent =
  | { readonly kind: 'connecting'; readonly url: string }
  /** `durability` of an ack: 2 replicated, 1 on the gateway's disk, 0 less. PROTOCOL §6.4. */
  | { readonly kind: 'live'; readonly epoch: number; readonly durability: number }
  /** Readings are safe. `latencyMs`: from the first transmission of the newest of them. */
  | {
      readonly kind: 'acked';
      readonly lane: LaneName;
      readonly readings: number;
      readonly latencyMs: number;
    }
  /** The gateway refused readings for good; they are in its dead-letter log. */
  | {
      readonly kind: 'rejected';
      readonly lane: LaneName;
      readonly readings: number;
      readonly code: number;
      readonly message: string;
    }
  /** Readings will never be sent; the gateway is told that they are lost. */
  | { readonly kind: 'dropped'; readonly readings: number; readonly reason: string }
  /** By the policy `thin` readings were left out; of so many rows one is kept now. */
  | { readonly kind: 'thinned'; readonly readings: number; readonly keepsOneOf: number }
  /** Readings that waited are sent as backfill, beside the live ones. */
  | { readonly kind: 'deferred'; readonly readings: number }
  /** Frames wait for credit; `why` is what the gateway said last. */
  | { readonly kind: 'blocked'; readonly why: WaitReason }
  | { readonly kind: 'unblocked' }
  /** By the policy `block` `write` refuses readings, until `room`. */
  | { readonly kind: 'full' }
  | { readonly kind: 'room' }
  /** The connection ended, or could not be opened; the next attempt comes after `waitMs`. */
  | {
      readonly kind: 'waiting';
      readonly waitMs: number;
      readonly code: number;
      readonly message: string;
    }
  /** A human has to fix something first: the device does not try again. */
  | { readonly kind: 'stopped'; readonly code: number; readonly message: string }
  /** The ring can no longer be kept on disk (a sentence), or can again (null). */
  | { readonly kind: 'storage'; readonly error: string | null }
  /** The end, as `close` asked for it. */
  | { readonly kind: 'closed'; readonly unackedReadings: number }
  /** So many events were left out, because nobody took them. */
  | { readonly kind: 'missed'; readonly events: number };
