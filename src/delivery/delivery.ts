import type { RecordBatch } from '../model/batch.ts';
import type { FrameRow, Settlement } from '../model/frame.ts';
import { LOG, type LogKind, type LogRecord, type SchemaRecord } from '../model/record.ts';
import type { Now } from '../model/time.ts';
import type { MarkEntry } from '../wire/mark.ts';
import { emptyHeader, type RecordHeader, readHeader } from '../wire/record-header.ts';
import { decodeSchema } from '../wire/schema.ts';
import { type CausedResult, decodeCause, encodeCause, MissingResults } from './cause.ts';
import { Ownership } from './ownership.ts';
import { Pipeline } from './pipeline.ts';
import { RowWriter } from './row-writer.ts';
import { SchemaTable } from './schema-table.ts';

const NO_BYTES = new Uint8Array(0);

/** Somebody else writes our log, or the log itself takes nothing more. */
export type Broken = 'deposed' | 'log failed';

/** What delivery tells the rest of the gateway. All calls are synchronous. */
export interface DeliveryPort {
  /** Append this batch; answer with `appended` or `failed`. */
  append(log: LogKind, batch: RecordBatch): void;
  /** A row of ours became durable. */
  settled(settlement: Settlement): void;
  /** A valid record, in log order: read at the start, or just made durable. */
  read(record: LogRecord, header: RecordHeader): void;
  /** Every shard has been read to its own fence. */
  owned(): void;
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
  readonly port: DeliveryPort;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Where the one start path stands. Source: DESIGN §5. */
type Phase = 'reading' | 'fencing readings' | 'fencing alarms' | 'owned' | 'broken';

/**
 * Rows to batches, batches to the log, durable rows back: and the one path by which a node comes to
 * own its logs (read, fence, read to the own fence).
 */
export class Delivery {
  readonly schemas = new SchemaTable();
  readonly #options: DeliveryOptions;
  readonly #port: DeliveryPort;
  readonly #ownership: Ownership;
  readonly #writer: RowWriter;
  readonly #pipelines: readonly Pipeline[];
  readonly #header: RecordHeader = emptyHeader();
  readonly #record: Mutable<LogRecord> = {
    log: LOG.readings,
    shard: 0,
    offset: 0,
    key: NO_BYTES,
    tg: NO_BYTES,
    value: NO_BYTES,
  };
  #phase: Phase = 'reading';
  /** Only while the logs are read at the start. */
  #missing: MissingResults | null = new MissingResults();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#ownership = new Ownership(options.shards, options.own);
    this.#writer = new RowWriter(this.#ownership, options.node);
    this.#pipelines = [new Pipeline(options.lingerMs), new Pipeline(0), new Pipeline(0)];
  }

  /** Every shard has been read to its own fence, and appends come back as expected. */
  get isOwner(): boolean {
    return this.#phase === 'owned';
  }

  /** Nothing may be acknowledged any more. */
  get isBroken(): boolean {
    return this.#phase === 'broken';
  }

  /** Nothing waits for the log. */
  get isIdle(): boolean {
    return this.#pipelines.every((pipeline) => pipeline.isEmpty);
  }

  /** When `tick` is wanted. Units: monotonic ms. */
  get wakeAtMs(): number {
    return Math.min(...this.#pipelines.map((pipeline) => pipeline.wakeAtMs));
  }

  /** A definition read from the schema log. */
  schemaRead({ hash, bytes }: SchemaRecord): void {
    const schema = decodeSchema(bytes, hash);
    if (schema) this.schemas.add(schema);
  }

  /** A record read at the start, in log order. */
  recordRead(record: LogRecord): void {
    if (!this.#ownership.advance(record.log, record.shard, record.offset)) {
      this.#break(
        'log failed',
        `the log has a hole before offset ${record.offset} of shard ${record.shard}`,
      );
      return;
    }
    this.#feed(record);
  }

  /** Everything was read: fence. */
  readEnd(now: Now): void {
    const missing = this.#missing;
    this.#missing = null;
    for (const caused of missing?.all() ?? []) this.result(caused, now);
    this.#phase = 'fencing readings';
    this.#fence(LOG.readings, now);
  }

  /** Takes a row. */
  admit(row: FrameRow, now: Now): void {
    const log = row.lane === 0 ? LOG.alarms : LOG.readings;
    const batch = this.#pipeline(log).batch(now);
    for (const schema of row.schemas) {
      if (this.schemas.add(schema)) batch.records.schemas.push(schema);
    }
    this.#writer.frame(batch, log, row);
  }

  /** Appends a mark. Source: [R9.1-3]. */
  mark(log: LogKind, shard: number, entries: readonly MarkEntry[], now: Now): void {
    const batch = this.#pipeline(log).batch(now);
    this.#writer.mark({ batch, log, shard, recv: now.wallUs }, entries);
  }

  /** Appends a window result, unless it is in the log already. */
  result(caused: CausedResult, now: Now): void {
    if (this.#missing) {
      this.#missing.made(caused);
      return;
    }
    const { cause, result } = caused;
    const utf8 = new TextEncoder();
    const key = utf8.encode(result.device);
    const value = utf8.encode(JSON.stringify(result));
    const batch = this.#pipeline(LOG.aggregates).batch(now);
    const { shard } = cause;
    batch.noteNobody(batch.records.add(LOG.aggregates, shard, key, encodeCause(cause), value));
  }

  /** Starts the appends that are due. */
  tick(now: Now): void {
    for (const log of [LOG.alarms, LOG.readings, LOG.aggregates]) {
      if (log === LOG.aggregates && !this.isOwner) continue;
      const batch = this.#pipeline(log).take(now);
      if (batch) this.#port.append(log, batch.records);
    }
  }

  /** An append came back: settle every row, then let it be read. */
  appended(log: LogKind, offsets: Float64Array, now: Now): void {
    const pipeline = this.#pipeline(log);
    const batch = pipeline.inFlight;
    if (!batch || this.#phase === 'broken') return;
    const { records } = batch;
    for (let row = 0; row < records.rows; row += 1) {
      const shard = records.shard[row] as number;
      const offset = offsets[row] as number;
      if (!this.#ownership.advance(log, shard, offset)) {
        this.#break(
          'deposed',
          `shard ${shard} went on at offset ${offset}: somebody else writes this log`,
        );
        return;
      }
    }
    for (let row = 0; row < records.rows; row += 1) {
      const settlement = batch.settlement(row);
      if (settlement) this.#port.settled(settlement);
    }
    if (log !== LOG.aggregates) this.#feedBatch(log, records, offsets);
    pipeline.landed();
    this.#proceed(now);
  }

  /** An append failed: whether its rows are in the log is unknown. */
  failed(log: LogKind, reason: string): void {
    this.#break('log failed', `an append failed: ${reason} (log ${log})`);
  }

  #feedBatch(log: LogKind, records: RecordBatch, offsets: Float64Array): void {
    const record = this.#record;
    record.log = log;
    for (let row = 0; row < records.rows; row += 1) {
      record.shard = records.shard[row] as number;
      record.offset = offsets[row] as number;
      record.key = records.key(row);
      record.tg = records.tg(row);
      record.value = records.value(row);
      this.#feed(record);
    }
  }

  #feed(record: LogRecord): void {
    if (record.log === LOG.aggregates) {
      const cause = decodeCause(record.tg, record.shard);
      if (cause) this.#missing?.read(cause);
      return;
    }
    const header = this.#header;
    if (!readHeader(record.tg, header)) {
      this.#break(
        'log failed',
        `a record at offset ${record.offset} of shard ${record.shard} has no header we know`,
      );
      return;
    }
    if (this.#ownership.judge(record, header)) this.#port.read(record, header);
  }

  #fence(log: LogKind, now: Now): void {
    const batch = this.#pipeline(log).batch(now);
    for (let shard = 0; shard < this.#options.shards; shard += 1) {
      this.#writer.fence({ batch, log, shard, recv: now.wallUs });
    }
  }

  /** The own fence of a log came back: the next one, or done. */
  #proceed(now: Now): void {
    if (this.#phase === 'fencing readings') {
      this.#phase = 'fencing alarms';
      this.#fence(LOG.alarms, now);
    } else if (this.#phase === 'fencing alarms') {
      this.#phase = 'owned';
      this.#port.owned();
    }
  }

  #pipeline(log: LogKind): Pipeline {
    return this.#pipelines[log] as Pipeline;
  }

  #break(cause: Broken, reason: string): void {
    if (this.#phase === 'broken') return;
    this.#phase = 'broken';
    this.#port.broken(cause, reason);
  }
}
