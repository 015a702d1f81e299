import type { Codec } from '../model/machine.ts';
import type { ColumnEntry, DeviceBlock } from '../wire/messages.ts';
import type { Ending } from './reconnect-policy.ts';
import type { RingFrame } from './ring-frame.ts';
import type { RingImage } from './ring-image.ts';

/** A set of a device: series sampled together, on one lane. Source: PROTOCOL §5.1. */
export interface DeviceSet {
  readonly s: number;
  readonly lane: number;
  /** Sub-path under the device's own path. */
  readonly of?: string | undefined;
  readonly cols: readonly ColumnEntry[];
}

/**
 * What becomes of readings for which the ring has no room, because credit or the network ran out:
 * the oldest that was never sent is dropped and declared lost; the new ones are refused to the
 * caller, and nothing is dropped; or every k-th row of what was never sent is kept.
 */
export type WhenFull = 'drop-oldest' | 'block' | 'thin';

/** What a device session is made of. */
export interface DeviceOptions {
  /** Shape: `ws://HOST:PORT/v1`. */
  readonly url: string;
  readonly codec: Codec;
  readonly sets: readonly DeviceSet[];
  /** Lanes asked for, of 0 to 2, at QoS 1. With 2 an outage is sent there, as [R5.3-5] wants it. */
  readonly lanes: readonly number[];
  /** Bound of the frames retained until acked. Units: bytes. */
  readonly ringBytesMax: number;
  /** Absent: `drop-oldest`. */
  readonly whenFull?: WhenFull | undefined;
  /** Uniform in [0, 1): spreads reconnects. */
  readonly random: () => number;
  /** Client and version, for the server's traces. */
  readonly ua?: string | undefined;
  /** Heartbeat wished for. Units: ms. */
  readonly heartbeatMs?: number | undefined;
  /** Hosts to which a redirect may lead, besides the configured one. */
  readonly trustedHosts?: readonly string[] | undefined;
  /** Frames carry the blocks they were formed from (`source`), for a journal. */
  readonly keepsBlocks?: boolean | undefined;
  /** After an error that needs a human: try again in an hour instead of stopping. */
  readonly isUnattended?: boolean | undefined;
  /**
   * The device has no clock: the wall time of its inputs begins anywhere, is not told, and is put
   * right by the first `welcome`, also in the frames that wait. [R4.3-8]
   */
  readonly isClockless?: boolean | undefined;
  /** What the process before this one retained. */
  readonly restored?: RingImage | undefined;
  /** Each connection gets a new credential, so that 4003 is worth one retry. */
  readonly canRenew?: boolean | undefined;
}

/** What happens to a device session. */
export type DeviceInput =
  /** Nothing but time. */
  | { readonly kind: 'tick' }
  /** Readings to send, all of sets of this lane; split into frames as large as is allowed. */
  | {
      readonly kind: 'form';
      readonly lane: number;
      readonly blocks: readonly DeviceBlock[];
      /** By the policy `block`: the caller gave its word for them, so that they are not refused. */
      readonly isTaken?: boolean | undefined;
    }
  /**
   * The WebSocket is open, with the subprotocol asked for. `token`: the credential for this
   * connection, for clients that cannot set headers.
   */
  | { readonly kind: 'opened'; readonly token?: string | undefined }
  | { readonly kind: 'message'; readonly bytes: Uint8Array; readonly isText: boolean }
  /** The WebSocket closed, or could not be opened. */
  | { readonly kind: 'closed'; readonly ending: Ending }
  /** No more readings: tell these watermarks (µs, by lane), wait for the acks, close. */
  | { readonly kind: 'finish'; readonly watermarks: readonly (readonly [number, number])[] }
  /** Close now, whatever is not acked. */
  | { readonly kind: 'leave' };

/** Why a frame, or readings without a number, will never be sent. */
export type DropReason =
  | 'ring full'
  | 'too long'
  | 'named by away'
  | 'lane not granted'
  | 'session over';

/** What a device session wants done, or reports. After `close` or `ended` that connection is over. */
export type DeviceEffect =
  | { readonly kind: 'connect'; readonly url: string }
  /** A control message. */
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** A frame. `isFirst`: the first transmission of (epoch, lane, n). */
  | {
      readonly kind: 'sendFrame';
      readonly bytes: Uint8Array;
      readonly frame: RingFrame;
      readonly epoch: number;
      readonly isFirst: boolean;
    }
  | { readonly kind: 'close'; readonly code: number }
  | { readonly kind: 'welcomed'; readonly epoch: number; readonly dur: number }
  /** The server said something else than before on how the session is; see `Terms`. */
  | {
      readonly kind: 'terms';
      readonly dur: number;
      readonly why: number;
      readonly lingerMs: number | undefined;
    }
  /** A frame that was never sent left lane 1 for lane 2, or came back; its old number is lost. */
  | { readonly kind: 'moved'; readonly left: RingFrame; readonly frame: RingFrame }
  /** A `welcome` or `flow` told the ack of a lane; `freed` are the frames it newly covers. */
  | {
      readonly kind: 'acked';
      readonly lane: number;
      readonly epoch: number;
      readonly ack: number;
      readonly dur: number;
      readonly freed: readonly RingFrame[];
    }
  | {
      readonly kind: 'rejected';
      readonly frame: RingFrame;
      readonly code: number;
      readonly message: string;
    }
  /** `frame` is null where the readings never got a number. */
  | {
      readonly kind: 'dropped';
      readonly frame: RingFrame | null;
      readonly readings: number;
      readonly reason: DropReason;
    }
  /** A device without a clock has one now: the wall time of its inputs is to be that much later. */
  | { readonly kind: 'clockSet'; readonly byUs: number }
  /** The epoch is forgotten, and what is retained is numbered from 1. */
  | { readonly kind: 'renumbered' }
  /** A frame was formed and is retained. */
  | { readonly kind: 'formed'; readonly frame: RingFrame }
  /** By the policy `block`: there is no room for these readings, and they are the caller's again. */
  | {
      readonly kind: 'refused';
      readonly lane: number;
      readonly blocks: readonly DeviceBlock[];
    }
  /**
   * By the policy `thin`: so many readings were left out, of a frame that was never sent, or before
   * they became one (null). `isGone`: nothing is left of the frame, and its number is lost.
   */
  | {
      readonly kind: 'thinned';
      readonly frame: RingFrame | null;
      readonly readings: number;
      readonly isGone: boolean;
    }
  /** The connection ended; the next attempt comes after `waitMs`. */
  | { readonly kind: 'waiting'; readonly ending: Ending; readonly waitMs: number }
  /** The connection ended and a human has to fix something first (policy A). */
  | { readonly kind: 'stopped'; readonly ending: Ending }
  /** Everything is acked and the connection was closed, as `finish` asked. */
  | { readonly kind: 'finished' };
