import { Kafka, logLevel, type Message, type Producer } from 'kafkajs';

const LINGER_MS = 10;
const HEADER_BYTES = 53;

/** Where a sink sends. */
export interface KafkaSinkOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
}

/** Told how many frames of one sender are in the log. */
type OnDurable = (count: number) => void;

/**
 * Bare kafkajs with the gateway's settings: one `sendBatch` in flight that carries all that
 * gathered meanwhile, `acks` −1, explicit partitions, one packed header, a linger when idle.
 */
export class KafkaSink {
  readonly #options: KafkaSinkOptions;
  readonly #producer: Producer;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #messages: Message[] = [];
  #waiting = new Map<number, { count: number; onDurable: OnDurable }>();
  #isInFlight = false;
  #timer: NodeJS.Timeout | null = null;

  private constructor(options: KafkaSinkOptions, producer: Producer) {
    this.#options = options;
    this.#producer = producer;
  }

  static async open(options: KafkaSinkOptions): Promise<KafkaSink> {
    const brokers = [...options.brokers];
    const kafka = new Kafka({ brokers, clientId: 'bare', logLevel: logLevel.ERROR });
    const producer = kafka.producer({
      allowAutoTopicCreation: false,
      idempotent: false,
      maxInFlightRequests: 1,
      retry: { retries: 0 },
    });
    await producer.connect();
    return new KafkaSink(options, producer);
  }

  /** Takes a frame of a sender. */
  add(sender: number, value: Buffer, onDurable: OnDurable): void {
    const partition = sender % this.#options.partitions;
    // The payload is a view into the socket's buffer: what is kept beyond the tick is copied.
    const copy = Buffer.from(value);
    this.#messages.push({
      key: `bare/${sender}`,
      value: copy,
      partition,
      headers: { tg: this.#header },
    });
    const waiting = this.#waiting.get(sender);
    if (waiting) waiting.count += 1;
    else this.#waiting.set(sender, { count: 1, onDurable });
    if (!this.#isInFlight) this.#timer ??= setTimeout(() => void this.#send(), LINGER_MS);
  }

  async #send(): Promise<void> {
    this.#timer = null;
    this.#isInFlight = true;
    while (this.#messages.length > 0) {
      const messages = this.#messages;
      const waiting = this.#waiting;
      this.#messages = [];
      this.#waiting = new Map();
      const topicMessages = [{ topic: this.#options.topic, messages }];
      await this.#producer.sendBatch({ acks: -1, topicMessages });
      for (const { count, onDurable } of waiting.values()) onDurable(count);
    }
    this.#isInFlight = false;
  }
}
