import { FRAME_BYTES_MAX } from '../model/limits.ts';
import { windowOf } from './channel.ts';
import type { Device } from './device.ts';

/** What a publishing session may cost at most: the windows of lanes 0 and 1. */
const SESSION_WINDOW = windowOf(FRAME_BYTES_MAX[0] ?? 0) + windowOf(FRAME_BYTES_MAX[1] ?? 0);

/**
 * Memory promised to publishers: a window each, and what left connections have in the pipeline.
 * Guarantee: Σ(limit − settled) stays within the budget. Source: [R7-9].
 */
export class Budget {
  readonly #bytes: number;
  #publishers = 0;
  /** Cost in the pipeline of devices that have no session. */
  orphanCost = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** A further publishing session fits. */
  get hasRoom(): boolean {
    return (this.#publishers + 1) * SESSION_WINDOW + this.orphanCost <= this.#bytes;
  }

  /** A session publishes for this device from now on. */
  reserve(device: Device): void {
    this.#publishers += 1;
    this.orphanCost -= unsettledOf(device);
  }

  /** The publishing session of this device is gone. */
  release(device: Device): void {
    this.#publishers -= 1;
    this.orphanCost += unsettledOf(device);
  }
}

const unsettledOf = (device: Device): number =>
  device.lanes.reduce((sum, lane) => sum + lane.unsettled, 0);
