import type { RecordBatch } from '../../model/batch.ts';
import { type Counters, Group, type Waiting } from './group.ts';
import { GroupWrite, syncOnce } from './group-write.ts';
import type { Patience } from './patience.ts';
import type { Segments } from './segments.ts';
import type { Appended, LogState } from './shard-log.ts';
import type { SideLogs } from './side-logs.ts';

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
 * Group commit: while one write and sync are on their way, append calls gather, and then go
 * together. No timer: the disk sets the pace.
 * Guarantee: groups are written one after the other; a failed sync is never repeated.
 * Bounds: the queue holds what the callers let wait: they have one append per log kind in flight.
 */
export class Committer {
  onState: ((state: LogState) => void) | null = null;
  /** Shape: next offset by log × shards + shard, of what is durable. */
  readonly offsets: Float64Array;
  /** Sequence number behind the last durable record. */
  sequence: number;
  readonly #parts: CommitterParts;
  readonly #group: Group;
  readonly #queue: Waiting[] = [];
  #state: LogState = { kind: 'ok' };
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

  append(batch: RecordBatch): Promise<Appended> {
    if (this.#state.kind === 'failed') {
      return Promise.reject(new Error(`the log has failed: ${this.#state.reason}`));
    }
    const offsets = new Float64Array(batch.rows);
    return new Promise((resolve, reject) => {
      this.#queue.push({ batch, offsets, taken: 0, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is on its way any more. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Whatever is appended in this turn of the event loop joins the first group.
    await Promise.resolve();
    try {
      while (this.#queue.length > 0) await this.#commit();
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
    group.gather(this.#queue, counters);
    await sides.append(group.begun.map((waiting) => waiting.batch));
    if (group.length > 0) {
      const place = await segments.room(group.length, sequence);
      const write = new GroupWrite(group.bytes, place);
      await patience.until(place.path, () => write.attempt());
      await syncOnce(place.file, place.path);
      segments.advance(group.length);
    }
    this.offsets.set(counters.offsets);
    this.sequence = counters.sequence;
    onDurable();
    for (const { resolve, offsets } of group.finished) resolve({ offsets });
    group.finished.length = 0;
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
