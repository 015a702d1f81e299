/** How long a group should take while alarms come: so long does one wait at most. Units: ms. */
const SLICE_MS = 11;
/** It may take less where syncs cost so little that the log loses nothing by it. */
const SYNCS_PER_SLICE = 50;
const SLICE_MS_LEAST = 5;
/** It takes more where the log would lose an eighth by it: an alarm has a sync of its own too. */
const SYNCS_PER_SLICE_LEAST = 16;
/**
 * While no alarms come: what is durable is told in parts, or a queue that is emptied by large
 * appends is filled by bursts as large. Units: ms.
 */
const PART_MS = 25;
/** Alarms are expected for so long after the last one. Units: ms. */
const ALARMS_MS = 1000;
/** A group up to here tells what a sync costs by itself; from there on, what bytes cost. */
const SMALL_BYTES = 8 * 1024;
const SYNCS_KEPT = 9;
/** Weight of a new measurement of what bytes cost. */
const WEIGHT = 1 / 16;

/**
 * How much a file log writes under one sync. While alarms come it is little, so that they do not
 * wait for bulk: a disk has one queue, and what is in it cannot be overtaken. Otherwise it is as much
 * as costs few syncs.
 */
export class SliceSize {
  readonly #leastBytes: number;
  #alarmAtMs = Number.NEGATIVE_INFINITY;
  readonly #syncs: number[] = [];
  /** The middle one of the last: some fall into a pause, the cost of some was paid before. */
  #syncMs = 0;
  #bytesPerMs = 0;

  constructor(leastBytes: number) {
    this.#leastBytes = leastBytes;
  }

  /** An alarm is to be written. */
  alarm(nowMs: number): void {
    this.#alarmAtMs = nowMs;
  }

  /** A group of so many bytes took so long. */
  wrote(bytes: number, ms: number): void {
    if (bytes <= SMALL_BYTES) {
      this.#syncs.push(ms);
      if (this.#syncs.length > SYNCS_KEPT) this.#syncs.shift();
      this.#syncMs = this.#syncs.toSorted((x, y) => x - y)[(this.#syncs.length - 1) >> 1] as number;
      return;
    }
    const rate = bytes / Math.max(ms - this.#syncMs, ms / 2);
    this.#bytesPerMs += (rate - this.#bytesPerMs) * (this.#bytesPerMs === 0 ? 1 : WEIGHT);
  }

  /** Most bytes of the next group. */
  bytesMost(nowMs: number): number {
    if (this.#bytesPerMs === 0) return Number.POSITIVE_INFINITY;
    const isCalm = nowMs - this.#alarmAtMs > ALARMS_MS;
    const ms = isCalm ? Math.max(PART_MS, SYNCS_PER_SLICE * this.#syncMs) : this.#sliceMs;
    return Math.max(this.#leastBytes, ms * this.#bytesPerMs);
  }

  get #sliceMs(): number {
    return Math.max(
      SLICE_MS_LEAST,
      SYNCS_PER_SLICE_LEAST * this.#syncMs,
      Math.min(SLICE_MS, SYNCS_PER_SLICE * this.#syncMs),
    );
  }
}
