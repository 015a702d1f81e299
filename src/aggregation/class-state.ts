import type { ClassId } from '../model/reading.ts';
import type { BoundSet } from './bound-set.ts';
import type { Device } from './device.ts';
import type { LogState } from './log-state.ts';
import { OpenWindows } from './open-windows.ts';
import type { Timing } from './timing.ts';

/**
 * What event time is for one class of one device: its watermark, its open windows, and how its
 * sets become series. All of it is a function of one log.
 */
export class ClassState {
  readonly device: Device;
  readonly classId: ClassId;
  readonly log: LogState;
  readonly open = new OpenWindows();
  /** By set id. */
  readonly sets = new Map<number, BoundSet>();
  /** The watermark if the log clock did not cap it. Units: µs. */
  uncappedUs = Number.NEGATIVE_INFINITY;
  /** Highest event time read that was not future. Units: µs. */
  highestUs = Number.NEGATIVE_INFINITY;
  /** Receive time of the last frame or stub. Units: µs. */
  lastRecvUs = Number.NEGATIVE_INFINITY;
  /** Highest `wm` told by a `ping`; only ever read to make a mark. Units: µs. */
  wishUs = Number.NEGATIVE_INFINITY;
  /** Place in the log's queue of capped classes; −1 if not in it. */
  queueIndex = -1;
  readonly #timing: Timing;

  constructor(device: Device, classId: ClassId, log: LogState, timing: Timing) {
    this.device = device;
    this.classId = classId;
    this.log = log;
    this.#timing = timing;
  }

  /** End of the oldest open window; +∞ if there is none. */
  get oldestEndUs(): number {
    return this.open.oldestStart + this.#timing.windowUs;
  }

  /** End of the newest open window; −∞ if there is none. */
  get newestEndUs(): number {
    return this.open.newestStart + this.#timing.windowUs;
  }

  /** True if an open window ends at or before the uncapped watermark. */
  get isWaiting(): boolean {
    return this.oldestEndUs <= this.uncappedUs;
  }

  /** The watermark where the log clock stands at `clockUs`. Source: [R9.2-2]. */
  watermarkAt(clockUs: number): number {
    return Math.min(this.uncappedUs, clockUs + this.#timing.aheadUs);
  }

  /** Takes in the event times of a frame and its `wm`, NaN if absent. Guarantee: never back. */
  raise(highestUs: number, wmUs: number): void {
    if (highestUs > this.highestUs) this.highestUs = highestUs;
    this.mark(highestUs - this.#timing.delayUs);
    this.mark(wmUs);
  }

  /** Takes in a watermark from elsewhere. Guarantee: never back. */
  mark(watermarkUs: number): void {
    if (watermarkUs > this.uncappedUs) this.uncappedUs = watermarkUs;
  }
}
