import { LANE } from '../model/reading.ts';
import { Absence } from './absence.ts';
import { Backfill } from './backfill.ts';
import { BlockedTime } from './blocked-time.ts';
import type { DeviceOptions } from './device-io.ts';
import { FinalMark } from './final-mark.ts';
import { Ring } from './ring.ts';
import { SetBook } from './set-book.ts';

/** What a device keeps from one connection to the next. */
export class DeviceMemory {
  readonly options: DeviceOptions;
  readonly ring: Ring;
  readonly sets: SetBook;
  readonly backfill: Backfill;
  readonly blocked = new BlockedTime();
  readonly mark = new FinalMark();
  readonly absence = new Absence();
  /** The epoch continued; null: the server mints one. */
  epoch: number | null = null;

  constructor(options: DeviceOptions) {
    const { codec, lanes, ringBytesMax } = options;
    this.options = options;
    this.ring = new Ring(ringBytesMax, lanes);
    this.sets = new SetBook(options.sets, lanes.includes(LANE.backfill));
    this.backfill = new Backfill(codec, this.ring, this.sets);
  }
}
