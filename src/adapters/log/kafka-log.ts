import { randomBytes } from 'node:crypto';
import type { RecordBatch } from '../../model/batch.ts';
import { InvariantError } from '../../model/invariant.ts';
import {
  LOG,
  LOG_NAMES,
  type LogKind,
  type LogRecord,
  type SchemaRecord,
} from '../../model/record.ts';
import { fetchEnds } from './kafka-admin.ts';
import { KafkaAppender } from './kafka-appender.ts';
import { ClientLog } from './kafka-client-log.ts';
import type { BrokerAddress, KafkaCluster, KafkaSasl, KafkaTls } from './kafka-connection.ts';
import { reasonOf, sentenceOf } from './kafka-errors.ts';
import { slowCrcReason } from './kafka-library.ts';
import { persist } from './kafka-persist.ts';
import { type OnMessage, type ReadTarget, targetsOf } from './kafka-read-job.ts';
import { KafkaReader } from './kafka-reader.ts';
import { recordReader } from './kafka-record.ts';
import { KnownSchemas, SchemaReading } from './kafka-side-records.ts';
import { KafkaState } from './kafka-state.ts';
import { prepareTopics, type TopicFacts, type TopicNames, topicNames } from './kafka-topics.ts';
import { watchCluster } from './kafka-watch.ts';
import type { Appended, LogState, Range, ShardLog } from './shard-log.ts';
import { StartError } from './start-error.ts';

const DEADLINE_MS = 3000;
/** Topics just created have no leaders yet: what passes within this time is told to nobody. */
const QUIET_START_MS = 2000;
const OWN_BYTES = 8;
const NO_FACTS: TopicFacts = { dur: 0, shareBytesMax: 0, shortage: null, warnings: [] };

/** How a Kafka log is opened. */
export interface KafkaLogOptions {
  /** Shape: `host:port`, one or more. */
  readonly brokers: readonly string[];
  /** The topics are `PREFIX.readings` and so on. */
  readonly prefix: string;
  readonly shards: number;
  /** Name of this node. */
  readonly node: string;
  /** Told sentences for humans: promises that the cluster does not allow. */
  readonly warn: (sentence: string) => void;
  /** Told what kafkajs says. */
  readonly debug?: (sentence: string) => void;
  /** Sets this process apart from others of the same node. Default: random. */
  readonly own?: Uint8Array;
  readonly sasl?: KafkaSasl;
  readonly ssl?: KafkaTls;
  readonly compression?: 'none' | 'zstd';
  /** An append that is not confirmed by then is ambiguous. Units: ms, 2000–5000. */
  readonly deadlineMs?: number;
  /** For tests: where to go for a broker that advertises this address. */
  readonly route?: (advertised: BrokerAddress) => BrokerAddress;
}

/**
 * Kafka as the log of truth: topics for each log with one partition per shard, and others for
 * definitions and dead letters. Source: DESIGN §4, §5; dependencies.md §Kafka.
 * Guarantee: an append that resolved was confirmed by all in-sync replicas. A rejected one is
 * ambiguous, and nothing of it is sent any more once `renew` was called.
 */
export class KafkaLog implements ShardLog {
  readonly kind = 'kafka';
  readonly shards: number;
  readonly #cluster: KafkaCluster;
  readonly #options: KafkaLogOptions;
  readonly #names: TopicNames;
  readonly #state = new KafkaState();
  readonly #appender: KafkaAppender;
  readonly #reader: KafkaReader;
  readonly #schemas = new KnownSchemas();
  /** Which definitions were told, and to whom; null until somebody wants them. */
  #definitions: SchemaReading | null = null;
  /** Shape: next offset by log × shards + shard. */
  readonly #offsets: Float64Array;
  readonly #started: Promise<void>;
  readonly #stop = new AbortController();
  #facts = NO_FACTS;
  /** While a reading finds out where the log ends, appends wait. */
  #measuring: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | null = null;

  /** Use `openKafkaLog`. */
  constructor(options: KafkaLogOptions) {
    const { brokers, prefix, shards, node, warn, own, sasl, ssl, route } = options;
    this.#options = options;
    this.shards = shards;
    this.#names = topicNames(prefix);
    this.#offsets = new Float64Array(LOG_NAMES.length * shards);
    this.#cluster = {
      brokers,
      clientId: `tidegate-${node}`,
      log: new ClientLog(options.debug ?? (() => undefined)),
      signal: this.#stop.signal,
      ...(sasl && { sasl }),
      ...(ssl && { ssl }),
      ...(route && { route }),
    };
    this.#appender = this.#makeAppender();
    const name = Buffer.from(own ?? randomBytes(OWN_BYTES)).toString('hex');
    this.#reader = new KafkaReader({
      cluster: this.#cluster,
      topics: [...this.#names.logs, this.#names.schemas],
      groupId: `${prefix}-${node}-${name}`,
      warn,
      onTrouble: (reason) => this.#report('reading', reason),
    });
    this.#started = this.#start();
    // Whoever waits for it is told; until then it is not an error that nobody has seen.
    this.#started.catch(() => undefined);
  }

  /** Known when the log is ready; 0 before. */
  get dur(): 0 | 2 {
    return this.#facts.dur;
  }

  get state(): LogState {
    return this.#state.state;
  }

  get onState(): ((state: LogState) => void) | null {
    return this.#state.onState;
  }

  set onState(listener: ((state: LogState) => void) | null) {
    this.#state.onState = listener;
  }

  get isRecoverable(): boolean {
    return this.state.kind !== 'failed';
  }

  /**
   * Resolves when the topics are there and checked, and the reader has joined. Until then it tries
   * and tries, and `state` says why. Reading and appending wait for it by themselves.
   * Rejects: `StartError` 78 for what will not get better by itself.
   */
  ready(): Promise<void> {
    return this.#started;
  }

  async readSchemas(onSchema: (schema: SchemaRecord) => void): Promise<void> {
    await this.#started;
    this.#definitions = new SchemaReading(onSchema);
    await this.#readDefinitions(this.#definitions);
  }

  async read(onRecord: (record: LogRecord) => void, ranges?: readonly Range[]): Promise<void> {
    const targets = ranges ? targetsOf(ranges, this.#names.logs) : await this.#whole();
    // It is known now which records are read, so what they need is defined by now.
    if (this.#definitions) await this.#readDefinitions(this.#definitions);
    const take = recordReader(this.#names.logs, onRecord);
    const note: OnMessage = (place, message) => {
      const { log, shard, offset } = take(place, message);
      this.#note(log, shard, offset);
    };
    // Results first: whoever makes them again from the readings need not keep what is there.
    const isResult = ({ topic }: ReadTarget): boolean => topic === this.#names.logs[LOG.aggregates];
    await this.#reader.read(targets.filter(isResult), note);
    await this.#reader.read(
      targets.filter((target) => !isResult(target)),
      note,
    );
  }

  append(batch: RecordBatch): Promise<Appended> {
    const fault = this.#closing === null ? this.#appender.faultOf(batch) : 'the log is closed';
    if (fault !== null) return Promise.reject(new InvariantError(fault));
    return this.#appender.append(batch);
  }

  renew(log: LogKind): void {
    this.#appender.renew(log);
  }

  nextOffset(log: LogKind, shard: number): number {
    return this.#offsets[log * this.shards + shard] as number;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    await this.#appender.close();
    await this.#reader.close();
  }

  async #start(): Promise<void> {
    const at = this.#options.brokers.join(', ');
    const begun = performance.now();
    if (slowCrcReason !== null) this.#options.warn(slowCrcReason);
    if (this.#cluster.sasl?.mechanism === 'plain' && !this.#cluster.ssl) {
      this.#options.warn('the password for Kafka crosses the network readably: set kafka.ssl');
    }
    this.#state.stall('start', `connecting to Kafka at ${at}`);
    const onTrouble = (error: unknown): void => {
      if (performance.now() - begun < QUIET_START_MS) return;
      const reason = `Kafka at ${at} cannot be used yet: ${reasonOf(error)}`;
      this.#state.stall('start', this.#facts.shortage ?? reason);
    };
    try {
      await persist(this.#cluster, () => this.#prepare(), onTrouble);
    } catch (error) {
      if (error instanceof StartError) this.#state.fail(error.message);
      throw error;
    }
    this.#state.clear('start');
    const confirmedAtMs = (): number => this.#appender.confirmedAtMs;
    const topics = this.#names.logs;
    void watchCluster({ cluster: this.#cluster, topics, state: this.#state, confirmedAtMs });
  }

  async #prepare(): Promise<void> {
    const { logs } = this.#names;
    this.#facts = NO_FACTS;
    this.#facts = await prepareTopics(this.#cluster, this.#names, this.shards);
    const ends = await fetchEnds(this.#cluster, logs);
    for (const [log, topic] of logs.entries()) {
      this.#offsets.set(ends.get(topic)?.high ?? [], log * this.shards);
    }
    await this.#reader.start();
    const { shortage, warnings } = this.#facts;
    for (const warning of warnings) this.#options.warn(warning);
    if (shortage !== null) this.#state.stall(LOG_NAMES[LOG.readings], shortage);
  }

  #makeAppender(): KafkaAppender {
    const { deadlineMs = DEADLINE_MS, compression = 'none' } = this.#options;
    return new KafkaAppender({
      cluster: this.#cluster,
      sending: { deadlineMs, compression },
      names: this.#names,
      shards: this.shards,
      state: this.#state,
      schemas: this.#schemas,
      shareBytesMax: () => this.#facts.shareBytesMax,
      gate: () => this.#started.then(() => this.#measuring),
      onOffset: (log, shard, offset) => this.#note(log, shard, offset),
    });
  }

  /** All of the three logs as they stand now: appends called later are not in it. */
  async #whole(): Promise<ReadTarget[]> {
    const measuring = this.#started.then(() => this.#wholeOf(this.#names.logs));
    this.#measuring = measuring.catch(() => undefined);
    return await measuring;
  }

  /** Tells the definitions that were written since the last time, by whatever gateway. */
  async #readDefinitions(reading: SchemaReading): Promise<void> {
    const targets = await this.#wholeOf([this.#names.schemas]);
    const unread = reading.unreadOf(targets);
    await this.#reader.read(unread, ({ offset }, message) => reading.take(offset, message));
    this.#schemas.add(reading.all);
  }

  async #wholeOf(topics: readonly string[]): Promise<ReadTarget[]> {
    const targets: ReadTarget[] = [];
    for (const [topic, { low, high }] of await this.#ends(topics)) {
      for (const [partition, from] of low.entries()) {
        targets.push({ topic, partition, from, to: (high[partition] as number) - 1 });
      }
    }
    return targets;
  }

  /** Where topics begin and end; while the cluster is away it goes on trying. */
  async #ends(topics: readonly string[]): ReturnType<typeof fetchEnds> {
    const ends = await persist(
      this.#cluster,
      () => fetchEnds(this.#cluster, topics),
      (error) => this.#report('reading', `the log cannot be read just now: ${sentenceOf(error)}`),
    );
    this.#state.clear('reading');
    return ends;
  }

  #report(party: string, reason: string | null): void {
    if (reason === null) this.#state.clear(party);
    else this.#state.stall(party, reason);
  }

  #note(log: LogKind, shard: number, offset: number): void {
    const index = log * this.shards + shard;
    this.#offsets[index] = Math.max(this.#offsets[index] as number, offset + 1);
  }
}

/** Opens the log, returns at once and goes on in the background: see `ready`. */
export const openKafkaLog = (options: KafkaLogOptions): KafkaLog => new KafkaLog(options);
