import { setTimeout as sleep } from 'node:timers/promises';
import { fetchEnds } from './kafka-admin.ts';
import type { KafkaCluster } from './kafka-connection.ts';
import { sentenceOf } from './kafka-errors.ts';
import { type Fetched, KafkaMember } from './kafka-member.ts';
import { type OnMessage, ReadJob, type ReadTarget } from './kafka-read-job.ts';

const REJOIN_WAIT_MS = 500;
/** So often it is looked whether a reading that stands still can go on at all. */
const LOOK_MS = 3000;
/** After so many looks without progress, although there are records, another member tries. */
const LOOKS_MAX = 2;

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

/**
 * Reads offsets of partitions on demand, through the one consumer of this process.
 * Guarantee: readings are served one after the other, in the order of the calls. Offsets are passed
 * over only where the cluster answered that they hold no record.
 */
export class KafkaReader {
  readonly #options: KafkaReaderOptions;
  #member: KafkaMember | null = null;
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
    this.#members += 1;
    // A new group each time: in the old one a member that crashed would have to time out first.
    const group = this.#members === 1 ? groupId : `${groupId}-${this.#members}`;
    const member: KafkaMember = new KafkaMember(
      { cluster, topics, groupId: group },
      {
        open: () => this.#job?.open ?? [],
        fetched: (batch) => this.#fetched(member, batch),
        crashed: (cause) => void this.#startAnew(member, sentenceOf(cause)),
      },
    );
    this.#member = member;
    try {
      await member.join();
    } catch (error) {
      if (this.#member === member) this.#member = null;
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
    await this.#member?.close();
    this.#member = null;
  }

  #fetched(member: KafkaMember, batch: Fetched): void {
    const taken = this.#job?.take(batch) ?? 'nothing';
    if (taken === 'more') return;
    if (taken !== 'behind') return member.pause(batch);
    // A position beyond the end is set back silently. Whether it is: see `#look`.
    const position = this.#job?.positionOf(batch);
    if (position) member.seek(position);
  }

  async #read(job: ReadJob): Promise<void> {
    if (this.#isClosed) throw new Error('the log is closed');
    this.#job = job;
    if (!job.isSettled) {
      this.#member?.resume(job.open);
      void this.#watch(job);
    }
    try {
      await job.promise;
    } finally {
      this.#job = null;
      this.#options.onTrouble(null);
      // After a reader that threw the rest of the job is not fetched any more.
      for (const position of job.unread) this.#member?.pause(position);
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
    const { cluster, onTrouble } = this.#options;
    try {
      const topics = [...new Set(job.open.map(({ topic }) => topic))];
      const ends = await fetchEnds(cluster, topics);
      for (const { topic, partition, next } of job.open) {
        const { low = [], high: highs = [] } = ends.get(topic) ?? {};
        // What retention took away meanwhile is no record of ours any more.
        job.skipTo({ topic, partition }, low[partition] ?? 0);
        const high = highs[partition] ?? 0;
        if (high >= next) continue;
        const sentence = `${topic}, partition ${partition}, ends at offset ${high}: offset ${next} was there before`;
        job.fail(new VanishedError(sentence));
        return 0;
      }
      if (looks + 1 >= LOOKS_MAX) return this.#giveUpMember(job);
      this.#member?.resume(job.open);
      return looks + 1;
    } catch (error) {
      onTrouble(`the log cannot be read just now: ${sentenceOf(error)}`);
      return 0;
    }
  }

  /**
   * Records that do not come are not taken for records that are not there: whatever ails the
   * member, another one reads on from the same offsets.
   */
  #giveUpMember(job: ReadJob): number {
    const [first] = job.open;
    if (!this.#member?.isJoined || !first) return 0;
    const { topic, partition, next, to } = first;
    const sentence = `nothing comes of ${topic}, partition ${partition}, offsets ${next} to ${to}`;
    this.#options.onTrouble(`the log cannot be read just now: ${sentence}`);
    void this.#startAnew(this.#member, sentence);
    return 0;
  }

  /** A new member takes over, in a group of its own. */
  async #startAnew(member: KafkaMember, reason: string): Promise<void> {
    if (member !== this.#member || this.#isClosed) return;
    this.#member = null;
    member.leave();
    this.#options.warn(`the reader starts anew: ${reason}`);
    while (!this.#isClosed && !this.#member) {
      await sleep(REJOIN_WAIT_MS, undefined, { ref: false });
      if (this.#isClosed) return;
      await this.start().catch((error: unknown) => {
        if (this.#job) this.#options.onTrouble(`the log cannot be read: ${sentenceOf(error)}`);
      });
    }
  }
}
