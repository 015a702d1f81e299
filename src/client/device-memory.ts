import { LANE } from '../model/reading.ts';
import { Absence } from './absence.ts';
import { Backfill } from './backfill.ts';
import { BlockedTime } from './blocked-time.ts';
import type { DeviceOptions } from './device-io.ts';
import { FinalMark } from './final-mark.ts';
import { Ring } from './ring.ts';
import type { RingImage } from './ring-image.ts';
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

  /** Wall time is known: it is told, and frames have it. */
  hasClock: boolean;

  /** What would have to be restored if the process ended now. */
  get image(): RingImage {
    const { epoch, ring, sets } = this;
    const lanes = ring.lanes.map((queue) => queue.image);
    return { epoch, codec: this.options.codec, sets: sets.all, lanes };
  }

  constructor(options: DeviceOptions) {
    const { codec, lanes, ringBytesMax, restored } = options;
    const sets = [...(restored?.sets ?? []), ...options.sets];
    this.options = options;
    this.hasClock = options.isClockless !== true;
    this.ring = new Ring(ringBytesMax, lanes);
    this.sets = new SetBook(sets, lanes.includes(LANE.backfill));
    for (const lane of restored?.lanes ?? []) this.ring.lane(lane.lane)?.restore(lane);
    this.epoch = restored?.epoch ?? null;
    this.backfill = new Backfill(codec, this.ring, this.sets);
  }
}
