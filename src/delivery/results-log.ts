import type { RecordBatch } from '../model/batch.ts';
import { RESULTS_WAITING_BYTES_MAX } from '../model/limits.ts';
import { LOG, type LogKind, type LogRecord } from '../model/record.ts';
import type { Now } from '../model/time.ts';
import { decodeCause, encodeCause } from '../wire/result-cause.ts';
import { type CausedResult, MissingResults } from './cause.ts';
import { Pipeline } from './pipeline.ts';
import { Rest } from './rest.ts';

/** Once full, it is so until less than this waits: or every append would say something else. */
const ROOM_BYTES = (RESULTS_WAITING_BYTES_MAX * 3) / 4;
const ALARMS_BYTES_MAX = (RESULTS_WAITING_BYTES_MAX * 9) / 8;

const utf8 = new TextEncoder();

/**
 * The aggregates log. It has no fence: a result carries its cause, results of one log and shard are
 * written in the order of their causes, and a reader drops what is not above the last one. So an
 * append of which nobody knows whether it arrived is simply made again.
 */
export class ResultsLog {
  readonly #pipeline = new Pipeline(0);
  readonly #append: (batch: RecordBatch) => void;
  /** Only while the logs are read at the start. */
  #missing: MissingResults | null = new MissingResults();
  #isFull = false;
  readonly #rest = new Rest();
  #isResting = false;

  constructor(append: (batch: RecordBatch) => void) {
    this.#append = append;
  }

  get isIdle(): boolean {
    return this.#pipeline.isEmpty;
  }

  /**
   * So many results wait that logs of this kind must not cause more. Alarms stop last: theirs are few,
   * and what is kept for them is not taken by readings.
   */
  isFull(kind: LogKind): boolean {
    return kind === LOG.alarms ? this.#pipeline.bytes >= ALARMS_BYTES_MAX : this.#isFull;
  }

  get wakeAtMs(): number {
    if (this.#missing) return Number.POSITIVE_INFINITY;
    return this.#isResting ? this.#rest.untilMs : this.#pipeline.wakeAtMs;
  }

  /** A record of this log was read at the start. */
  recordRead({ tg, shard }: LogRecord): void {
    const cause = decodeCause(tg, shard);
    if (cause) this.#missing?.read(cause);
  }

  /** Every log was read: what a crash kept from this one is written now. */
  readEnd(now: Now): void {
    const missing = this.#missing;
    this.#missing = null;
    for (const caused of missing?.all() ?? []) this.add(caused, now);
  }

  /** Takes a result. */
  add(caused: CausedResult, now: Now): void {
    if (this.#missing) {
      this.#missing.made(caused);
      return;
    }
    const { cause, result } = caused;
    const key = utf8.encode(result.device);
    const value = utf8.encode(JSON.stringify(result));
    const { records } = this.#pipeline.batch(now);
    records.add(LOG.aggregates, cause.shard, key, encodeCause(cause), value);
    if (!this.#isFull) this.#isFull = this.#pipeline.bytes >= RESULTS_WAITING_BYTES_MAX;
  }

  tick(now: Now): void {
    if (this.#missing) return;
    if (this.#isResting) this.#tryAgain(now);
    const batch = this.#pipeline.take(now);
    if (batch) this.#append(batch.records);
  }

  appended(now: Now): void {
    this.#rest.end(now);
    const { inFlight } = this.#pipeline;
    this.#pipeline.landed(null);
    if (inFlight) this.#pipeline.done(inFlight);
    this.#isFull &&= this.#pipeline.bytes >= ROOM_BYTES;
  }

  failed(now: Now): void {
    this.#isResting = true;
    this.#rest.begin(now);
  }

  #tryAgain(now: Now): void {
    const { inFlight } = this.#pipeline;
    if (now.monoMs < this.#rest.untilMs || !inFlight) return;
    this.#isResting = false;
    this.#append(inFlight.records);
  }
}
