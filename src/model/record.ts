/** The logs of a shard, with the numbers that the file log writes. Source: INTERFACE, Data directory. */
export const LOG = { readings: 0, alarms: 1, aggregates: 2 } as const;
/** Number of a log kind. */
export type LogKind = (typeof LOG)[keyof typeof LOG];
/** Names by number, as `tail --topic` spells them. */
export const LOG_NAMES = ['readings', 'alarms', 'aggregates'] as const;

/** What a record of a readings or alarms log is. Source: PROTOCOL App. D. */
export const RECORD = { frame: 0, fence: 1, mark: 2, stub: 3 } as const;
/** Number of a record kind. */
export type RecordKind = (typeof RECORD)[keyof typeof RECORD];
/** Names by number. */
export const RECORD_NAMES = ['frame', 'fence', 'mark', 'stub'] as const;

/** A record as read from a log. The arrays may be views into a larger buffer: copy what you keep. */
export interface LogRecord {
  readonly log: LogKind;
  readonly shard: number;
  /** Position in (log, shard), from 0, +1 per record. */
  readonly offset: number;
  /** Shape: the device path as UTF-8; empty for fence and mark. */
  readonly key: Uint8Array;
  /** Shape: the packed header of PROTOCOL App. D; for aggregates the cause (wire/result-cause.ts). */
  readonly tg: Uint8Array;
  readonly value: Uint8Array;
}

/** A refused frame as the dead-letter log keeps it. Source: PROTOCOL §6.5, INTERFACE tail. */
export interface DeadLetter {
  readonly shard: number;
  readonly device: string;
  readonly lane: number;
  readonly epoch: number;
  readonly n: number;
  readonly code: number;
  /** Receive time. Units: µs. */
  readonly recv: number;
  /** The payload exactly as the device sent it. */
  readonly bytes: Uint8Array;
}

/** A set definition for the schema log: durable before the first record that uses it. */
export interface SchemaRecord {
  /** Shape: 16 bytes. */
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}
