import type { WindowResult } from '../model/window.ts';
import type { DecodedBlock } from './frame-decoder.ts';

/** Where a record stands in Kafka, without the prefix of its topic. */
export interface ItemPlace {
  readonly topic: 'readings' | 'alarms' | 'aggregates';
  /** The partition. */
  readonly shard: number;
  readonly offset: number;
}

/** A frame: what a device sent at once. `readingsOf(blocks)` gives it row by row. */
export interface FrameItem extends ItemPlace {
  readonly kind: 'frame';
  readonly device: string;
  readonly lane: number;
  readonly epoch: number;
  readonly n: number;
  /** So many frames before this one will never come: the device had to drop them. */
  readonly lost: number;
  /** The gateway had lost the device's state: readings before this one may be missing or repeated. */
  readonly uncertain: boolean;
  /** When the gateway received it. Units: µs. */
  readonly recv: number;
  /** Gateway's clock − device's clock, 0 for unknown. Units: µs. */
  readonly clockOffset: number;
  /** No later reading of this lane's class has time < wm; undefined if the frame does not say. */
  readonly wm: number | undefined;
  readonly blocks: readonly DecodedBlock[];
}

/** A window result. */
export interface ResultItem extends ItemPlace {
  readonly kind: 'result';
  readonly result: WindowResult;
}

/** A record that counts, but whose content is not to be had. */
export interface FaultItem extends ItemPlace {
  readonly kind: 'fault';
  readonly device: string;
  readonly sentence: string;
}

/** What a reader makes of the log. */
export type LogItem = FrameItem | ResultItem | FaultItem;
