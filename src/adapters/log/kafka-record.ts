import type { KafkaMessage } from 'kafkajs';
import type { LogKind, LogRecord } from '../../model/record.ts';
import type { RecordPlace } from './kafka-read-job.ts';

const NO_BYTES = new Uint8Array(0);

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Turns messages of the log topics into records and hands them on. The record is one object that is
 * filled anew each time. What a stranger wrote has no `tg`: it comes with an empty one.
 */
export function recordReader(
  topics: readonly string[],
  onRecord: (record: LogRecord) => void,
): (place: RecordPlace, message: KafkaMessage) => LogRecord {
  const empty = { key: NO_BYTES, tg: NO_BYTES, value: NO_BYTES };
  const record: Mutable<LogRecord> = { log: 0, shard: 0, offset: 0, ...empty };
  return ({ topic, partition, offset }, { key, value, headers }) => {
    const tg = headers?.['tg'];
    record.log = topics.indexOf(topic) as LogKind;
    record.shard = partition;
    record.offset = offset;
    record.key = plainBytes(key);
    record.tg = Buffer.isBuffer(tg) ? plainBytes(tg) : NO_BYTES;
    record.value = plainBytes(value);
    onRecord(record);
    return record;
  };
}

/** The same bytes as a plain array: `slice` of a `Buffer` does not copy, and callers copy so. */
export const plainBytes = (buffer: Buffer | null): Uint8Array =>
  buffer === null ? NO_BYTES : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
