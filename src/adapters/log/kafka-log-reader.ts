import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaMessage } from 'kafkajs';
import type { LogRecord, SchemaRecord } from '../../model/record.ts';
import type { StoredDeadLetter } from './dead-letter-codec.ts';
import { fetchEnds, type PartitionEnds } from './kafka-admin.ts';
import { ClientLog } from './kafka-client-log.ts';
import type { KafkaCluster, KafkaSasl, KafkaTls } from './kafka-connection.ts';
import { readDeadLetterRecord } from './kafka-dead-letter.ts';
import { reasonOf, sentenceOf, startErrorOf, typeOf } from './kafka-errors.ts';
import type { ReadTarget, RecordPlace } from './kafka-read-job.ts';
import { KafkaReader } from './kafka-reader.ts';
import { plainBytes, recordReader } from './kafka-record.ts';
import { SchemaReading } from './kafka-side-records.ts';
import { type TopicNames, topicNames } from './kafka-topics.ts';
import type { LogSource, ReadOptions } from './log-source.ts';
import { StartError } from './start-error.ts';

const CHUNK_BYTES = 16 * 1024 * 1024;
const POLL_MS = 200;
/** While the cluster is away. */
const RETRY_MS = 1000;
const GROUP_BYTES = 6;

/** Where the topics are. */
export interface KafkaLogReaderOptions {
  /** Shape: `host:port`, one or more. */
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly sasl?: KafkaSasl;
  readonly ssl?: KafkaTls;
  /** Told a sentence when reading does not go on. */
  readonly warn: (sentence: string) => void;
  /** So much is fetched before it is handed on. Units: bytes of keys and values. */
  readonly chunkBytes?: number;
}

/** What stands in a topic. */
interface Found {
  readonly place: RecordPlace;
  readonly message: KafkaMessage;
}

/** Ends a reading when its chunk is full. */
class ChunkFull extends Error {}

/**
 * Reads the topics of a gateway without disturbing it: in a consumer group of its own, which commits
 * nothing (`tidegate tail`).
 * Bounds: one chunk of 16 MiB, and what kafkajs fetches at once.
 */
export class KafkaLogReader implements LogSource {
  readonly #options: KafkaLogReaderOptions;
  readonly #names: TopicNames;
  readonly #cluster: KafkaCluster;
  readonly #reader: KafkaReader;
  readonly #stop = new AbortController();
  /** By topic: what is read next, of every partition. */
  readonly #next = new Map<string, Float64Array>();

  private constructor(options: KafkaLogReaderOptions) {
    const { brokers, prefix, sasl, ssl, warn } = options;
    this.#options = options;
    this.#names = topicNames(prefix);
    this.#cluster = {
      brokers,
      clientId: 'tidegate-tail',
      log: new ClientLog(() => undefined),
      signal: this.#stop.signal,
      ...(sasl && { sasl }),
      ...(ssl && { ssl }),
    };
    this.#reader = new KafkaReader({
      cluster: this.#cluster,
      topics: [...this.#names.logs, this.#names.schemas, this.#names.rejects],
      groupId: `${prefix}-tail-${randomBytes(GROUP_BYTES).toString('hex')}`,
      warn,
      onTrouble: (reason) => reason !== null && warn(`${reason}; still trying`),
    });
  }

  /** Rejects: `StartError` 78 if there are no such topics, or they cannot be read. */
  static async open(options: KafkaLogReaderOptions): Promise<KafkaLogReader> {
    const reader = new KafkaLogReader(options);
    try {
      await reader.#ends([...reader.#names.logs, reader.#names.schemas, reader.#names.rejects]);
      await reader.#reader.start();
      return reader;
    } catch (error) {
      await reader.close();
      throw refusalOf(error, options);
    }
  }

  async *records(options: ReadOptions = {}): AsyncGenerator<LogRecord, void, undefined> {
    const { logs } = this.#names;
    const topics = options.log === undefined ? logs : [logs[options.log] as string];
    const recordAt = recordReader(logs, () => undefined);
    for await (const { place, message } of this.#messages(topics, options)) {
      yield recordAt(place, message);
    }
  }

  async *deadLetters(options: ReadOptions = {}): AsyncGenerator<StoredDeadLetter, void, undefined> {
    for await (const { place, message } of this.#messages([this.#names.rejects], options)) {
      const { key, value, headers } = message;
      const tg = headers?.['tg'];
      const letter = readDeadLetterRecord({
        shard: place.partition,
        key: plainBytes(key),
        tg: plainBytes(Buffer.isBuffer(tg) ? tg : null),
        value: plainBytes(value),
      });
      if (letter !== null) yield { ...letter, offset: place.offset };
      else
        this.#options.warn(`offset ${place.offset} of partition ${place.partition} is no reject`);
    }
  }

  async readSchemas(onSchema: (schema: SchemaRecord) => void): Promise<void> {
    const reading = new SchemaReading(onSchema);
    for await (const { place, message } of this.#messages([this.#names.schemas], {})) {
      reading.take(place.offset, message);
    }
  }

  close(): Promise<void> {
    this.#stop.abort();
    return this.#reader.close();
  }

  /** The messages of topics up to where they end now; with `follow` on and on. */
  async *#messages(
    topics: readonly string[],
    { follow = false, signal }: ReadOptions,
  ): AsyncGenerator<Found, void, undefined> {
    const stop = (): void => void this.close();
    signal?.addEventListener('abort', stop);
    try {
      do {
        const targets = this.#targets(await this.#endsAgain(topics, follow));
        for (let left = targets; left.length > 0; left = this.#left(left)) {
          yield* await this.#chunk(left);
        }
        if (follow && targets.length === 0) await this.#pause(POLL_MS);
      } while (follow);
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** What is read of these offsets until a chunk is full. */
  async #chunk(targets: readonly ReadTarget[]): Promise<Found[]> {
    const found: Found[] = [];
    const { chunkBytes = CHUNK_BYTES } = this.#options;
    let bytes = 0;
    try {
      await this.#reader.read(targets, (place, message) => {
        if (bytes >= chunkBytes) throw new ChunkFull();
        bytes += (message.key?.length ?? 0) + (message.value?.length ?? 0);
        found.push({ place, message });
        this.#passed(place.topic, place.partition, place.offset);
      });
      // Offsets without a record were passed over as well.
      for (const { topic, partition, to } of targets) this.#passed(topic, partition, to);
    } catch (error) {
      if (!(error instanceof ChunkFull)) throw error;
    }
    return found;
  }

  #passed(topic: string, partition: number, offset: number): void {
    (this.#next.get(topic) as Float64Array)[partition] = offset + 1;
  }

  #left(targets: readonly ReadTarget[]): ReadTarget[] {
    return targets
      .map((target) => ({ ...target, from: this.#nextOf(target.topic, target.partition) }))
      .filter(({ from, to }) => from <= to);
  }

  #targets(ends: ReadonlyMap<string, PartitionEnds>): ReadTarget[] {
    const targets: ReadTarget[] = [];
    for (const [topic, { low, high }] of ends) {
      if (!this.#next.has(topic)) this.#next.set(topic, low.slice());
      for (const [partition, first] of low.entries()) {
        const from = Math.max(first, this.#nextOf(topic, partition));
        const to = (high[partition] as number) - 1;
        if (from <= to) targets.push({ topic, partition, from, to });
      }
    }
    return targets;
  }

  #nextOf(topic: string, partition: number): number {
    return this.#next.get(topic)?.[partition] ?? 0;
  }

  #ends(topics: readonly string[]): ReturnType<typeof fetchEnds> {
    return fetchEnds(this.#cluster, topics);
  }

  /** Who follows waits for a cluster that is away. */
  async #endsAgain(topics: readonly string[], follow: boolean): ReturnType<typeof fetchEnds> {
    for (let isTold = false; ; isTold = true) {
      try {
        return await this.#ends(topics);
      } catch (error) {
        if (!follow || this.#stop.signal.aborted) throw refusalOf(error, this.#options);
        const sentence = `the log cannot be read just now: ${sentenceOf(error)}; still trying`;
        if (!isTold) this.#options.warn(sentence);
      }
      await this.#pause(RETRY_MS);
    }
  }

  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#stop.signal });
  }
}

function refusalOf(error: unknown, { brokers, prefix }: KafkaLogReaderOptions): StartError {
  const at = brokers.join(', ');
  if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') {
    const sentence =
      `there are no topics ${prefix}.… in Kafka at ${at}: they are made by the first ` +
      '`tidegate serve` with the Kafka log; if they have another name, say so with --kafka-prefix';
    return new StartError(78, sentence, { cause: error });
  }
  const refusal = startErrorOf(error, brokers);
  if (refusal) return refusal;
  return new StartError(78, `Kafka at ${at} cannot be read: ${reasonOf(error)}`, {
    cause: error,
  });
}
