import type { Breach } from '../model/errors.ts';
import type { SessionId } from '../model/machine.ts';

/** What fan-out asks of the gateway. */
export interface FanoutPort {
  /** Sends one message. */
  send(session: SessionId, bytes: Uint8Array): void;
  /**
   * What the session's socket has not passed to the network yet; what was sent in this same step
   * may be missing. Units: bytes.
   */
  unsentBytes(session: SessionId): number;
  /** The peer broke the protocol: `away`, then close. */
  breach(session: SessionId, breach: Breach): void;
  /** A fault of ours in what was done for this session. Absent: it is thrown. */
  fault?(session: SessionId, error: unknown): void;
}
