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
  readonly #isBusy: () => boolean;
  readonly #closed: PendingBatch[] = [];
  readonly #spares: PendingBatch[] = [];
  #open = new PendingBatch();
  #inFlight: PendingBatch | null = null;
  /** The small batch that was asked for, until it has landed. */
  #probe: PendingBatch | null = null;

  /** `isBusy`: the log cannot begin with anything now; a tick comes when it can. */
  constructor(lingerMs: number, isBusy = () => false) {
    this.#lingerMs = lingerMs;
    this.#isBusy = isBusy;
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

  /**
   * When `take` may give something; Infinity while an append is in flight, the log is busy or nothing
   * waits.
   */
  get wakeAtMs(): number {
    if (this.#inFlight || this.#waits === 0 || this.#isBusy()) return Number.POSITIVE_INFINITY;
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
   * The batch in flight is there: the next may go, `again` before all others. What gathered meanwhile
   * need not linger. The caller gives the landed batch back by `done`.
   */
  landed(again: PendingBatch | null): void {
    if (this.#inFlight === this.#probe) this.#probe = null;
    this.#inFlight = null;
    this.#open.openedAtMs = Number.NEGATIVE_INFINITY;
    if (again) this.#closed.unshift(again);
  }

  /** Nobody needs what is in this batch any more. */
  done(batch: PendingBatch): void {
    batch.clear();
    const isSmall = batch.records.bytes.length <= SPARE_BYTES_MAX;
    if (isSmall && this.#spares.length < SPARES_MAX) this.#spares.push(batch);
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
