import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from '../../../src/adapters/log/kafka-library.ts';
import type { FrameItem, LogItem } from '../../../src/consumer/log-item.ts';
import { TidegateReader } from '../../../src/consumer/tidegate-reader.ts';
import type { EmittedFrame } from '../check-journal.ts';

const POLL_MS = 50;

/** The consumer library on a plain kafkajs consumer, while the topics are being written. */
export interface LiveReader {
  /** In the order in which they were given out. */
  readonly items: readonly LogItem[];
  /** Waits until the reader has passed the ends of the topics as they stand now, then stops it. */
  finish(): Promise<void>;
}

/**
 * Starts to read: from the beginning, in a group of its own, without commits. Whatever makes kafkajs
 * begin again is left to the library.
 */
export async function readLive(brokers: readonly string[], prefix: string): Promise<LiveReader> {
  const kafka = new Kafka({
    clientId: 'live-reader',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 1000, initialRetryTime: 100, maxRetryTime: 500 },
  });
  const topics = ['readings', 'alarms', 'aggregates', 'schemas'].map((name) => `${prefix}.${name}`);
  const consumer = kafka.consumer({
    groupId: randomBytes(8).toString('hex'),
    maxWaitTimeInMs: 100,
  });
  const reader = new TidegateReader();
  const items: LogItem[] = [];
  const passed = new Map<string, number>();
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: ({ batch: { topic, partition, messages } }) => {
      for (const message of messages) {
        items.push(...reader.read(topic, partition, message));
        passed.set(`${topic} ${partition}`, Number(message.offset));
      }
      return Promise.resolve();
    },
  });
  const finish = async (): Promise<void> => {
    const admin = kafka.admin();
    await admin.connect();
    for (const topic of topics) {
      for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
        const key = `${topic} ${partition}`;
        while ((passed.get(key) ?? -1) < Number(high) - 1) await pause();
      }
    }
    await Promise.all([admin.disconnect(), consumer.disconnect()]);
  };
  return { items, finish };
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MS));

/** What the library gave out, in the form in which journals are checked. */
export function emittedOf(items: readonly LogItem[]): EmittedFrame[] {
  return items
    .filter((item): item is FrameItem => item.kind === 'frame')
    .map(({ device, lane, epoch, n, blocks }) => ({
      device,
      lane,
      ep: epoch,
      n,
      blocks: blocks.map(({ t, q, fid, cols }) => ({
        t: [...t],
        q: typeof q === 'number' ? q : [...q],
        fid,
        cols: cols.map(({ topic, unit, v }) => ({ topic, unit, v: [...v] as (number | null)[] })),
      })),
    }));
}
