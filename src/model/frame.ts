import type { Breach } from './errors.ts';
import type { SessionId } from './machine.ts';
import type { Schema } from './reading.ts';
import type { RecordKind } from './record.ts';

/**
 * A row for the log: an admitted frame, or the stub of a refused one. One object is used again and
 * again, so whoever gets it copies what it keeps.
 */
export interface FrameRow {
  /** Number of the device in this process. */
  deviceId: number;
  device: string;
  /** Shape: the device path as UTF-8. */
  key: Uint8Array;
  shard: number;
  session: SessionId;
  lane: number;
  kind: RecordKind;
  epoch: number;
  n: number;
  cost: number;
  /** Rows × columns that are not absent, over all blocks; 0 in a stub. */
  readings: number;
  /** As the header says it: numbers missing since the lane's previous row. */
  lost: number;
  isUncertain: boolean;
  /** The lane is at QoS 0. */
  isQosZero: boolean;
  /** Units: µs; 0 = unknown. */
  clockOffset: number;
  /** Receive time. Units: µs. */
  recv: number;
  /** Shape: 16 bytes per distinct set, in order of first appearance. */
  hashes: Uint8Array;
  /** The definitions of these sets, which must be durable before it; one may come twice. */
  schemas: readonly Schema[];
  /** Why the frame is refused; null for a frame. */
  refusal: Breach | null;
  /** The record's value: the `data` message, or the `reject` message, in CBOR. */
  value: Uint8Array;
  /** The payload as the device sent it, for the dead-letter log. */
  payload: Uint8Array;
}

/** A frame's final word, exactly once. */
export interface Settlement {
  deviceId: number;
  /** Who is told of a refusal; 0 where there is none. */
  session: SessionId;
  lane: number;
  epoch: number;
  n: number;
  cost: number;
  readings: number;
  /** Null: durable. Else the refusal that is durable now. */
  refusal: Breach | null;
}
