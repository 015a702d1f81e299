import type { DeviceSet } from '../src/client/device-io.ts';
import type { DeviceBlock } from '../src/wire/messages.ts';

/** Where a source puts the blocks of one frame to be. */
export type Emit = (lane: number, blocks: readonly DeviceBlock[]) => void;

/** What one simulated device measures: blocks that become due as time goes by. */
export interface Source {
  /** Device path. */
  readonly device: string;
  readonly sets: readonly DeviceSet[];
  readonly lanes: readonly number[];
  /** When blocks are due next. Units: µs of wall time; Infinity: never again. */
  readonly dueUs: number;
  /** Readings that were not made because the process could not keep up. */
  readonly skipped: number;
  /** The greatest event time so far by lane, for the last watermark. Units: µs. */
  readonly newest: ReadonlyMap<number, number>;
  /** How wrong the clock of the device is; absent: it is right. Units: µs. */
  readonly skewUs?: number;
  /** Emits everything that is due by now. */
  take(nowUs: number, emit: Emit): void;
  /** No more readings: emits what was measured until now and waits for a full frame. */
  stop(nowUs: number, emit: Emit): void;
}
