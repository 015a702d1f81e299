import type { Gap } from '../delivery/continuity.ts';
import type { Broken } from '../delivery/owned-log-port.ts';
import type { Quota } from '../ingest/credit.ts';
import type { SessionFault } from '../ingest/options.ts';
import type { RecordBatch } from '../model/batch.ts';
import type { Breach } from '../model/errors.ts';
import type { Identity } from '../model/identity.ts';
import type { Codec, SessionId } from '../model/machine.ts';
import type { LogKind, LogRecord, SchemaRecord } from '../model/record.ts';
import type { Sha256 } from '../wire/schema.ts';

/** What the gateway is told. */
export type Input =
  | {
      readonly kind: 'connected';
      readonly session: SessionId;
      readonly codec: Codec;
      /** Who stands behind the credential of the upgrade; null if it carried none. */
      readonly identity: Identity | null;
      /** The peer is on this machine; absent: it is not. */
      readonly isLocal?: boolean;
    }
  | {
      readonly kind: 'message';
      readonly session: SessionId;
      readonly payload: Uint8Array;
      readonly isBinary: boolean;
    }
  | {
      readonly kind: 'verified';
      readonly session: SessionId;
      readonly verdict: Identity | Breach;
    }
  | { readonly kind: 'heard'; readonly session: SessionId }
  /** A Pong came, so long after its Ping. */
  | { readonly kind: 'pong'; readonly session: SessionId; readonly tookMs: number }
  /** A timer of the node came so much too late. */
  | { readonly kind: 'late'; readonly lateMs: number }
  | { readonly kind: 'disconnected'; readonly session: SessionId }
  | { readonly kind: 'schema'; readonly schema: SchemaRecord }
  | { readonly kind: 'record'; readonly record: LogRecord }
  | { readonly kind: 'readEnd'; readonly log: LogKind | null }
  /** Of fewer offsets than rows: the first ones are durable, and the others follow. */
  | { readonly kind: 'appended'; readonly log: LogKind; readonly offsets: Float64Array }
  | { readonly kind: 'failed'; readonly log: LogKind; readonly reason: string }
  /** The node goes down: every session is told, and nobody is let in any more. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'tick' };

/** What the gateway wants done, in this order. */
export type Effect =
  | { readonly kind: 'send'; readonly session: SessionId; readonly bytes: Uint8Array }
  | {
      readonly kind: 'close';
      readonly session: SessionId;
      readonly code: number;
      readonly reason: string;
    }
  | { readonly kind: 'probe'; readonly session: SessionId }
  /** Say by `verified` who stands behind this token. */
  | { readonly kind: 'verify'; readonly session: SessionId; readonly token: string }
  | { readonly kind: 'append'; readonly log: LogKind; readonly batch: RecordBatch }
  | { readonly kind: 'read'; readonly log: LogKind; readonly gaps: readonly Gap[] }
  | { readonly kind: 'renew'; readonly log: LogKind }
  | { readonly kind: 'owned' }
  | { readonly kind: 'broken'; readonly cause: Broken; readonly reason: string };

/** What the gateway needs to know of its node. */
export interface GatewayOptions {
  readonly node: string;
  readonly shards: number;
  readonly budgetBytes: number;
  /** Sessions that a node takes; absent: those whose own part fills four fifths of the budget. */
  readonly sessions?: number | undefined;
  /** Of every device on lanes 1 and 2 together; absent: none. */
  readonly quota?: Quota | undefined;
  /** Open mode: nobody needs a credential. Source: PROTOCOL §2.1. */
  readonly isOpen: boolean;
  readonly lingerMs: number;
  /** After a failed append the log's start path may be taken again. */
  readonly isRecoverable: () => boolean;
  /**
   * The log writes something that nothing can overtake: alarms gather until a tick says that it has;
   * absent: never.
   */
  readonly isLogBusy?: () => boolean;
  /** What an ack of the log is worth just now. Source: PROTOCOL §6.4. */
  readonly dur: () => number;
  /** Shape: 8 random bytes. */
  readonly own: Uint8Array;
  readonly random: () => number;
  readonly sha256: Sha256;
  /** How much aggregation does in one step, if not `UNITS_PER_STEP`. */
  readonly unitsPerStep?: number | undefined;
  /** Bytes that the socket of a session still has to send. */
  readonly unsentBytes: (session: SessionId) => number;
  /** Told for every frame that became durable: how long that took. Units: ms. */
  readonly onDurable?: (ms: number) => void;
  /** A bug of ours ended one session and keeps its device away, or kept a record from aggregation. */
  readonly onFault?: ((fault: SessionFault) => void) | undefined;
}
