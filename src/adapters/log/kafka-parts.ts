import type { Message, TopicMessages } from 'kafkajs';
import type { RecordBatch } from '../../model/batch.ts';
import { LOG, type LogKind } from '../../model/record.ts';

/** kafkajs copies a partition's list once per message: beyond this it costs more than a send. */
const RECORDS_MAX = 2000;
/** What one call may carry over all partitions, so that it is through within its deadline. */
const CALL_BYTES_MAX = 8_000_000;
/** Lengths, header name and deltas of a record, at most. */
const RECORD_OVERHEAD_BYTES = 40;
/** Where the receive time stands in the header of a frame, fence, mark or stub: PROTOCOL App. D. */
const RECV_AT = 12;
const RECV_END = RECV_AT + 8;
const HEADER_VERSION = 1;

/** Rows of one partition that go out in one call. */
export interface Part {
  readonly topic: string;
  readonly log: LogKind;
  readonly shard: number;
  /** Shape: row numbers of the batch, in order. */
  readonly rows: number[];
  readonly messages: Message[];
  bytes: number;
}

/** One call of `sendBatch`. */
export type Call = readonly Part[];

/** What a batch is cut by. */
export interface CutOptions {
  /** Shape: topic by log kind. */
  readonly topics: readonly string[];
  /** Largest share of a partition. Units: bytes. */
  readonly shareBytesMax: number;
  /** Now, ms: no record is stamped later. */
  readonly nowMs: number;
}

/**
 * Cuts a batch into calls that the broker takes, in the order of its rows. The bytes of the records
 * stay where they are: leave the batch alone until the calls are through.
 */
export function cutBatch(batch: RecordBatch, options: CutOptions): Call[] {
  const calls: Call[] = [];
  let parts = new Map<number, Part>();
  let callBytes = 0;
  for (let row = 0; row < batch.rows; row += 1) {
    const bytes = recordBytes(batch, row);
    let part = partOf(parts, batch, row, options);
    const isFull =
      part.rows.length >= RECORDS_MAX ||
      (part.rows.length > 0 && part.bytes + bytes > options.shareBytesMax) ||
      (callBytes > 0 && callBytes + bytes > CALL_BYTES_MAX);
    if (isFull) {
      calls.push(partsOf(parts));
      parts = new Map();
      callBytes = 0;
      part = partOf(parts, batch, row, options);
    }
    part.rows.push(row);
    part.messages.push(messageOf(batch, row, options.nowMs));
    part.bytes += bytes;
    callBytes += bytes;
  }
  if (parts.size > 0) calls.push(partsOf(parts));
  return calls;
}

/** What one row takes in a record batch of Kafka, at most. Units: bytes. */
export const recordBytes = (batch: RecordBatch, row: number): number =>
  (batch.start[row + 1] as number) - (batch.start[row] as number) + RECORD_OVERHEAD_BYTES;

/** The parts of a call as kafkajs wants them: by topic. */
export function topicMessagesOf(call: Call): TopicMessages[] {
  const byTopic = new Map<string, Message[]>();
  for (const { topic, messages } of call) {
    const all = byTopic.get(topic);
    if (all) for (const message of messages) all.push(message);
    else byTopic.set(topic, call.length === 1 ? messages : messages.slice());
  }
  return Array.from(byTopic, ([topic, messages]) => ({ topic, messages }));
}

/** A part may have been opened for the row that did not fit any more. */
const partsOf = (parts: ReadonlyMap<number, Part>): Call =>
  [...parts.values()].filter(({ rows }) => rows.length > 0);

function partOf(
  parts: Map<number, Part>,
  batch: RecordBatch,
  row: number,
  { topics }: CutOptions,
): Part {
  const log = batch.log[row] as LogKind;
  const shard = batch.shard[row] as number;
  const key = shard * topics.length + log;
  let part = parts.get(key);
  if (!part) {
    part = { topic: topics[log] as string, log, shard, rows: [], messages: [], bytes: 0 };
    parts.set(key, part);
  }
  return part;
}

function messageOf(batch: RecordBatch, row: number, nowMs: number): Message {
  const tg = bufferOf(batch.tg(row));
  return {
    partition: batch.shard[row] as number,
    key: bufferOf(batch.key(row)),
    value: bufferOf(batch.value(row)),
    headers: { tg },
    timestamp: String(batch.log[row] === LOG.aggregates ? nowMs : timestampOf(tg, nowMs)),
  };
}

/**
 * The receive time. Retention counts by it, and a broker refuses what is an hour ahead of its clock:
 * after our clock was set back, what was received before is stamped with the present.
 */
function timestampOf(tg: Buffer, nowMs: number): number {
  if (tg.length < RECV_END || tg[0] !== HEADER_VERSION) return nowMs;
  const recv = Math.floor(Number(tg.readBigInt64LE(RECV_AT)) / 1000);
  return recv > 0 && recv < nowMs ? recv : nowMs;
}

const bufferOf = ({ buffer, byteOffset, length }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, length);
