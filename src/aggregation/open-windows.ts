import type { WindowStore } from './window-store.ts';

/** A window of a class that is not final yet, and the series that have readings in it. */
export interface OpenWindow {
  readonly start: number;
  /** In the order in which they got their first reading in it. */
  readonly stores: WindowStore[];
}

/** Above this many, the room of windows already taken is given back at once. */
const COMPACT_ROWS = 32;

/**
 * The windows of one class that are not final yet, sorted by start.
 * Bounds: those of the kept windows of its series.
 */
export class OpenWindows {
  #windows: OpenWindow[] = [];
  /** Windows before this one have been taken. */
  #head = 0;
  /** Behind the one that was added to last. */
  #next = 0;

  get count(): number {
    return this.#windows.length - this.#head;
  }

  /** Start of the oldest one; +∞ if there is none. */
  get oldestStart(): number {
    return this.#windows[this.#head]?.start ?? Number.POSITIVE_INFINITY;
  }

  /** Start of the newest one; −∞ if there is none. */
  get newestStart(): number {
    return this.count === 0
      ? Number.NEGATIVE_INFINITY
      : (this.#windows.at(-1)?.start ?? Number.NEGATIVE_INFINITY);
  }

  /** Notes that a series got its first reading in the window that starts at `start`. */
  add(start: number, store: WindowStore): void {
    let at = this.#windows.length;
    if (this.newestStart >= start) at = this.#indexFrom(start);
    const found = this.#windows[at];
    if (found?.start === start) found.stores.push(store);
    else if (at === this.#windows.length) this.#windows.push({ start, stores: [store] });
    else this.#windows.splice(at, 0, { start, stores: [store] });
    this.#next = at + 1;
  }

  /** Takes the oldest one out. */
  shift(): OpenWindow | undefined {
    const oldest = this.#windows[this.#head];
    if (oldest === undefined) return undefined;
    this.#head += 1;
    const { length } = this.#windows;
    if (this.#head === length) this.#windows = [];
    else if (this.#head >= COMPACT_ROWS && this.#head * 2 >= length) {
      this.#windows = this.#windows.slice(this.#head);
    } else return oldest;
    this.#head = 0;
    return oldest;
  }

  #indexFrom(start: number): number {
    // The columns of a block add the same windows, each in the same order.
    const isNext = this.#next >= this.#head && this.#windows[this.#next]?.start === start;
    if (isNext) return this.#next;
    let low = this.#head;
    let high = this.#windows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#windows[middle]?.start ?? start) < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
