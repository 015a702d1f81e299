/** What a link is like. */
export interface LinkOptions {
  /** One way. Units: ms. */
  readonly delayMs: number;
  /** Towards the gateway. Units: bytes/s. */
  readonly bytesPerSecond: number;
}

interface Waiting {
  readonly bytes: number;
  /** When its last byte has left this end. Units: ms. */
  readonly leavesAtMs: number;
  readonly deliver: () => void;
}

/**
 * One direction of a slow link: what is put in comes out in order, at the link's rate and after its
 * delay. Guarantee: one timer at a time; nothing comes out after `cut`.
 */
export class SlowLink {
  readonly #options: LinkOptions;
  readonly #waiting: Waiting[] = [];
  #freeAtMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** What has not left this end yet. Units: bytes. */
  get queuedBytes(): number {
    const nowMs = performance.now();
    return this.#waiting.reduce(
      (sum, { bytes, leavesAtMs }) => (leavesAtMs > nowMs ? sum + bytes : sum),
      0,
    );
  }

  /** Has this delivered at the other end, once its bytes have passed. */
  put(bytes: number, deliver: () => void): void {
    const startsMs = Math.max(performance.now(), this.#freeAtMs);
    const leavesAtMs = startsMs + (bytes * 1000) / this.#options.bytesPerSecond;
    this.#freeAtMs = leavesAtMs;
    this.#waiting.push({ bytes, leavesAtMs, deliver });
    if (!this.#timer) this.#sleep();
  }

  /** Whatever is on the way is gone. */
  cut(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting.length = 0;
    this.#freeAtMs = 0;
  }

  #sleep(): void {
    const [first] = this.#waiting;
    if (!first) return;
    const dueMs = first.leavesAtMs + this.#options.delayMs;
    this.#timer = setTimeout(() => this.#deliver(), Math.max(0, dueMs - performance.now()));
  }

  #deliver(): void {
    this.#timer = null;
    const dueMs = performance.now() - this.#options.delayMs;
    while (this.#waiting[0] && this.#waiting[0].leavesAtMs <= dueMs) {
      this.#waiting.shift()?.deliver();
    }
    // A delivery may have cut the link, or put something into it.
    if (!this.#timer) this.#sleep();
  }
}
