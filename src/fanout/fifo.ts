/** Below this many taken places a queue is not worth compacting. */
const COMPACT_LEAST = 64;

/** A queue, first in first out, over one array. Bounds: what its owner pushes. */
export class Fifo<Item> {
  #items: Item[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** The first item, which stays. */
  peek(): Item | undefined {
    return this.#items[this.#head];
  }

  /** Takes the first item. */
  shift(): Item | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    // Half of the array is behind us: moving the rest costs O(1) per item taken.
    if (this.#head >= COMPACT_LEAST && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
