import type { RecordBatch } from '../../model/batch.ts';
import type { LogKind, LogRecord, SchemaRecord } from '../../model/record.ts';

/** What an append came back with. */
export interface Appended {
  /** Offset of each row in its (log, shard), in the order of the batch's rows. */
  readonly offsets: Float64Array;
}

/** How the log is doing, for `/readyz` and for credit. */
export type LogState =
  | { readonly kind: 'ok' }
  /** Appends wait (disk full, cluster unreachable); they go on by themselves. */
  | { readonly kind: 'stalled'; readonly reason: string }
  /** Appends will never succeed again in this process. */
  | { readonly kind: 'failed'; readonly reason: string };

/** Offsets of one (log, shard), both ends included. */
export interface Range {
  readonly log: LogKind;
  readonly shard: number;
  readonly from: number;
  readonly to: number;
}

/**
 * The log of truth: three logs (readings, alarms, aggregates) for each shard, the dead letters and
 * the schemas. One interface, several implementations, one conformance suite.
 *
 * Guarantee: `append` resolves when every row, schema and dead letter of the batch is as durable as
 * `dur` says. Schemas and dead letters are durable before the first row of the batch is written, so
 * that a row in the log never names a definition, and a stub never a dead letter, that is not there:
 * not after a crash either, nor after an append that was rejected halfway.
 * Rows of one (log, shard) get consecutive offsets in batch order. Calls are served in the order in
 * which they were made, except that alarms may go ahead of the other logs. The caller leaves the batch alone until the promise settles, appends rows of
 * one log kind per batch, and has one append per log kind in flight.
 * A rejected promise is ambiguous: the rows may or may not be in the log. The owner must go
 * through the start path again (renew, fence, read to it) before it appends anything else.
 */
export interface ShardLog {
  readonly kind: 'memory' | 'file' | 'kafka';
  readonly shards: number;
  /** What an ack of this log is worth: PROTOCOL §6.4. */
  readonly dur: 0 | 1 | 2;
  readonly state: LogState;
  /** Called when `state` changes. */
  onState: ((state: LogState) => void) | null;
  /**
   * Something is being written that nothing can overtake: alarms had better gather until it is, and
   * then go together. Who was told true is told by `onReady`, before anything else is written.
   * Absent: a log to which appends go whenever they are made.
   */
  isBusy?(): boolean;
  /** Called once after `isBusy` was true. */
  onReady?: (() => void) | null;
  /**
   * True: after a rejected append the owner may take the start path again. False: the log takes
   * nothing more in this process.
   */
  readonly isRecoverable: boolean;
  /**
   * All set definitions known, in the order in which they were written. From then on `read` tells
   * `onSchema` what other writers have defined since, before a record that needs it.
   */
  readSchemas(onSchema: (schema: SchemaRecord) => void): Promise<void>;
  /**
   * Reads records: without ranges everything from the beginning (later: from checkpoints) to the
   * end as it stands when the call is made, else exactly these offsets. Within one (log, shard)
   * records come in offset order. An aggregates record comes before, or soon after, the records
   * that it was made from: a reader that makes results again keeps only what is missing. Arrays are views that hold only during the call of `onRecord`.
   */
  read(onRecord: (record: LogRecord) => void, ranges?: readonly Range[]): Promise<void>;
  /**
   * `onPart`: a log that is not recoverable may say which first rows of the batch are there before
   * the others are: their offsets, in a view of what the promise brings.
   */
  append(batch: RecordBatch, onPart?: (offsets: Float64Array) => void): Promise<Appended>;
  /**
   * After a rejected append: what may still be under way of this log kind is abandoned, and the
   * next append goes over new connections.
   */
  renew(log: LogKind): void;
  /** Next offset of (log, shard), as far as this handle knows. */
  nextOffset(log: LogKind, shard: number): number;
  /** Lets running appends finish, then releases everything. */
  close(): Promise<void>;
}
