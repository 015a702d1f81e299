import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { type KafkaCluster, KafkaConnection, RETRY } from './kafka-connection.ts';
import { within } from './kafka-errors.ts';
import type { ReadPosition } from './kafka-read-job.ts';

/** A connection on which an answer takes longer is taken for mute, and cut. */
const REQUEST_TIMEOUT_MS = 5000;
/** One answer fits into that time down to a link of 1 MB/s. */
const FETCH_BYTES_MAX = 4 * 1024 * 1024;
/** A fetch waits so long for records: it is what a read waits for its first answer. */
const FETCH_WAIT_MS = 100;
const JOIN_DEADLINE_MS = 30_000;
const CLOSE_DEADLINE_MS = 1000;

/** One partition of a topic. */
export interface PartitionPlace {
  readonly topic: string;
  readonly partition: number;
}

/** Records that were fetched, and how far they reach. */
export interface Fetched extends PartitionPlace {
  /** Empty: control records alone, or what compaction took away. */
  readonly messages: readonly KafkaMessage[];
  /** Offset of the first record fetched; without messages the first one that holds none. */
  readonly firstOffset: number;
  /** Offset of the last record fetched, control records included. */
  readonly lastOffset: number;
}

/** Who uses a member. */
export interface MemberPort {
  /** What is to be fetched after a join, and from where. */
  open(): readonly ReadPosition[];
  fetched(batch: Fetched): void;
  /** This member, which had joined, is of no use any more. */
  crashed(cause: Error): void;
}

/** How a member joins. */
export interface MemberOptions {
  readonly cluster: KafkaCluster;
  readonly topics: readonly string[];
  readonly groupId: string;
}

/**
 * One consumer of kafkajs in a group of its own, which holds all partitions and keeps them paused.
 * Source: dependencies.md, The consumer. Guarantee: after `leave` the port is told nothing more.
 */
export class KafkaMember {
  readonly #connection: KafkaConnection;
  readonly #consumer: Consumer;
  readonly #port: MemberPort;
  readonly #topics: readonly string[];
  /** Positions may be set: kafkajs refuses that before the first join, and after a crash. */
  #isJoined = false;
  #hasJoined = false;
  #hasLeft = false;

  constructor({ cluster, topics, groupId }: MemberOptions, port: MemberPort) {
    this.#topics = topics;
    this.#port = port;
    this.#connection = new KafkaConnection(cluster, {
      retry: RETRY.forLong,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    });
    this.#consumer = this.#connection.kafka.consumer({
      groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: 10_000,
      heartbeatInterval: 1000,
      rebalanceTimeout: 10_000,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytes: FETCH_BYTES_MAX,
      // What stands at an offset is read, whatever became of a stranger's transaction around it.
      readUncommitted: true,
      retry: { ...RETRY.forLong, restartOnFailure: () => Promise.resolve(false) },
    });
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** Rejects if it does not work in half a minute; then it has left. */
  async join(): Promise<void> {
    try {
      await within(JOIN_DEADLINE_MS, 'joining the consumer group', this.#join());
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  /** Fetches on from these offsets. */
  resume(positions: readonly ReadPosition[]): void {
    if (!this.#isJoined) return;
    for (const position of positions) {
      this.seek(position);
      // Lists of partitions: a whole topic would not stay paused.
      this.#consumer.resume([{ topic: position.topic, partitions: [position.partition] }]);
    }
  }

  seek({ topic, partition, next }: ReadPosition): void {
    if (this.#isJoined) this.#consumer.seek({ topic, partition, offset: String(next) });
  }

  pause({ topic, partition }: PartitionPlace): void {
    if (this.#isJoined) this.#consumer.pause([{ topic, partitions: [partition] }]);
  }

  /** Ends at once. */
  leave(): void {
    this.#hasLeft = true;
    this.#isJoined = false;
    this.#consumer.disconnect().catch(() => undefined);
    this.#connection.discard();
  }

  /** Tells the cluster that it leaves, and ends. */
  async close(): Promise<void> {
    this.#hasLeft = true;
    const leaving = this.#consumer.disconnect();
    await within(CLOSE_DEADLINE_MS, 'leaving the consumer group', leaving).catch(() => undefined);
    this.leave();
  }

  async #join(): Promise<void> {
    const { events } = this.#consumer;
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#topics], fromBeginning: true });
    const joined = Promise.withResolvers<void>();
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (this.#hasLeft) return;
      this.#takePositions(payload.memberAssignment);
      joined.resolve();
    });
    // From here on kafkajs refuses to set positions; a crash is told a moment later.
    this.#consumer.on(events.STOP, () => {
      this.#isJoined = false;
    });
    this.#consumer.on(events.CRASH, ({ payload }) => {
      joined.reject(payload.error);
      if (this.#hasJoined && !this.#hasLeft) this.#port.crashed(payload.error);
    });
    this.#consumer.on(events.REQUEST_TIMEOUT, () => this.#unanswered());
    // Batches without a message never reach `eachBatch`.
    this.#consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#tookNothing(payload);
    });
    await this.#consumer.run({
      autoCommit: false,
      eachBatch: (payload) => Promise.resolve(this.#took(payload)),
    });
    await joined.promise;
  }

  /**
   * kafkajs gives up the request, but asks again over the same connection, and then goes on asking a
   * broker that hangs for half a minute after others lead in its place. A new member does neither.
   */
  #unanswered(): void {
    if (this.#hasJoined && !this.#hasLeft) this.#port.crashed(new Error('Kafka does not answer'));
    else this.#connection.cut();
  }

  /**
   * After every join kafkajs has forgotten all positions. Synchronously, before the first fetch:
   * pause everything, then set and resume what is being read.
   */
  #takePositions(assignment: Readonly<Record<string, number[]>>): void {
    this.#isJoined = true;
    this.#hasJoined = true;
    for (const [topic, partitions] of Object.entries(assignment)) {
      this.#consumer.pause([{ topic, partitions: [...partitions] }]);
    }
    this.resume(this.#port.open());
  }

  #took(payload: EachBatchPayload): void {
    // A batch that was under way when the position was set is not what is wanted.
    if (this.#hasLeft || payload.isStale()) return;
    const { topic, partition, messages } = payload.batch;
    const lastOffset = Number(payload.batch.lastOffset());
    const firstOffset = Number(messages[0]?.offset ?? lastOffset);
    this.#port.fetched({ topic, partition, messages, firstOffset, lastOffset });
  }

  /**
   * The batch held control records alone; or its records end before the offset asked for, because
   * compaction took away the rest: then kafkajs gives no first offset, and the one asked for as last.
   */
  #tookNothing(empty: PartitionPlace & { firstOffset: string | null; lastOffset: string }): void {
    if (this.#hasLeft) return;
    const { topic, partition } = empty;
    const lastOffset = Number(empty.lastOffset);
    const firstOffset = Number(empty.firstOffset ?? lastOffset);
    this.#port.fetched({ topic, partition, messages: [], firstOffset, lastOffset });
  }
}
