import type { Admin } from 'kafkajs';
import { type KafkaCluster, KafkaConnection, RETRY } from './kafka-connection.ts';
import { within } from './kafka-errors.ts';

const REQUEST_TIMEOUT_MS = 5000;
const DEADLINE_MS = 15_000;

/** Runs `step` with an admin client of its own, and gets rid of that at once. */
export async function withAdmin<T>(
  cluster: KafkaCluster,
  step: (admin: Admin) => Promise<T>,
): Promise<T> {
  const connection = new KafkaConnection(cluster, {
    retry: RETRY.soon,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  });
  const admin = connection.kafka.admin();
  const stop = (): void => connection.discard();
  cluster.signal.addEventListener('abort', stop);
  const run = async (): Promise<T> => {
    await admin.connect();
    return step(admin);
  };
  try {
    cluster.signal.throwIfAborted();
    return await within(DEADLINE_MS, 'an enquiry about topics', run());
  } finally {
    cluster.signal.removeEventListener('abort', stop);
    connection.discard();
  }
}

/** First and next offset of each partition of a topic. */
export interface PartitionEnds {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Where these topics begin and end now. */
export function fetchEnds(
  cluster: KafkaCluster,
  topics: readonly string[],
): Promise<Map<string, PartitionEnds>> {
  return withAdmin(cluster, async (admin) => {
    const ends = new Map<string, PartitionEnds>();
    for (const topic of topics) {
      const offsets = await admin.fetchTopicOffsets(topic);
      const low = new Float64Array(offsets.length);
      const high = new Float64Array(offsets.length);
      for (const { partition, low: first, high: next } of offsets) {
        low[partition] = Number(first);
        high[partition] = Number(next);
      }
      ends.set(topic, { low, high });
    }
    return ends;
  });
}
