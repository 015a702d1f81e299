import type { Message, Producer, RecordMetadata, TopicMessages } from 'kafkajs';
import { type KafkaCluster, KafkaConnection, RETRY } from './kafka-connection.ts';
import { within } from './kafka-errors.ts';
import { CompressionTypes } from './kafka-library.ts';

/** The cluster did not confirm everything that was sent. */
export class ShortResultError extends Error {
  override readonly name = 'ShortResultError';
}

/** How records are sent. */
export interface SenderOptions {
  /** A connection or an answer that takes longer is given up. Units: ms. */
  readonly deadlineMs: number;
  readonly compression: 'none' | 'zstd';
}

/** The broker gives up before we do, so that its answer says why. */
const BROKER_SHARE = 0.8;
/** kafkajs's own time-out never comes before ours: what it did then would be unknown to us. */
const KAFKAJS_SHARE = 2;

interface Client {
  readonly connection: KafkaConnection;
  readonly producer: Producer;
}

/**
 * The producer of one log kind. Source: dependencies.md, Producers: plain, no retries, one call at a
 * time, explicit partitions, everything confirmed or nothing counts.
 * Guarantee: after a failure nothing more goes out over the old connections; the next send makes
 * new ones.
 */
export class KafkaSender {
  readonly #cluster: KafkaCluster;
  readonly #options: SenderOptions;
  #client: Client | null = null;

  constructor(cluster: KafkaCluster, options: SenderOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /**
   * Sends these records and resolves when all of them are confirmed: base offset by topic and
   * partition. Call it again only when it has settled.
   * Rejects: whatever went wrong. The records may be in the log or come there later.
   */
  async send(topicMessages: TopicMessages[]): Promise<BaseOffsets> {
    const { deadlineMs, compression } = this.#options;
    try {
      const { producer } = await this.#connected();
      const sending = producer.sendBatch({
        acks: -1,
        timeout: Math.round(deadlineMs * BROKER_SHARE),
        topicMessages,
        ...(compression === 'zstd' && { compression: CompressionTypes.ZSTD }),
      });
      return new BaseOffsets(topicMessages, await within(deadlineMs, "Kafka's answer", sending));
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** Abandons what is under way. A send that has not settled is rejected. */
  discard(): void {
    this.#client?.connection.discard();
    this.#client = null;
  }

  async #connected(): Promise<Client> {
    if (this.#client) return this.#client;
    const { deadlineMs } = this.#options;
    const connection = new KafkaConnection(this.#cluster, {
      retry: RETRY.soon,
      requestTimeoutMs: deadlineMs * KAFKAJS_SHARE,
    });
    const producer = connection.kafka.producer({
      idempotent: false,
      retry: { retries: 0 },
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition as number,
    });
    this.#client = { connection, producer };
    await within(deadlineMs, 'the connection to Kafka', producer.connect());
    if (connection.isDiscarded) throw new Error('the connection was abandoned');
    return { connection, producer };
  }
}

/** Where the records of a confirmed call stand. */
export class BaseOffsets {
  readonly #offsets = new Map<string, number>();

  /**
   * Rejects: `ShortResultError` unless there is exactly one good entry for every partition sent. A
   * partition that does not exist is simply left out of the answer.
   */
  constructor(sent: readonly TopicMessages[], results: readonly RecordMetadata[]) {
    for (const { topic, messages } of sent) {
      let last: number | undefined;
      for (const { partition } of messages) {
        if (partition !== last) this.#offsets.set(placeOf(topic, partition), -1);
        last = partition;
      }
    }
    if (results.length !== this.#offsets.size) {
      throw new ShortResultError(
        `Kafka confirmed ${results.length} of ${this.#offsets.size} partitions`,
      );
    }
    for (const { topicName, partition, errorCode, baseOffset } of results) {
      const place = placeOf(topicName, partition);
      const offset = Number(baseOffset ?? -1);
      if (this.#offsets.get(place) !== -1 || errorCode !== 0 || !(offset >= 0)) {
        throw new ShortResultError(`Kafka's answer for ${place} is no confirmation`);
      }
      this.#offsets.set(place, offset);
    }
  }

  /** Offset of the first record that was sent to this partition. */
  of(topic: string, partition: number): number {
    return this.#offsets.get(placeOf(topic, partition)) as number;
  }
}

const placeOf = (topic: string, partition: Message['partition']): string => `${topic}/${partition}`;
