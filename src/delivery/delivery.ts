import type { RecordBatch } from '../model/batch.ts';
import type { FrameRow, Settlement } from '../model/frame.ts';
import { LOG, type LogKind, type LogRecord, type SchemaRecord } from '../model/record.ts';
import type { Now } from '../model/time.ts';
import type { MarkEntry } from '../wire/mark.ts';
import type { RecordHeader } from '../wire/record-header.ts';
import { decodeSchema } from '../wire/schema.ts';
import type { CausedResult } from './cause.ts';
import type { Gap } from './continuity.ts';
import { OwnedLog } from './owned-log.ts';
import type { Broken, OwnedLogPort } from './owned-log-port.ts';
import { ResultsLog } from './results-log.ts';
import { SchemaTable } from './schema-table.ts';

/** What delivery tells the rest of the gateway. All calls are synchronous. */
export interface DeliveryPort {
  /** Append this batch; answer with `appended` or `failed`. */
  append(log: LogKind, batch: RecordBatch): void;
  /** Read these offsets; answer with `recordRead` and `readEnd`, or `failed`. */
  read(log: LogKind, gaps: readonly Gap[]): void;
  /** What is under way on old connections of this log is abandoned. */
  renew(log: LogKind): void;
  /** A row of ours became durable. */
  settled(settlement: Settlement): void;
  /** An append is done and its rows are settled: how much they cost, and how long it took. */
  appendDone(log: LogKind, cost: number, tookMs: number): void;
  /**
   * A valid record, in log order: read at the start, or just made durable. False: it takes more than
   * a step may, and is to be told again in a later one; never of what was read, which has no limit.
   */
  fed(record: LogRecord, header: RecordHeader): boolean;
  /** False: the next record of this shard has to wait for another step. */
  mayFeed(log: LogKind, shard: number): boolean;
  /** Every shard has been read to its own fence. */
  owned(): void;
  /** `isWaiting` changed. */
  waiting(): void;
  /** Nothing may be acknowledged any more. */
  broken(cause: Broken, reason: string): void;
}

/** What delivery needs to know of its node. */
export interface DeliveryOptions {
  readonly shards: number;
  /** Name of the node, for fences. */
  readonly node: string;
  /** Shape: 8 random bytes, new for every ownership. */
  readonly own: Uint8Array;
  readonly lingerMs: number;
  /** Alarms had better gather than be appended now; a tick comes as soon as that ends. */
  readonly isLogBusy?: () => boolean;
  /** After a failed append the start path may be taken again. */
  readonly isRecoverable: () => boolean;
  readonly port: DeliveryPort;
}

/**
 * Rows to batches, batches to the logs, durable rows back. It owns the readings log first and the
 * alarms log after it, in the same generation, so that two nodes cannot hold one log each.
 * Source: DESIGN §5.
 */
export class Delivery {
  readonly schemas = new SchemaTable();
  readonly #port: DeliveryPort;
  readonly #readings: OwnedLog;
  readonly #alarms: OwnedLog;
  readonly #results: ResultsLog;
  readonly #isRecoverable: () => boolean;
  #isOwner = false;
  #isBroken = false;
  #isRecovering = false;
  #wasWaiting = false;

  constructor(options: DeliveryOptions) {
    const { port } = options;
    this.#port = port;
    this.#isRecoverable = options.isRecoverable;
    const { isLogBusy, ...others } = options;
    const shared = { ...others, port: this.#ownedLogPort() };
    this.#readings = new OwnedLog({
      ...shared,
      log: LOG.readings,
      firstGen: (shard) => 1 + this.#newestGen(shard),
    });
    this.#alarms = new OwnedLog({
      ...shared,
      log: LOG.alarms,
      lingerMs: 0,
      ...(isLogBusy ? { isBusy: isLogBusy } : {}),
      firstGen: (shard) => this.#readings.tails.gen(shard),
    });
    this.#results = new ResultsLog((batch) => port.append(LOG.aggregates, batch));
  }

  /** Every shard has been read to its own fence. */
  get isOwner(): boolean {
    return this.#isOwner && !this.#isBroken;
  }

  /** Nothing may be acknowledged any more. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The log was ours and cannot be reached. */
  get isRecovering(): boolean {
    return this.#isRecovering;
  }

  /** Nothing waits for the log. */
  get isIdle(): boolean {
    return this.#readings.isIdle && this.#alarms.isIdle && this.#results.isIdle;
  }

  /** Durable rows wait to be fed. */
  get isFeeding(): boolean {
    return !this.#isBroken && (this.#readings.isFeeding || this.#alarms.isFeeding);
  }

  /** The same, of one log. */
  isFeedingOf(log: LogKind): boolean {
    return !this.#isBroken && this.#owned(log).isFeeding;
  }

  /** So many results wait for the aggregates log that records of this one must not cause more. */
  isHeldUp(log: LogKind): boolean {
    return this.#results.isFull(log);
  }

  /** Readings wait for a log: theirs, or that of the results. */
  get isWaiting(): boolean {
    return this.#isRecovering || this.isHeldUp(LOG.readings);
  }

  /** Durable readings that wait to be fed. */
  get unreadReadings(): number {
    return this.#readings.unreadReadings + this.#alarms.unreadReadings;
  }

  /** When `tick` is wanted. Units: monotonic ms. */
  get wakeAtMs(): number {
    // Results that a crash kept back wait for the fences, and so must the timer.
    const results = this.#isOwner ? this.#results.wakeAtMs : Number.POSITIVE_INFINITY;
    return Math.min(this.#readings.wakeAtMs, this.#alarms.wakeAtMs, results);
  }

  /** Records of other owners that were read and skipped. */
  get voids(): number {
    return this.#readings.voids + this.#alarms.voids;
  }

  /** How often a log had to be made ours again. */
  get recoveries(): number {
    return this.#readings.recoveries + this.#alarms.recoveries;
  }

  /** A definition read from the schema log. */
  schemaRead({ hash, bytes }: SchemaRecord): void {
    const schema = decodeSchema(bytes, hash);
    if (schema) this.schemas.read(schema);
  }

  /** A record read at the start or in a gap, in log order. */
  recordRead(record: LogRecord): void {
    if (record.log === LOG.aggregates) this.#results.recordRead(record);
    else this.#owned(record.log).recordRead(record);
  }

  /** Everything was read at the start (null): fence; or a gap of this log was. */
  readEnd(log: LogKind | null, now: Now): void {
    if (this.#isBroken) return;
    if (log !== null) {
      this.#owned(log).readEnd(now);
      return;
    }
    this.#results.readEnd(now);
    this.#readings.acquire(now);
  }

  /** Takes a row. */
  admit(row: FrameRow, now: Now): void {
    const log = row.lane === 0 ? LOG.alarms : LOG.readings;
    const batch = this.#owned(log).admit(row, now);
    for (const schema of row.schemas) {
      if (this.schemas.carry(schema, log)) batch.records.schemas.push(schema);
    }
  }

  /** Appends a mark. Source: [R9.1-3]. */
  mark(log: LogKind, shard: number, entries: readonly MarkEntry[], now: Now): void {
    this.#owned(log).mark(shard, entries, now);
  }

  /** Appends a window result, unless it is in the log already. */
  result(caused: CausedResult, now: Now): void {
    this.#results.add(caused, now);
  }

  /**
   * One of the next appends of readings is to have about so many bytes, however much waits: it
   * tells what an append costs by itself. Source: CREDIT §5.1.
   */
  probe(bytes: number): void {
    this.#readings.probe(bytes);
  }

  /** Starts the appends that are due. */
  tick(now: Now): void {
    if (this.#isBroken) return;
    this.#alarms.tick(now);
    this.#readings.tick(now);
    if (this.#isOwner) this.#results.tick(now);
    this.#isRecovering = this.#readings.isRecovering || this.#alarms.isRecovering;
    if (this.#wasWaiting === this.isWaiting) return;
    this.#wasWaiting = this.isWaiting;
    this.#port.waiting();
  }

  /** An append came back. */
  appended(log: LogKind, offsets: Float64Array, now: Now): void {
    if (this.#isBroken) return;
    if (log === LOG.aggregates) this.#results.appended(now);
    else this.#owned(log).appended(offsets, now);
  }

  /** An append, or the reading of a gap, failed: what is in the log is unknown. */
  failed(log: LogKind, reason: string, now: Now): void {
    if (this.#isBroken) return;
    if (log !== LOG.aggregates || !this.#isRecoverable()) {
      this.#owned(log).failed(reason, now);
      return;
    }
    this.#port.renew(log);
    this.#results.failed(now);
  }

  /** The newest generation of either log of this shard, as far as they were read. */
  #newestGen(shard: number): number {
    return Math.max(this.#readings.tails.gen(shard), this.#alarms.tails.gen(shard));
  }

  #owned(log: LogKind): OwnedLog {
    return log === LOG.alarms ? this.#alarms : this.#readings;
  }

  #ownedLogPort(): OwnedLogPort {
    const port = this.#port;
    return {
      append: (log, batch) => port.append(log, batch),
      read: (log, gaps) => port.read(log, gaps),
      renew: (log) => port.renew(log),
      settled: (settlement) => port.settled(settlement),
      appendDone: (log, cost, tookMs) => port.appendDone(log, cost, tookMs),
      fed: (record, header) => port.fed(record, header),
      mayFeed: (log, shard) => port.mayFeed(log, shard),
      owned: (log, now) => this.#wasOwned(log, now),
      broken: (cause, reason) => {
        if (this.#isBroken) return;
        this.#isBroken = true;
        port.broken(cause, reason);
      },
    };
  }

  #wasOwned(log: LogKind, now: Now): void {
    if (this.#isOwner) return;
    if (log === LOG.readings) {
      this.#alarms.acquire(now);
      return;
    }
    this.#isOwner = true;
    this.#port.owned();
  }
}
