import type { Now } from '../model/time.ts';
import { PendingBatch } from './pending-batch.ts';

/** Emptied batches that are kept for the next use. */
const SPARES_MAX = 2;
/** A spare with a larger buffer than this is let go. Units: bytes. */
const SPARE_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Batches on their way to one log, one append in flight. While it is, the next batch grows: group
 * commit, no tuning. Only an idle pipeline lingers for company. Source: DESIGN §3.4.
 */
export class Pipeline {
  readonly #lingerMs: number;
  readonly #closed: PendingBatch[] = [];
  readonly #spares: PendingBatch[] = [];
  #open = new PendingBatch();
  #inFlight: PendingBatch | null = null;
  /** The small batch that was asked for, until it has landed. */
  #probe: PendingBatch | null = null;

  constructor(lingerMs: number) {
    this.#lingerMs = lingerMs;
  }

  /** The batch that a new row goes to. */
  batch(now: Now): PendingBatch {
    if (this.#open.isFull) this.#close(true);
    if (this.#open.records.rows === 0) this.#open.openedAtMs = now.monoMs;
    return this.#open;
  }

  /** What waits goes out as it is; behind it comes one batch of about so many bytes. */
  probe(bytes: number): void {
    if (this.#probe) return;
    if (this.#open.records.rows > 0) this.#close();
    this.#open.bytesMax = bytes;
    this.#probe = this.#open;
  }

  /** Nothing waits and nothing is in flight. */
  get isEmpty(): boolean {
    return this.#inFlight === null && this.#open.records.rows === 0 && this.#closed.length === 0;
  }

  /** What waits or is in flight. Units: bytes. */
  get bytes(): number {
    const inFlight = this.#inFlight?.records.size ?? 0;
    return this.#closed.reduce(
      (sum, { records }) => sum + records.size,
      inFlight + this.#open.records.size,
    );
  }

  /** When `take` may give something; Infinity while an append is in flight or nothing waits. */
  get wakeAtMs(): number {
    if (this.#inFlight || this.#waits === 0) return Number.POSITIVE_INFINITY;
    return this.#closed.length > 0 ? 0 : this.#open.openedAtMs + this.#lingerMs;
  }

  /** The batch to append now, or null. */
  take(now: Now): PendingBatch | null {
    if (this.wakeAtMs > now.monoMs) return null;
    this.#inFlight = this.#closed.shift() ?? this.#open;
    if (this.#inFlight === this.#open) this.#open = this.#spares.pop() ?? new PendingBatch();
    return this.#inFlight;
  }

  /** The batch whose append came back. */
  get inFlight(): PendingBatch | null {
    return this.#inFlight;
  }

  /** Puts another batch in the place of the one that was just taken. */
  replace(batch: PendingBatch): PendingBatch {
    if (this.#inFlight === this.#probe) this.#probe = null;
    this.#inFlight = batch;
    return batch;
  }

  /**
   * The batch in flight is done with; `again` goes out before all others. What gathered meanwhile
   * need not linger.
   */
  landed(again: PendingBatch | null): void {
    const landed = this.#inFlight;
    this.#inFlight = null;
    this.#open.openedAtMs = Number.NEGATIVE_INFINITY;
    if (again) this.#closed.unshift(again);
    if (!landed) return;
    if (landed === this.#probe) this.#probe = null;
    landed.clear();
    const isSmall = landed.records.bytes.length <= SPARE_BYTES_MAX;
    if (isSmall && this.#spares.length < SPARES_MAX) this.#spares.push(landed);
  }

  /** `isLarge`: the next one will be filled too. */
  #close(isLarge = false): void {
    this.#closed.push(this.#open);
    this.#open = this.#spares.pop() ?? new PendingBatch(isLarge);
  }

  get #waits(): number {
    return this.#closed.length + this.#open.records.rows;
  }
}
