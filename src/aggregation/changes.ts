import type { EventUs } from '../model/time.ts';
import { STATUS } from '../model/window.ts';
import type { AggregationSink } from './sink.ts';
import type { WindowStore } from './window-store.ts';

/** Final windows of one start that a record changed. */
export interface Correction {
  readonly start: number;
  /** In the order in which the record changed them. */
  readonly stores: readonly WindowStore[];
}

const NO_CORRECTIONS: readonly Correction[] = [];
/** Above this, the room that one unusual record took is given back. */
const ROOM_KEPT = 1024;

/**
 * The windows that the current record changed, each once.
 * Bounds: (series, window) pairs of one frame, and what its watermark made final.
 */
export class Changes {
  #stores: WindowStore[] = [];
  #starts: number[] = [];
  #count = 0;
  /** True once a corrected window is among them: rare, so frames without one look no further. */
  #hasCorrected = false;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Notes that window i of a store changed; its status has to be set before. */
  note(store: WindowStore, i: number): void {
    if (!store.touch(i)) return;
    if (store.statusAt(i) === STATUS.corrected) this.#hasCorrected = true;
    this.#stores[this.#count] = store;
    this.#starts[this.#count] = store.startAt(i);
    this.#count += 1;
  }

  /** What has to be given again as corrected, in time order. */
  corrections(): readonly Correction[] {
    if (!this.#hasCorrected) return NO_CORRECTIONS;
    const byStart = new Map<number, WindowStore[]>();
    for (let k = 0; k < this.#count; k += 1) {
      const store = this.#stores[k] as WindowStore;
      const start = this.#starts[k] as number;
      if (store.statusAt(store.find(start)) !== STATUS.corrected) continue;
      const stores = byStart.get(start);
      if (stores === undefined) byStart.set(start, [store]);
      else stores.push(store);
    }
    return [...byStart].map(([start, stores]) => ({ start, stores })).sort(byTime);
  }

  /** Tells every change that is still kept, once, and forgets them. */
  flush(sink: AggregationSink): void {
    for (let k = 0; k < this.#count; k += 1) {
      const store = this.#stores[k] as WindowStore;
      const start = this.#starts[k] as number;
      const i = store.find(start);
      // A window may have been dropped by the same record that changed it.
      if (i < 0) continue;
      store.settle(i);
      sink.changed(store, start as EventUs);
    }
    this.#count = 0;
    this.#hasCorrected = false;
    if (this.#stores.length <= ROOM_KEPT) return;
    this.#stores = [];
    this.#starts = [];
  }
}

const byTime = (a: Correction, b: Correction): number => a.start - b.start;
