import type { Admin, ITopicConfig } from 'kafkajs';
import { isUnauthorized, sentenceOf } from './kafka-errors.ts';
import { StartError } from './start-error.ts';

/** The type of a topic in `describeConfigs`; kafkajs exports an enum for it. */
export const TOPIC_RESOURCE = 2;
const MIN_IN_SYNC = 'min.insync.replicas';
const BYTES_MAX = 'max.message.bytes';
const COMPRESSION = 'compression.type';
/** What brokers take if nobody has set it otherwise. */
const BYTES_MAX_DEFAULT = 1_048_588;
/** Codecs in which a broker may store what we then read. */
const READABLE: ReadonlySet<string> = new Set(['producer', 'uncompressed', 'gzip', 'zstd']);

/** What a topic is set to, as far as it matters here. */
export interface TopicSettings {
  readonly minInSync: number;
  readonly bytesMax: number;
}

/** The settings of several topics. */
export interface AllTopicSettings {
  /** Why they could not be read, or null. */
  readonly warning: string | null;
  of(topic: string): TopicSettings;
}

const UNKNOWN: TopicSettings = { minInSync: 0, bytesMax: BYTES_MAX_DEFAULT };

/**
 * Reads the settings of topics. Without permission for that nothing is promised.
 * Rejects: `StartError` 78 if a topic is stored in a way that we cannot read.
 */
export async function topicSettings(
  admin: Admin,
  resources: readonly { readonly type: typeof TOPIC_RESOURCE; readonly name: string }[],
): Promise<AllTopicSettings> {
  const configNames = [MIN_IN_SYNC, BYTES_MAX, COMPRESSION];
  const request = resources.map((resource) => ({ ...resource, configNames }));
  try {
    const answer = await admin.describeConfigs({ resources: request, includeSynonyms: false });
    const found = new Map(
      answer.resources.map(({ resourceName, configEntries }) => [
        resourceName,
        settingsOf(resourceName, configEntries),
      ]),
    );
    return { warning: null, of: (topic) => found.get(topic) ?? UNKNOWN };
  } catch (error) {
    if (!isUnauthorized(error)) throw error;
    const warning =
      'no permission to read the settings of the topics (DescribeConfigs): whether ' +
      'min.insync.replicas is at least 2 is unknown, so acks say dur 0';
    return { warning, of: () => UNKNOWN };
  }
}

function settingsOf(
  topic: string,
  entries: readonly { readonly configName: string; readonly configValue: string }[],
): TopicSettings {
  const value = (name: string): string | undefined =>
    entries.find(({ configName }) => configName === name)?.configValue;
  const compression = value(COMPRESSION) ?? 'producer';
  if (!READABLE.has(compression)) {
    throw new StartError(
      78,
      `topic ${topic} is stored with ${compression} (compression.type), which this gateway cannot ` +
        'read back: set it to producer',
    );
  }
  return {
    minInSync: Number(value(MIN_IN_SYNC) ?? UNKNOWN.minInSync),
    bytesMax: Number(value(BYTES_MAX) ?? UNKNOWN.bytesMax),
  };
}

/** What to do about topics that could not be created: another try, or a `StartError` 78. */
export function notCreated(
  error: unknown,
  topics: readonly ITopicConfig[],
  replication: number,
): unknown {
  const faults = faultsOf(error).filter((fault) => fault.type !== 'TOPIC_ALREADY_EXISTS');
  const [fault] = faults;
  if (!fault) return new Error('another gateway creates the topics just now');
  const list = topics
    .map(({ topic, numPartitions }) => `${topic} (${numPartitions} partitions)`)
    .join(', ');
  if (isUnauthorized(fault)) {
    return new StartError(
      78,
      `no permission to create topics: create them (replication ${replication}, ` +
        `min.insync.replicas ${replication >= 2 ? 2 : 1}; schemas with cleanup.policy=compact) ` +
        `or grant Create: ${list}`,
      { cause: error },
    );
  }
  if (fault.type !== 'POLICY_VIOLATION' && fault.type !== 'INVALID_TOPIC_EXCEPTION') return fault;
  return new StartError(78, `the cluster refuses to create topics: ${sentenceOf(fault)}: ${list}`, {
    cause: error,
  });
}

/** kafkajs throws one error for all topics of a request, or the error itself. */
function faultsOf(error: unknown): readonly (Error & { readonly type?: string })[] {
  if (!(error instanceof Error)) return [new Error(String(error))];
  const { errors } = error as { readonly errors?: unknown };
  if (Array.isArray(errors) && errors.every((one) => one instanceof Error)) return errors;
  const { cause } = error;
  return cause instanceof Error ? faultsOf(cause) : [error];
}
