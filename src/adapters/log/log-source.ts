import type { LogKind, LogRecord, SchemaRecord } from '../../model/record.ts';
import type { StoredDeadLetter } from './dead-letter-codec.ts';

/** What a reader reads, and how far it goes. */
export interface ReadOptions {
  /** Only this log. Absent: all of them. A file is read as a whole either way. */
  readonly log?: LogKind;
  /** Waits at the end for what is still to come, until `signal`. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** A log as it is read from outside, beside the gateway that writes it (`tidegate tail`). */
export interface LogSource {
  /**
   * Records from the beginning; those of one (log, shard) in the order of their offsets. A record's
   * arrays hold until the next one is asked for.
   */
  records(options?: ReadOptions): AsyncGenerator<LogRecord, void, undefined>;
  /** The dead letters from the beginning. */
  deadLetters(options?: ReadOptions): AsyncGenerator<StoredDeadLetter, void, undefined>;
  /**
   * The set definitions that were written since the last call. One that a record names is there
   * before the record is.
   */
  readSchemas(onSchema: (schema: SchemaRecord) => void): Promise<void>;
  /** Releases what the reader holds. */
  close(): Promise<void>;
}
