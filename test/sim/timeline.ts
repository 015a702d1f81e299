interface Planned {
  readonly ms: number;
  readonly order: number;
  readonly act: () => void;
}

/**
 * Virtual time: a heap of things to come. What is planned for the same moment happens in the order
 * in which it was planned, so a run depends on nothing but its seed.
 */
export class Timeline {
  /** Units: ms since the world began. */
  ms = 0;
  /** Things that happened, for the report. */
  events = 0;
  readonly #heap: Planned[] = [];
  #order = 0;

  /** Plans something; what lies in the past happens now. */
  at(ms: number, act: () => void): void {
    this.#order += 1;
    this.#push({ ms: Math.max(ms, this.ms), order: this.#order, act });
  }

  after(ms: number, act: () => void): void {
    this.at(this.ms + ms, act);
  }

  /** Lets everything happen up to `untilMs`, or until `isOver` says so. */
  run(untilMs: number, isOver: () => boolean): void {
    for (let next = this.#heap[0]; next && next.ms <= untilMs; next = this.#heap[0]) {
      this.#pop();
      this.ms = next.ms;
      this.events += 1;
      next.act();
      if (isOver()) return;
    }
    this.ms = Math.max(this.ms, untilMs);
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(planned, heap[parent] as Planned)) break;
      heap[at] = heap[parent] as Planned;
      at = parent;
    }
    heap[at] = planned;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Planned;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Planned)) child += 1;
      if (!isBefore(heap[child] as Planned, last)) break;
      heap[at] = heap[child] as Planned;
      at = child;
    }
    heap[at] = last;
  }
}

const isBefore = (a: Planned, b: Planned): boolean =>
  a.ms < b.ms || (a.ms === b.ms && a.order < b.order);
