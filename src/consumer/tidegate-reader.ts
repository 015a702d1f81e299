import { LOG, LOG_NAMES, type LogKind, type LogRecord, RECORD } from '../model/record.ts';
import type { WindowResult } from '../model/window.ts';
import { emptyHeader, readHeader } from '../wire/record-header.ts';
import { textOf } from '../wire/utf8.ts';
import { type DecodedFrame, FrameDecoder } from './frame-decoder.ts';
import { HeldRecords } from './held-records.ts';
import type { ItemPlace, LogItem } from './log-item.ts';
import { RecordFilter } from './record-filter.ts';
import { ResultFilter } from './result-filter.ts';
import { SchemaCache } from './schema-cache.ts';

/** A message as clients of Kafka hand it out; those of kafkajs fit as they are. */
export interface KafkaMessage {
  readonly offset: string | number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: { readonly [name: string]: unknown } | undefined;
}

/** So much may wait for definitions. Units: bytes. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;
const PARTITIONS_MAX = 65_536;
const NOTHING = new Uint8Array(0);
const NO_RESULT = 'the result is damaged: its value is no JSON object';

/**
 * Turns the messages of Tidegate's topics back into readings and window results: leaves out what
 * deposed gateways wrote and what was written or delivered twice, and decodes what is left. Every
 * frame acknowledged at QoS 1 comes out exactly once, per device and lane in order.
 *
 * Feed it every message of the topics of interest from the beginning, in the order of each
 * partition, and those of PREFIX.schemas as well, in any order: a frame whose definition has not
 * come yet waits for it, and so do those behind it in its partition.
 * Bounds: a few numbers per device, the definitions, and 64 MiB of frames that wait; beyond that a
 * partition no longer waits, and its frames come out as faults.
 * Source: PROTOCOL §6.6, App. D.
 */
export class TidegateReader {
  readonly #schemas = new SchemaCache();
  readonly #decoder = new FrameDecoder(this.#schemas);
  readonly #filter = new RecordFilter();
  readonly #results = new ResultFilter();
  readonly #held = new HeldRecords();
  readonly #header = emptyHeader();
  /** By (log, shard): the offset of the last message. */
  readonly #last = new Map<number, number>();
  readonly #heldBytesMax: number;

  constructor({ heldBytesMax = HELD_BYTES_MAX }: { readonly heldBytesMax?: number } = {}) {
    this.#heldBytesMax = heldBytesMax;
  }

  /**
   * Takes a message and returns what has become readable by it, often one item. A message at or
   * below the last offset of its partition was read before: a consumer that begins again repeats
   * nothing. Messages of other topics, and those without `tg`, are not ours and are passed over.
   * Rejects: throws at a header of a version it does not know [RD-3].
   */
  read(topic: string, partition: number, message: KafkaMessage): LogItem[] {
    const items: LogItem[] = [];
    const name = topic.slice(topic.lastIndexOf('.') + 1);
    if (name === 'schemas') this.#schema(message, items);
    const log = (LOG_NAMES as readonly string[]).indexOf(name);
    if (log >= 0) this.#record(recordOf(log as LogKind, partition, message), items);
    return items;
  }

  /** No more definitions will come: what waits for one comes out, as a fault if it cannot be read. */
  finish(): LogItem[] {
    const items: LogItem[] = [];
    for (const queue of this.#held.queues()) this.#letGo(queue, items);
    return items;
  }

  #schema({ key, value }: KafkaMessage, items: LogItem[]): void {
    if (key === null || value === null) return;
    if (!this.#schemas.add({ hash: key, bytes: value })) return;
    for (const queue of this.#held.queues()) {
      this.#held.release(queue, (record) => {
        const decoded = this.#decode(record);
        if ('fault' in decoded && decoded.isSetUnknown) return false;
        items.push(this.#item(record, decoded));
        return true;
      });
    }
  }

  #record(record: LogRecord, items: LogItem[]): void {
    const queue = record.log * PARTITIONS_MAX + record.shard;
    if (record.offset <= (this.#last.get(queue) ?? -1)) return;
    if (record.log === LOG.aggregates) this.#result(record, items);
    else this.#frame(record, queue, items);
    this.#last.set(queue, record.offset);
  }

  #result(record: LogRecord, items: LogItem[]): void {
    const { tg, shard, value } = record;
    if (this.#results.isCopy(tg, shard)) return;
    const result = parseResult(value);
    if (result !== null) items.push({ kind: 'result', ...placeOf(record), result });
    else
      items.push({
        kind: 'fault',
        ...placeOf(record),
        device: deviceOf(record),
        sentence: NO_RESULT,
      });
  }

  #frame(record: LogRecord, queue: number, items: LogItem[]): void {
    if (record.tg.length === 0) return;
    if (!readHeader(record.tg, this.#header)) throw unknownHeader(record);
    const verdict = this.#filter.judge(record, this.#header);
    if (verdict.void || verdict.duplicate || this.#header.kind !== RECORD.frame) return;
    if (this.#held.has(queue)) return this.#hold(queue, record, items);
    const decoded = this.#decoder.decode(record, this.#header);
    if ('fault' in decoded && decoded.isSetUnknown) this.#hold(queue, record, items);
    else items.push(this.#item(record, decoded));
  }

  #hold(queue: number, record: LogRecord, items: LogItem[]): void {
    this.#held.add(queue, record);
    if (this.#held.bytes > this.#heldBytesMax) this.#letGo(queue, items);
  }

  #letGo(queue: number, items: LogItem[]): void {
    this.#held.release(queue, (record) => {
      items.push(this.#item(record, this.#decode(record)));
      return true;
    });
  }

  #decode(record: LogRecord): ReturnType<FrameDecoder['decode']> {
    readHeader(record.tg, this.#header);
    return this.#decoder.decode(record, this.#header);
  }

  /** The item of a record whose header was read last. */
  #item(record: LogRecord, decoded: ReturnType<FrameDecoder['decode']>): LogItem {
    const device = deviceOf(record);
    const place = placeOf(record);
    return 'fault' in decoded
      ? { kind: 'fault', ...place, device, sentence: decoded.fault }
      : { kind: 'frame', ...place, device, ...this.#numbers(), ...contentOf(decoded) };
  }

  #numbers() {
    const { lane, epoch, n, lost, uncertain, recv, clockOffset } = this.#header;
    return { lane, epoch, n, lost, uncertain, recv, clockOffset };
  }
}

const contentOf = ({ wm, blocks }: DecodedFrame) => ({ wm, blocks });

const deviceOf = ({ key }: LogRecord): string => textOf(key, 0, key.length);

/** Null if it is none: the record is damaged, or somebody else wrote it. */
function parseResult(value: Uint8Array): WindowResult | null {
  try {
    const result: unknown = JSON.parse(textOf(value, 0, value.length));
    return typeof result === 'object' && result !== null ? (result as WindowResult) : null;
  } catch {
    // It throws for nothing but bad input: the caller makes a fault of it.
    return null;
  }
}

const placeOf = ({ log, shard, offset }: LogRecord): ItemPlace => ({
  topic: LOG_NAMES[log],
  shard,
  offset,
});

function recordOf(log: LogKind, shard: number, message: KafkaMessage): LogRecord {
  const { offset, key, value, headers } = message;
  const tg = headers?.['tg'];
  return {
    log,
    shard,
    offset: Number(offset),
    key: key ?? NOTHING,
    tg: tg instanceof Uint8Array ? tg : NOTHING,
    value: value ?? NOTHING,
  };
}

const unknownHeader = ({ log, shard, offset }: LogRecord): Error =>
  new Error(
    `the record at offset ${offset} of ${LOG_NAMES[log]}, partition ${shard}, has a header tg ` +
      'that this Tidegate does not know: read it with the Tidegate that wrote it, or a newer one',
  );
