import type { ClassState } from './class-state.ts';

/**
 * The classes of one log that have a window which their watermark, if nothing capped it, had
 * already passed: those become final as the log clock advances. A binary heap in the order in
 * which results come out: oldest window first, then by device path, then by class. Nothing in it
 * depends on when a class was first seen, so a replay from any point gives the same order.
 *
 * Bounds: the classes of the log; empty, and free, while nothing is capped.
 */
export class CapQueue {
  readonly #heap: ClassState[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The class whose window is next. */
  get first(): ClassState | undefined {
    return this.#heap[0];
  }

  /** Puts a class where it belongs, or takes it out, after its windows or its watermark changed. */
  update(target: ClassState): void {
    const at = target.queueIndex;
    if (!target.isWaiting) {
      if (at >= 0) this.#remove(target);
    } else if (at < 0) {
      this.#heap.push(target);
      this.#up(this.#heap.length - 1, target);
    } else {
      this.#up(at, target);
      this.#down(target.queueIndex, target);
    }
  }

  #remove(target: ClassState): void {
    const at = target.queueIndex;
    const last = this.#heap.pop();
    target.queueIndex = -1;
    if (last === undefined || last === target) return;
    this.#put(at, last);
    this.#up(at, last);
    this.#down(last.queueIndex, last);
  }

  #up(from: number, target: ClassState): void {
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >>> 1;
      const parent = this.#heap[parentAt] as ClassState;
      if (!comesBefore(target, parent)) break;
      this.#put(at, parent);
      at = parentAt;
    }
    this.#put(at, target);
  }

  #down(from: number, target: ClassState): void {
    let at = from;
    for (;;) {
      const left = this.#heap[2 * at + 1];
      const right = this.#heap[2 * at + 2];
      if (left === undefined) break;
      const isLeft = right === undefined || comesBefore(left, right);
      const child = isLeft ? left : right;
      if (!comesBefore(child, target)) break;
      this.#put(at, child);
      at = isLeft ? 2 * at + 1 : 2 * at + 2;
    }
    this.#put(at, target);
  }

  #put(at: number, target: ClassState): void {
    this.#heap[at] = target;
    target.queueIndex = at;
  }
}

function comesBefore(a: ClassState, b: ClassState): boolean {
  const byTime = a.open.oldestStart - b.open.oldestStart;
  if (byTime !== 0) return byTime < 0;
  if (a.device.path !== b.device.path) return a.device.path < b.device.path;
  return a.classId < b.classId;
}
