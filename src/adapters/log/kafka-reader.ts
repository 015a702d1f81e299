import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { fetchEnds } from './kafka-admin.ts';
import { type KafkaCluster, KafkaConnection, RETRY } from './kafka-connection.ts';
import { sentenceOf, within } from './kafka-errors.ts';
import { type OnMessage, ReadJob, type ReadTarget } from './kafka-read-job.ts';

const REQUEST_TIMEOUT_MS = 10_000;
const JOIN_DEADLINE_MS = 30_000;
const REJOIN_WAIT_MS = 500;
/** A fetch waits so long for records: it is what a read waits for its first answer. */
const FETCH_WAIT_MS = 100;
/** So often it is looked whether a reading that stands still can go on at all. */
const LOOK_MS = 3000;
/** After so many looks without progress the offsets that are left hold no records. */
const LOOKS_MAX = 2;
const CLOSE_DEADLINE_MS = 1000;

/** Records that were acknowledged are gone: the log ends before what was written to it. */
export class VanishedError extends Error {
  override readonly name = 'VanishedError';
}

/** What a reader is made of. */
export interface KafkaReaderOptions {
  readonly cluster: KafkaCluster;
  readonly topics: readonly string[];
  /** Nobody else may use it: its members would share the partitions. */
  readonly groupId: string;
  /** Told a sentence, now and then. */
  readonly warn: (sentence: string) => void;
  /** Why a reading does not go on just now; null when it does. */
  readonly onTrouble: (reason: string | null) => void;
}

interface Member {
  readonly connection: KafkaConnection;
  readonly consumer: Consumer;
  hasJoined: boolean;
}

/**
 * Reads offsets of partitions on demand, through the one consumer of this process, which holds all
 * partitions paused in between. Source: dependencies.md, The consumer.
 * Guarantee: readings are served one after the other, in the order of the calls.
 */
export class KafkaReader {
  readonly #options: KafkaReaderOptions;
  #member: Member | null = null;
  /** Positions may be set: kafkajs refuses that before the first join. */
  #isJoined = false;
  #members = 0;
  #job: ReadJob | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: KafkaReaderOptions) {
    this.#options = options;
  }

  /** Joins. Rejects if that does not work; it may be called again. */
  async start(): Promise<void> {
    if (this.#member) return;
    if (this.#isClosed) throw new Error('the log is closed');
    const { topics, groupId, cluster } = this.#options;
    const connection = new KafkaConnection(cluster, {
      retry: RETRY.forLong,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    });
    this.#members += 1;
    // A new group each time: in the old one a member that crashed would have to time out first.
    const consumer = connection.kafka.consumer({
      groupId: this.#members === 1 ? groupId : `${groupId}-${this.#members}`,
      allowAutoTopicCreation: false,
      sessionTimeout: 10_000,
      heartbeatInterval: 1000,
      rebalanceTimeout: 10_000,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      // What stands at an offset is read, whatever became of a stranger's transaction around it.
      readUncommitted: true,
      retry: { ...RETRY.forLong, restartOnFailure: () => Promise.resolve(false) },
    });
    const member: Member = { connection, consumer, hasJoined: false };
    this.#member = member;
    try {
      await within(JOIN_DEADLINE_MS, 'joining the consumer group', this.#join(member, topics));
    } catch (error) {
      this.#leave(member);
      throw error;
    }
  }

  /**
   * Reads these offsets. Offsets without a record are passed over.
   * Rejects: what `onMessage` throws; `VanishedError`; when the reader is closed.
   */
  read(targets: readonly ReadTarget[], onMessage: OnMessage): Promise<void> {
    const reading = this.#last.then(() => this.#read(new ReadJob(targets, onMessage)));
    this.#last = reading.catch(() => undefined);
    return reading;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#job?.fail(new Error('the log is closed'));
    const member = this.#member;
    if (!member) return;
    const leaving = member.consumer.disconnect();
    await within(CLOSE_DEADLINE_MS, 'leaving the consumer group', leaving).catch(() => undefined);
    this.#leave(member);
  }

  async #join(member: Member, topics: readonly string[]): Promise<void> {
    const { consumer } = member;
    const { events } = consumer;
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    const joined = Promise.withResolvers<void>();
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (member !== this.#member) return;
      this.#isJoined = true;
      member.hasJoined = true;
      this.#takePositions(consumer, payload.memberAssignment);
      joined.resolve();
    });
    // From here on kafkajs refuses to set positions; a crash is told a moment later.
    consumer.on(events.STOP, () => {
      if (member === this.#member) this.#isJoined = false;
    });
    consumer.on(events.CRASH, ({ payload }) => {
      joined.reject(payload.error);
      void this.#crashed(member, payload.error);
    });
    // Batches of control records alone never reach `eachBatch`.
    consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize > 0 || payload.firstOffset === null) return;
      const { topic, partition } = payload;
      const position = this.#job?.open.find((p) => p.topic === topic && p.partition === partition);
      if (!position || Number(payload.firstOffset) > position.next) return;
      this.#after(
        topic,
        partition,
        this.#job?.passed(topic, partition, Number(payload.lastOffset)),
      );
    });
    await consumer.run({ autoCommit: false, eachBatch: (payload) => this.#took(member, payload) });
    await joined.promise;
  }

  /**
   * After every join kafkajs has forgotten all positions. Synchronously, before the first fetch:
   * pause everything, then set and resume what is being read.
   */
  #takePositions(consumer: Consumer, assignment: Readonly<Record<string, number[]>>): void {
    const all = Object.entries(assignment);
    consumer.pause(all.map(([topic, partitions]) => ({ topic, partitions: [...partitions] })));
    this.#resume(consumer);
  }

  /** Fetches on where the job stands. Lists of partitions: a whole topic would not stay paused. */
  #resume(consumer: Consumer): void {
    for (const { topic, partition, next } of this.#job?.open ?? []) {
      consumer.seek({ topic, partition, offset: String(next) });
      consumer.resume([{ topic, partitions: [partition] }]);
    }
  }

  #took(member: Member, payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const { topic, partition, messages } = batch;
    // A batch that was under way when the position was set is not what is wanted.
    if (member !== this.#member || payload.isStale()) return Promise.resolve();
    const lastOffset = Number(batch.lastOffset());
    this.#after(topic, partition, this.#job?.take({ topic, partition, messages, lastOffset }));
    return Promise.resolve();
  }

  #after(topic: string, partition: number, taken: ReturnType<ReadJob['take']> | undefined): void {
    const consumer = this.#member?.consumer;
    if (!consumer || !this.#isJoined || taken === 'more') return;
    if (taken === 'behind') {
      // A position beyond the end is set back silently. Whether it is: see `#look`.
      const position = this.#job?.open.find((p) => p.topic === topic && p.partition === partition);
      if (position) consumer.seek({ topic, partition, offset: String(position.next) });
      return;
    }
    consumer.pause([{ topic, partitions: [partition] }]);
  }

  async #read(job: ReadJob): Promise<void> {
    if (this.#isClosed) throw new Error('the log is closed');
    this.#job = job;
    if (!job.isSettled) {
      if (this.#member && this.#isJoined) this.#resume(this.#member.consumer);
      void this.#watch(job);
    }
    try {
      await job.promise;
    } finally {
      this.#job = null;
      this.#options.onTrouble(null);
      this.#pauseAll(job);
    }
  }

  /** After a reader that threw, or a close, the rest of the job is not fetched any more. */
  #pauseAll(job: ReadJob): void {
    if (!this.#member || !this.#isJoined || this.#isClosed) return;
    for (const { topic, partition } of job.unread) {
      this.#member.consumer.pause([{ topic, partitions: [partition] }]);
    }
  }

  /** Looks now and then whether a reading that stands still can go on. */
  async #watch(job: ReadJob): Promise<void> {
    let seen = job.progress;
    for (let looks = 0; !job.isSettled; ) {
      await sleep(LOOK_MS, undefined, { ref: false });
      if (job.isSettled) return;
      if (job.progress !== seen) {
        seen = job.progress;
        looks = 0;
        this.#options.onTrouble(null);
      } else {
        looks = await this.#look(job, looks);
      }
    }
  }

  async #look(job: ReadJob, looks: number): Promise<number> {
    const { cluster, onTrouble, warn } = this.#options;
    try {
      const topics = [...new Set(job.open.map(({ topic }) => topic))];
      const ends = await fetchEnds(cluster, topics);
      for (const { topic, partition, next, to } of job.open) {
        const high = ends.get(topic)?.high[partition] ?? 0;
        if (high < next) {
          const sentence = `${topic}, partition ${partition}, ends at offset ${high}: offset ${next} was there before`;
          job.fail(new VanishedError(sentence));
          return 0;
        }
        if (high > to && looks + 1 >= LOOKS_MAX) {
          warn(`${topic}, partition ${partition}: no records at offsets ${next} to ${to}`);
          job.passed(topic, partition, to);
        }
      }
      if (this.#member && this.#isJoined) this.#resume(this.#member.consumer);
      return looks + 1;
    } catch (error) {
      onTrouble(`the log cannot be read just now: ${sentenceOf(error)}`);
      return 0;
    }
  }

  /** kafkajs has given up on this member: a new one takes over, in a group of its own. */
  async #crashed(member: Member, cause: Error): Promise<void> {
    if (member !== this.#member || !member.hasJoined || this.#isClosed) return;
    this.#leave(member);
    this.#options.warn(`the reader starts anew: ${sentenceOf(cause)}`);
    while (!this.#isClosed && !this.#member) {
      await sleep(REJOIN_WAIT_MS, undefined, { ref: false });
      if (this.#isClosed) return;
      await this.start().catch((error: unknown) => {
        if (this.#job) this.#options.onTrouble(`the log cannot be read: ${sentenceOf(error)}`);
      });
    }
  }

  #leave(member: Member): void {
    if (member === this.#member) {
      this.#member = null;
      this.#isJoined = false;
    }
    member.consumer.disconnect().catch(() => undefined);
    member.connection.discard();
  }
}
