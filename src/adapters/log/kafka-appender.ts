import type { RecordBatch } from '../../model/batch.ts';
import { LOG, LOG_NAMES, type LogKind } from '../../model/record.ts';
import type { KafkaCluster } from './kafka-connection.ts';
import { isTooLarge, sentenceOf } from './kafka-errors.ts';
import { cutBatch, recordBytes, topicMessagesOf } from './kafka-parts.ts';
import { KafkaSender, type SenderOptions } from './kafka-sender.ts';
import { type KnownSchemas, sideMessages } from './kafka-side-records.ts';
import type { KafkaState } from './kafka-state.ts';
import type { TopicNames } from './kafka-topics.ts';
import type { Appended } from './shard-log.ts';

/** What an appender works with. */
export interface AppenderParts {
  readonly cluster: KafkaCluster;
  readonly sending: SenderOptions;
  readonly names: TopicNames;
  readonly shards: number;
  readonly state: KafkaState;
  readonly schemas: KnownSchemas;
  /** Largest share of a partition in one call, known behind the gate. Units: bytes. */
  readonly shareBytesMax: () => number;
  /** Resolves when appends may go out. */
  readonly gate: () => Promise<unknown>;
  /** A record stands at this offset. */
  readonly onOffset: (log: LogKind, shard: number, offset: number) => void;
}

/**
 * Brings batches into the topics: one producer for each log kind, one call at a time over it.
 * Definitions and dead letters of a batch go over the producer of its rows, ahead of them, so that
 * abandoning that one abandons all of the batch and nothing else.
 */
export class KafkaAppender {
  /** When something was confirmed the last time. Units: ms, of `performance.now`. */
  confirmedAtMs = Number.NEGATIVE_INFINITY;
  readonly #parts: AppenderParts;
  readonly #senders: readonly KafkaSender[];
  /** The last append of each log kind: the next one waits for it. */
  readonly #lasts: Promise<unknown>[] = LOG_NAMES.map(() => Promise.resolve());
  #isClosed = false;

  constructor(parts: AppenderParts) {
    this.#parts = parts;
    this.#senders = LOG_NAMES.map(() => new KafkaSender(parts.cluster, parts.sending));
  }

  /** Why a batch cannot be appended at all, or null: our own bug, found before it is sent. */
  faultOf(batch: RecordBatch): string | null {
    const { shards } = this.#parts;
    for (let row = 0; row < batch.rows; row += 1) {
      if ((batch.shard[row] as number) >= shards) return 'a row of an unknown shard';
    }
    if (batch.deadLetters.some(({ shard }) => shard >= shards)) {
      return 'a dead letter of an unknown shard';
    }
    return null;
  }

  /** Appends behind what was given before. What waits behind a failed append is rejected with it. */
  append(batch: RecordBatch): Promise<Appended> {
    const log = (batch.rows > 0 ? batch.log[0] : LOG.readings) as LogKind;
    const appending = (this.#lasts[log] as Promise<unknown>).then(() => this.#append(log, batch));
    this.#lasts[log] = appending;
    appending.catch(() => {
      if (this.#lasts[log] === appending) this.#lasts[log] = Promise.resolve();
    });
    return appending;
  }

  /** Abandons what is under way of this log kind. */
  renew(log: LogKind): void {
    this.#sender(log).discard();
  }

  /** Lets appends finish, then drops the connections. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#lasts);
    for (const sender of this.#senders) sender.discard();
  }

  async #append(log: LogKind, batch: RecordBatch): Promise<Appended> {
    const { gate, state } = this.#parts;
    await gate();
    this.#checkSizes(batch);
    if (state.state.kind === 'failed') throw new Error(`the log has failed: ${state.state.reason}`);
    try {
      await this.#appendSides(log, batch);
      const offsets = await this.#appendRows(log, batch);
      this.confirmedAtMs = performance.now();
      state.clear(LOG_NAMES[log]);
      return { offsets };
    } catch (error) {
      this.#failed(log, error);
      throw error;
    }
  }

  /** A record that no call can carry would be tried for ever. */
  #checkSizes(batch: RecordBatch): void {
    const bytesMax = this.#parts.shareBytesMax();
    for (let row = 0; row < batch.rows; row += 1) {
      if (recordBytes(batch, row) <= bytesMax) continue;
      const topic = this.#parts.names.logs[batch.log[row] as number];
      this.#parts.state.fail(
        `a record of ${recordBytes(batch, row)} bytes for ${topic} is larger than the ` +
          `${bytesMax} that Kafka takes at once: set max.message.bytes of the topic higher and ` +
          'start the gateway again',
      );
    }
  }

  async #appendSides(log: LogKind, batch: RecordBatch): Promise<void> {
    const { schemas, names } = this.#parts;
    const missing = schemas.missing(batch);
    const sends = sideMessages(names, missing, batch);
    if (sends.length === 0) return;
    await this.#sender(log).send(sends);
    schemas.add(missing);
  }

  async #appendRows(log: LogKind, batch: RecordBatch): Promise<Float64Array> {
    const { names, shareBytesMax, onOffset } = this.#parts;
    const offsets = new Float64Array(batch.rows);
    const cut = { topics: names.logs, shareBytesMax: shareBytesMax(), nowMs: Date.now() };
    for (const call of cutBatch(batch, cut)) {
      const bases = await this.#sender(log).send(topicMessagesOf(call));
      for (const { topic, log: kind, shard, rows } of call) {
        const base = bases.of(topic, shard);
        for (const [at, row] of rows.entries()) offsets[row] = base + at;
        onOffset(kind, shard, base + rows.length - 1);
      }
    }
    return offsets;
  }

  #failed(log: LogKind, error: unknown): void {
    const { state, names } = this.#parts;
    if (isTooLarge(error)) {
      state.fail(
        `Kafka refuses a record for ${names.logs[log]} (or with it for ${names.schemas} or ` +
          `${names.rejects}) as too large: max.message.bytes was lowered while the gateway ran. ` +
          'Set it back and start the gateway again',
      );
    } else if (!this.#isClosed) {
      const reason = `Kafka does not confirm ${names.logs[log]}: ${sentenceOf(error)}`;
      state.stall(LOG_NAMES[log], reason);
    }
  }

  #sender(log: LogKind): KafkaSender {
    return this.#senders[log] as KafkaSender;
  }
}
