import { type ChannelRows, NONE } from './rows.ts';

/** In what kind of list a channel stands. It is in at most one. */
export const LIST = { none: 0, ring0: 1, ring1: 2, ring2: 3, asleep: 4 } as const;
/** A kind of list. */
export type ListKind = (typeof LIST)[keyof typeof LIST];

/** Lists of channels, first in, first out, linked through `rows.next`: O(1), without allocation. */
export class Lists {
  readonly #rows: ChannelRows;
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  readonly #length: Int32Array;
  /** Channels in all lists. */
  total = 0;

  constructor(rows: ChannelRows, lists: number) {
    this.#rows = rows;
    this.#head = new Int32Array(lists).fill(NONE);
    this.#tail = new Int32Array(lists).fill(NONE);
    this.#length = new Int32Array(lists);
  }

  /** Channels in a list. */
  length(list: number): number {
    return this.#length[list] as number;
  }

  /** The first of a list, or NONE. */
  head(list: number): number {
    return this.#head[list] as number;
  }

  /** Adds to the end. */
  push(list: number, row: number): void {
    const last = this.#tail[list] as number;
    this.#rows.next[row] = NONE;
    if (last === NONE) this.#head[list] = row;
    else this.#rows.next[last] = row;
    this.#tail[list] = row;
    this.#count(list, 1);
  }

  /** Adds to the front. */
  unshift(list: number, row: number): void {
    this.#rows.next[row] = this.#head[list] as number;
    this.#head[list] = row;
    if (this.#tail[list] === NONE) this.#tail[list] = row;
    this.#count(list, 1);
  }

  /** Takes the first out. The list must not be empty. */
  shift(list: number): number {
    const row = this.#head[list] as number;
    this.#head[list] = this.#rows.next[row] as number;
    if (this.#head[list] === NONE) this.#tail[list] = NONE;
    this.#count(list, -1);
    return row;
  }

  #count(list: number, by: number): void {
    this.#length[list] = this.length(list) + by;
    this.total += by;
  }
}
