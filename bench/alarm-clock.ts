import { parentPort, Worker, workerData } from 'node:worker_threads';

/** What the thread is asked: to answer at this time of its own clock. */
interface Order {
  readonly restMs: number;
  readonly askedAtMs: number;
}

/**
 * Waits to a tenth of a millisecond; timers of Node are whole milliseconds, and late. A thread sleeps
 * and tells: no CPU is burnt. One wait after the other.
 */
export class AlarmClock {
  readonly #thread = new Worker(new URL(import.meta.url), { workerData: 'alarm clock' });
  #ring: (() => void) | null = null;

  constructor() {
    this.#thread.on('message', () => {
      this.#thread.unref();
      this.#ring?.();
    });
    this.#thread.unref();
  }

  /** Resolves after so long. Units: ms. */
  wait(restMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#ring = resolve;
      this.#thread.ref();
      const order: Order = { restMs, askedAtMs: performance.timeOrigin + performance.now() };
      this.#thread.postMessage(order);
    });
  }
}

if (workerData === 'alarm clock') {
  const port = parentPort;
  const never = new Int32Array(new SharedArrayBuffer(4));
  port?.on('message', ({ restMs, askedAtMs }: Order) => {
    const passed = performance.timeOrigin + performance.now() - askedAtMs;
    Atomics.wait(never, 0, 0, Math.max(0, restMs - passed));
    port.postMessage(null);
  });
}
