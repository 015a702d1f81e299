const MS_PER_SECOND = 1000;

/** What a device has to send on a lane: what it holds, and what its sensors add to it. */
export class Supply {
  #bytesPerSecond: number;
  #held: number;
  #sinceMs: number;
  #untilMs = Number.POSITIVE_INFINITY;

  constructor(held: number, bytesPerSecond: number, nowMs: number) {
    this.#held = held;
    this.#bytesPerSecond = bytesPerSecond;
    this.#sinceMs = nowMs;
  }

  /** What waits now. Units: bytes of payload. */
  bytes(nowMs: number): number {
    const ms = Math.min(nowMs, this.#untilMs) - this.#sinceMs;
    return this.#held + (ms > 0 ? (this.#bytesPerSecond * ms) / MS_PER_SECOND : 0);
  }

  /** How long until so many bytes wait; Infinity if they never will. */
  msUntil(bytes: number, nowMs: number): number {
    if (this.#bytesPerSecond === 0 || nowMs >= this.#untilMs) return Number.POSITIVE_INFINITY;
    return ((bytes - this.bytes(nowMs)) / this.#bytesPerSecond) * MS_PER_SECOND;
  }

  /** More to send, or less (< 0) because it was sent. */
  add(bytes: number): void {
    this.#held += bytes;
  }

  setRate(bytesPerSecond: number, nowMs: number): void {
    this.#held = this.bytes(nowMs);
    this.#sinceMs = nowMs;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Throws away what waits. */
  empty(nowMs: number): void {
    this.#held = 0;
    this.#sinceMs = nowMs;
  }

  /** Nothing more comes. */
  stop(nowMs: number): void {
    this.#untilMs = nowMs;
  }
}
