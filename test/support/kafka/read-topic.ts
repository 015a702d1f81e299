import { randomBytes } from 'node:crypto';
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';

/** A record of a topic, as any client of Kafka gets it. */
export interface TopicRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: NonNullable<KafkaMessage['headers']>;
}

/** Without a record for so long the reading has failed. Units: ms. */
const STANDSTILL_MS = 20_000;

/**
 * Everything that stands in a topic now, by partition and offset, read with plain kafkajs in a group
 * of its own. Made for topics that hold no transactions and are not compacted meanwhile.
 */
export async function readTopic(
  brokers: readonly string[],
  topic: string,
): Promise<readonly TopicRecord[]> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const ends = await endsOf(kafka, topic);
  const records: TopicRecord[] = [];
  if (ends.size === 0) return records;
  const groupId = `reader-${randomBytes(6).toString('hex')}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const guard = setTimeout(() => reject(new Error(`${topic} cannot be read`)), STANDSTILL_MS);
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ partition, message }) => {
        guard.refresh();
        const { key, value, headers = {} } = message;
        const offset = Number(message.offset);
        const last = ends.get(partition);
        if (last !== undefined && offset <= last) {
          records.push({ topic, partition, offset, key, value, headers });
          if (offset === last) ends.delete(partition);
        }
        if (ends.size === 0) resolve();
        return Promise.resolve();
      },
    });
    await promise;
  } finally {
    clearTimeout(guard);
    await consumer.disconnect();
  }
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** The last offset of every partition that holds something. */
async function endsOf(kafka: Kafka, topic: string): Promise<Map<number, number>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return new Map(
      offsets
        .filter(({ high, low }) => Number(high) > Number(low))
        .map(({ partition, high }) => [partition, Number(high) - 1]),
    );
  } finally {
    await admin.disconnect();
  }
}
