import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, ITopicConfig } from 'kafkajs';
import { RESULT_BYTES_MAX } from '../../model/limits.ts';
import { LOG_NAMES } from '../../model/record.ts';
import { withAdmin } from './kafka-admin.ts';
import type { KafkaCluster } from './kafka-connection.ts';
import { typeOf } from './kafka-errors.ts';
import { notCreated, TOPIC_RESOURCE, topicSettings } from './kafka-topic-settings.ts';
import { StartError } from './start-error.ts';

const REPLICATION_MAX = 3;
const CREATE_TIMEOUT_MS = 5000;
const LED_MS_MAX = 5000;
const LED_LOOK_MS = 50;
const TOO_EARLY: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
]);
/** What a batch and a record cost besides key, header and value, with room to spare. */
const BATCH_OVERHEAD_BYTES = 1024;
/** Largest frame, definition or dead letter with key and header. */
const SMALL_RECORD_BYTES = 32 * 1024;
/** A partition's share of a send is never larger than this. Source: dependencies.md, Size. */
const SHARE_BYTES_MAX = 900_000;

/** The topics of one deployment. Source: DESIGN §4. */
export interface TopicNames {
  /** Shape: by log kind. */
  readonly logs: readonly string[];
  readonly schemas: string;
  readonly rejects: string;
}

/** The names under a prefix. */
export const topicNames = (prefix: string): TopicNames => ({
  logs: LOG_NAMES.map((name) => `${prefix}.${name}`),
  schemas: `${prefix}.schemas`,
  rejects: `${prefix}.rejects`,
});

/** What was found about the topics. */
export interface TopicFacts {
  readonly dur: 0 | 2;
  /** Largest share of a partition in one send, so that every topic takes it. Units: bytes. */
  readonly shareBytesMax: number;
  /** Why nothing can be appended as things are, or null. */
  readonly shortage: string | null;
  readonly warnings: readonly string[];
}

/** One topic as the cluster describes it. */
interface TopicState {
  readonly name: string;
  readonly partitions: number;
  /** Fewest over the partitions. */
  readonly replicas: number;
  readonly inSync: number;
}

/**
 * Creates what is missing, and checks what is there.
 * Rejects: `StartError` 78 for what somebody has to set right first; everything else is worth
 * another try.
 */
export function prepareTopics(
  cluster: KafkaCluster,
  names: TopicNames,
  shards: number,
): Promise<TopicFacts> {
  return withAdmin(cluster, async (admin) => {
    cluster.log.expectNewTopics();
    const wanted = [...names.logs, names.rejects, names.schemas];
    const missing: string[] = [];
    for (const name of wanted) if ((await describe(admin, name)) === null) missing.push(name);
    if (missing.length > 0) {
      await create(admin, missing, names, shards);
      await led(admin, missing);
    }
    const found: TopicState[] = [];
    for (const name of wanted) {
      const topic = await describe(admin, name);
      if (topic === null) throw new Error(`topic ${name} is not known to every broker yet`);
      if (name !== names.schemas) verifyPartitions(topic, shards);
      found.push(topic);
    }
    return judge(admin, names, found);
  });
}

async function describe(admin: Admin, name: string): Promise<TopicState | null> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
    const partitions = topics.find((topic) => topic.name === name)?.partitions ?? [];
    return {
      name,
      partitions: partitions.length,
      replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      inSync: Math.min(...partitions.map(({ isr }) => isr.length)),
    };
  } catch (error) {
    const type = typeOf(error);
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return null;
    if (type !== 'TOPIC_AUTHORIZATION_FAILED') throw error;
    throw new StartError(
      78,
      `no permission to see topic ${name} (or it is not there): grant Describe, Read and Write ` +
        'on it, and Create if the gateway is to create it',
      { cause: error },
    );
  }
}

async function create(
  admin: Admin,
  missing: readonly string[],
  names: TopicNames,
  shards: number,
): Promise<void> {
  const { brokers } = await admin.describeCluster();
  const replication = Math.min(REPLICATION_MAX, brokers.length);
  const topics = missing.map((topic): ITopicConfig => {
    const isSchemas = topic === names.schemas;
    return {
      topic,
      // One partition keeps definitions in the order in which they were written.
      numPartitions: isSchemas ? 1 : shards,
      replicationFactor: replication,
      configEntries: [
        { name: 'cleanup.policy', value: isSchemas ? 'compact' : 'delete' },
        { name: 'min.insync.replicas', value: replication >= 2 ? '2' : '1' },
      ],
    };
  });
  try {
    await admin.createTopics({ topics, timeout: CREATE_TIMEOUT_MS, waitForLeaders: true });
  } catch (error) {
    throw notCreated(error, topics, replication);
  }
}

/**
 * Waits until the leaders of new topics answer. `waitForLeaders` looks at what one broker has heard,
 * and the leader may be the last to hear that it is.
 */
async function led(admin: Admin, topics: readonly string[]): Promise<void> {
  const endMs = performance.now() + LED_MS_MAX;
  for (;;) {
    try {
      for (const topic of topics) await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      const isTooEarly = TOO_EARLY.has(typeOf(error) ?? '') && performance.now() < endMs;
      if (!isTooEarly) throw error;
    }
    await sleep(LED_LOOK_MS);
  }
}

function verifyPartitions({ name, partitions }: TopicState, shards: number): void {
  if (partitions === shards) return;
  throw new StartError(
    78,
    `topic ${name} has ${partitions} partitions, but ${shards} shards are configured: ` +
      'the number is fixed at the first start, because the order per device depends on it. ' +
      `Set shards to ${partitions}, or use another kafka.prefix`,
  );
}

async function judge(
  admin: Admin,
  names: TopicNames,
  found: readonly TopicState[],
): Promise<TopicFacts> {
  const settings = await topicSettings(
    admin,
    found.map(({ name }) => ({ type: TOPIC_RESOURCE, name })),
  );
  const warnings: string[] = settings.warning === null ? [] : [settings.warning];
  let dur: 0 | 2 = 2;
  let shareBytesMax = SHARE_BYTES_MAX;
  let shortage: string | null = null;
  for (const topic of found) {
    const { name } = topic;
    const { minInSync, bytesMax } = settings.of(name);
    const isAggregates = name === names.logs.at(-1);
    const least = (isAggregates ? RESULT_BYTES_MAX : 0) + SMALL_RECORD_BYTES;
    if (bytesMax < least + BATCH_OVERHEAD_BYTES) throw tooSmall(name, bytesMax, least);
    shareBytesMax = Math.min(shareBytesMax, bytesMax - BATCH_OVERHEAD_BYTES);
    // Kafka 4 asks for no more replicas than there are: with one of them, 2 in sync mean 1.
    const inForce = Math.min(minInSync, topic.replicas);
    if (inForce < minInSync) warnings.push(tooFewReplicas(topic, minInSync));
    // An ack promises nothing about window results: they can be computed again.
    if (inForce < 2 && !isAggregates) dur = 0;
    shortage ??= shortageOf(topic, inForce);
  }
  if (dur === 0 && settings.warning === null) {
    warnings.push(
      'min.insync.replicas of the topics is below 2, or there is one replica: an acknowledged ' +
        'frame may exist on one broker only, so acks say dur 0',
    );
  }
  return { dur, shareBytesMax, shortage, warnings };
}

function shortageOf({ name, inSync }: TopicState, inForce: number): string | null {
  if (inForce <= inSync) return null;
  return (
    `topic ${name} has ${inSync} replicas in sync, but its min.insync.replicas is ${inForce}: ` +
    'brokers are missing or behind'
  );
}

const tooFewReplicas = ({ name, replicas }: TopicState, minInSync: number): string =>
  `topic ${name} has ${replicas} replicas, but its min.insync.replicas is ${minInSync}: brokers ` +
  'before Kafka 4 refuse every record of it, later ones confirm when all replicas have it';

const tooSmall = (name: string, bytesMax: number, least: number): StartError =>
  new StartError(
    78,
    `topic ${name} takes at most ${bytesMax} bytes at once (max.message.bytes), but a record ` +
      `may have ${least}: set max.message.bytes of the topic to ${least + BATCH_OVERHEAD_BYTES} or more`,
  );
