import type { RecordBatch } from '../../model/batch.ts';
import { type Counters, Group, type GroupSize, isAlarms, type Waiting } from './group.ts';
import { GroupWrite } from './group-write.ts';
import type { Patience } from './patience.ts';
import type { Segments } from './segments.ts';
import type { Appended, LogState } from './shard-log.ts';
import type { SideLogs } from './side-logs.ts';
import { SliceSize } from './slice-size.ts';

/** Groups are not cut smaller than this, however slow the disk. */
const SLICE_BYTES_LEAST = 16 * 1024;

/** What a committer works with. */
export interface CommitterParts {
  readonly segments: Segments;
  readonly sides: SideLogs;
  readonly patience: Patience;
  /** Where the log stands; the committer's own from here on. */
  readonly counters: Counters;
  readonly groupBytesMax: number;
  /** Called when a group is durable, before its calls are resolved. */
  readonly onDurable: () => void;
}

/**
 * Group commit: while one write is on its way to the disk, append calls gather, and then go
 * together. No timer: the disk sets the pace.
 * Guarantee: groups are written one after the other; a failed write is never repeated but for want of room; an alarm waits
 * for one group at most, whatever bulk waits too.
 * Bounds: the queue holds what the callers let wait: they have one append per log kind in flight.
 */
export class Committer {
  onState: ((state: LogState) => void) | null = null;
  onReady: (() => void) | null = null;
  /** Shape: next offset by log × shards + shard, of what is durable. */
  readonly offsets: Float64Array;
  /** Sequence number behind the last durable record. */
  sequence: number;
  readonly #parts: CommitterParts;
  readonly #group: Group;
  readonly #queue: Waiting[] = [];
  readonly #slices = new SliceSize(SLICE_BYTES_LEAST);
  #state: LogState = { kind: 'ok' };
  /** Tells that rows of a call that is not finished are durable. */
  #part: (() => void) | null = null;
  /** A group is on its way to the disk. */
  #isBusy = false;
  /** Somebody was told so. */
  #isAwaited = false;
  #running: Promise<void> | null = null;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
    this.#group = new Group(parts.groupBytesMax);
    this.offsets = parts.counters.offsets.slice();
    this.sequence = parts.counters.sequence;
    parts.patience.onWaiting = (reason) =>
      this.#turn(reason === null ? { kind: 'ok' } : { kind: 'stalled', reason });
  }

  get state(): LogState {
    return this.#state;
  }

  /** See `ShardLog.isBusy`. */
  isBusy(): boolean {
    this.#isAwaited ||= this.#isBusy;
    return this.#isBusy;
  }

  append(batch: RecordBatch, onPart?: (offsets: Float64Array) => void): Promise<Appended> {
    if (this.#state.kind === 'failed') {
      return Promise.reject(new Error(`the log has failed: ${this.#state.reason}`));
    }
    const offsets = new Float64Array(batch.rows);
    return new Promise((resolve, reject) => {
      this.#enqueue({ batch, offsets, taken: 0, onPart, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Alarms go ahead of what else waits, also of the rest of a call that is half written. [R7-21] */
  #enqueue(waiting: Waiting): void {
    if (!isAlarms(waiting)) {
      this.#queue.push(waiting);
      return;
    }
    this.#slices.alarm(performance.now());
    this.#queue.splice(this.#alarmsWaiting, 0, waiting);
  }

  get #alarmsWaiting(): number {
    const bulk = this.#queue.findIndex((waiting) => !isAlarms(waiting));
    return bulk === -1 ? this.#queue.length : bulk;
  }

  /** Alarms go by themselves: with bulk they would take as long as it does. */
  #nextSize(): GroupSize {
    const alarms = this.#alarmsWaiting;
    if (alarms > 0) return { callsMost: alarms, bytesMost: Number.POSITIVE_INFINITY };
    const bytesMost = this.#slices.bytesMost(performance.now());
    return { callsMost: Number.POSITIVE_INFINITY, bytesMost };
  }

  /** Resolves when nothing is on its way any more. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Whatever is appended in this turn of the event loop joins the first group.
    await Promise.resolve();
    try {
      while (this.#queue.length > 0) {
        this.#isBusy = true;
        await this.#commit();
        this.#ready();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#running = null;
    }
  }

  async #commit(): Promise<void> {
    const { sides, counters, segments, patience, onDurable } = this.#parts;
    const group = this.#group;
    const { sequence } = counters;
    group.gather(this.#queue, counters, this.#nextSize());
    await sides.append(group.begun.map((waiting) => waiting.batch));
    if (group.length > 0) {
      const place = await segments.room(group.length, sequence);
      const begunMs = performance.now();
      const write = new GroupWrite(group.bytes, place);
      const written = patience.until(place.path, () => write.attempt());
      this.#tellPart();
      await written;
      segments.advance(group.length);
      this.#slices.wrote(group.length, performance.now() - begunMs);
    }
    this.offsets.set(counters.offsets);
    this.sequence = counters.sequence;
    onDurable();
    for (const { resolve, offsets } of group.finished) resolve({ offsets });
    group.finished.length = 0;
    if (!group.partial) return;
    const { onPart, offsets, taken } = group.partial;
    this.#part = () => onPart?.(offsets.subarray(0, taken));
  }

  /**
   * Tells what the last group of bulk made durable while the disk is at the next one: what follows
   * from it takes its time, in which the disk would wait.
   */
  #tellPart(): void {
    if (this.#group.isAlarms) return;
    const tell = this.#part;
    this.#part = null;
    tell?.();
  }

  #ready(): void {
    this.#isBusy = false;
    if (!this.#isAwaited) return;
    this.#isAwaited = false;
    this.onReady?.();
  }

  /** Part of the group may be on the disk: only the start path can tell, in a new process. */
  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#turn({ kind: 'failed', reason });
    const lost = [...this.#group.finished, ...this.#queue.splice(0)];
    for (const { reject } of lost) reject(error);
  }

  #turn(state: LogState): void {
    this.#state = state;
    this.onState?.(state);
  }
}
