import type { Identity } from './identity.ts';
import type { Codec } from './machine.ts';

/** What `welcome` settled for the subscriber's half of a session. */
export interface SubscriberTerms {
  readonly codec: Codec;
  /** Its `rx`, or 32 KiB if it named none. Units: bytes. */
  readonly messageBytesMax: number;
  /** The interval that `welcome` told. Units: ms. */
  readonly heartbeatMs: number;
  /** Patterns of what it may read. */
  readonly reads: Identity['reads'];
}
