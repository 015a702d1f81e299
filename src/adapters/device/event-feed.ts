import type { DeviceEvent } from './device-event.ts';

/** Events that wait for one loop; beyond, the oldest are left out and counted. */
const WAITING_MAX = 1000;

/** One loop over the events of a device. */
class Loop {
  #waiting: DeviceEvent[] = [];
  #missed = 0;
  #wake: (() => void) | null = null;
  isOver = false;

  push(event: DeviceEvent): void {
    if (this.#waiting.length >= WAITING_MAX) {
      this.#waiting.shift();
      this.#missed += 1;
    }
    this.#waiting.push(event);
    this.#wake?.();
  }

  end(): void {
    this.isOver = true;
    this.#wake?.();
  }

  async *events(): AsyncGenerator<DeviceEvent, void, void> {
    for (;;) {
      if (this.#missed > 0) {
        const events = this.#missed;
        this.#missed = 0;
        yield { kind: 'missed', events };
      }
      const event = this.#waiting.shift();
      if (event) yield event;
      else if (this.isOver) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

/**
 * Tells events to whoever listens.
 * Guarantee: one after the other, in order, also where a listener causes further ones; a listener
 * that throws does not keep the others from hearing, and its error is the host's to report.
 * Bounds: 1000 events wait for a loop that does not take them.
 */
export class EventFeed {
  readonly #listeners = new Set<(event: DeviceEvent) => void>();
  readonly #loops = new Set<Loop>();
  readonly #queue: DeviceEvent[] = [];
  #isTelling = false;
  #isOver = false;

  on(listener: (event: DeviceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async *events(): AsyncGenerator<DeviceEvent, void, void> {
    const loop = new Loop();
    if (this.#isOver) return;
    this.#loops.add(loop);
    try {
      yield* loop.events();
    } finally {
      this.#loops.delete(loop);
    }
  }

  tell(event: DeviceEvent): void {
    this.#queue.push(event);
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#tellOne(next);
    this.#isTelling = false;
  }

  /** No more events: loops end once they have taken what waits. */
  end(): void {
    this.#isOver = true;
    for (const loop of this.#loops) loop.end();
  }

  #tellOne(event: DeviceEvent): void {
    for (const loop of this.#loops) loop.push(event);
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // Thrown again outside, where the host reports what nobody caught.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
