import type { KafkaMessage } from 'kafkajs';
import type { Range } from './shard-log.ts';

/** Offsets of one partition that are wanted, both ends included. */
export interface ReadTarget {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** These offsets of these logs, whose topics stand in the order of log kinds. */
export const targetsOf = (ranges: readonly Range[], topics: readonly string[]): ReadTarget[] =>
  ranges.map(({ log, shard, from, to }) => ({
    topic: topics[log] as string,
    partition: shard,
    from,
    to,
  }));

/** Where a record stands. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Told every record that was read. */
export type OnMessage = (place: RecordPlace, message: KafkaMessage) => void;

/** What a batch says, as far as a job looks at it. Offsets from first to last are told whole. */
export interface FetchedBatch {
  readonly topic: string;
  readonly partition: number;
  /** Empty: no offset of the batch holds a record. */
  readonly messages: readonly KafkaMessage[];
  readonly firstOffset: number;
  /** Offset of the last record fetched, control records included. */
  readonly lastOffset: number;
}

/** How far one partition has been read. */
export interface ReadPosition {
  readonly topic: string;
  readonly partition: number;
  readonly to: number;
  next: number;
}

/** What taking a batch came to. */
export type Taken = 'nothing' | 'more' | 'done' | 'behind';

/**
 * One reading of certain offsets, independent of how records arrive: they may come again, too early
 * or from before the beginning after a rebalance, and offsets may hold no record (control records,
 * compaction).
 * Guarantee: every record of the targets is told once, in the order of offsets per partition.
 */
export class ReadJob {
  readonly promise: Promise<void>;
  /** Counts what was read, so that a standstill is noticed. */
  progress = 0;
  readonly #onMessage: OnMessage;
  readonly #positions = new Map<string, ReadPosition>();
  readonly #settle = Promise.withResolvers<void>();
  #isSettled = false;

  constructor(targets: readonly ReadTarget[], onMessage: OnMessage) {
    this.promise = this.#settle.promise;
    this.#onMessage = onMessage;
    for (const { topic, partition, from, to } of targets) {
      if (from > to) continue;
      this.#positions.set(keyOf(topic, partition), { topic, partition, to, next: from });
    }
    this.#finishIfDone();
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** What is still to be read. */
  get open(): readonly ReadPosition[] {
    return this.#isSettled ? [] : [...this.#positions.values()];
  }

  /** What was not read when the job ended. */
  get unread(): readonly ReadPosition[] {
    return [...this.#positions.values()];
  }

  /** How far a partition has been read; undefined when all of it has. */
  positionOf({
    topic,
    partition,
  }: Pick<ReadTarget, 'topic' | 'partition'>): ReadPosition | undefined {
    return this.#isSettled ? undefined : this.#positions.get(keyOf(topic, partition));
  }

  /** Tells the records that were fetched. A reader that throws ends the job. */
  take(batch: FetchedBatch): Taken {
    const position = this.positionOf(batch);
    if (!position) return 'nothing';
    if (batch.lastOffset < position.next) return 'behind';
    // Without a message the batch says nothing of the offsets before it.
    if (batch.messages.length === 0 && batch.firstOffset > position.next) return 'more';
    try {
      for (const message of batch.messages) this.#tell(position, message);
    } catch (error) {
      this.fail(error);
      return 'done';
    }
    return this.#passed(position, batch.lastOffset);
  }

  /** The partition begins at this offset: nothing before it comes any more. */
  skipTo(place: Pick<ReadTarget, 'topic' | 'partition'>, low: number): void {
    const position = this.positionOf(place);
    if (position && low > position.next) this.#passed(position, low - 1);
  }

  /** Nothing more of this partition comes up to this offset. */
  #passed(position: ReadPosition, last: number): Taken {
    if (last >= position.next) {
      position.next = last + 1;
      this.progress += 1;
    }
    if (position.next <= position.to) return 'more';
    this.#positions.delete(keyOf(position.topic, position.partition));
    this.#finishIfDone();
    return 'done';
  }

  fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#settle.reject(error);
  }

  #tell(position: ReadPosition, message: KafkaMessage): void {
    const offset = Number(message.offset);
    if (offset < position.next || offset > position.to) return;
    const { topic, partition } = position;
    this.#onMessage({ topic, partition, offset }, message);
    position.next = offset + 1;
    this.progress += 1;
  }

  #finishIfDone(): void {
    if (this.#positions.size > 0 || this.#isSettled) return;
    this.#isSettled = true;
    this.#settle.resolve();
  }
}

const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`;
