import { type Auth, type ReadFile, readAuth } from './auth.ts';
import {
  type Address,
  formatAddress,
  formatBytes,
  type LogLevel,
  type LogMode,
  type Read,
  readAddress,
  readBrokers,
  readBytes,
  readDirectory,
  readLogLevel,
  readLogMode,
  readNode,
  readPlaintext,
  readPrefix,
  readShards,
} from './values.ts';

/** One setting: where it may be given, how it is read, what it is without. */
export interface Setting<T> {
  /** Place in the file, with dots; null if it has none. */
  readonly path: string | null;
  /** Flag without `--`; null if it has none. */
  readonly flag: string | null;
  /** What stands behind the flag in the help. */
  readonly shape: string;
  /** Variables; the first that is set counts. */
  readonly env: readonly string[];
  readonly read: (text: string, readFile: ReadFile) => Read<T>;
  /** A fault must not quote it. */
  readonly isSecret?: boolean;
  readonly write: (value: T) => string;
  readonly fallback: T;
  /** For humans, where the default is not simply `fallback`. */
  readonly otherwise?: string;
  readonly help: string;
}

const asText = String;

/** Every setting there is. Source: INTERFACE, Configuration. */
export const SETTINGS: {
  readonly listen: Setting<Address>;
  readonly data: Setting<string>;
  readonly log: Setting<LogMode>;
  readonly kafkaBrokers: Setting<readonly string[]>;
  readonly kafkaPrefix: Setting<string>;
  readonly shards: Setting<number>;
  readonly budgetBytes: Setting<number>;
  readonly logLevel: Setting<LogLevel>;
  readonly node: Setting<string>;
  readonly plaintext: Setting<'trusted-network' | null>;
  readonly auth: Setting<Auth | null>;
} = {
  listen: {
    path: 'listen.address',
    flag: 'listen',
    shape: 'HOST:PORT',
    env: ['TIDEGATE_LISTEN'],
    read: readAddress,
    write: formatAddress,
    fallback: { host: '127.0.0.1', port: 8080 },
    help: 'where to listen; port 0 = any free port',
  },
  data: {
    path: 'data',
    flag: 'data',
    shape: 'DIR',
    env: ['TIDEGATE_DATA'],
    read: readDirectory,
    write: asText,
    fallback: './data',
    help: 'directory of the file log',
  },
  log: {
    path: 'log',
    flag: 'log',
    shape: 'file|kafka|memory',
    env: ['TIDEGATE_LOG'],
    read: readLogMode,
    write: asText,
    fallback: 'file',
    otherwise: 'kafka if brokers are given, else file',
    help: 'the log of truth',
  },
  kafkaBrokers: {
    path: 'kafka.brokers',
    flag: 'kafka-brokers',
    shape: 'H:P,…',
    env: ['TIDEGATE_KAFKA_BROKERS', 'KAFKA_BROKERS'],
    read: readBrokers,
    write: (brokers) => brokers.join(','),
    fallback: [],
    otherwise: 'none',
    help: 'brokers of the Kafka log, which is not in this version',
  },
  kafkaPrefix: {
    path: 'kafka.prefix',
    flag: 'kafka-prefix',
    shape: 'NAME',
    env: ['TIDEGATE_KAFKA_PREFIX'],
    read: readPrefix,
    write: asText,
    fallback: 'tidegate',
    help: 'its topics are NAME.readings …',
  },
  shards: {
    path: 'shards',
    flag: 'shards',
    shape: 'N',
    env: ['TIDEGATE_SHARDS'],
    read: readShards,
    write: asText,
    fallback: 24,
    help: 'number of shards; fixed at the first start',
  },
  budgetBytes: {
    path: 'ingest.budget',
    flag: 'budget',
    shape: 'BYTES',
    env: ['TIDEGATE_BUDGET'],
    read: readBytes,
    write: formatBytes,
    fallback: 256 * 1024 * 1024,
    help: 'memory for frames on their way to the log, such as 64MiB',
  },
  logLevel: {
    path: 'logLevel',
    flag: 'log-level',
    shape: 'LEVEL',
    env: ['TIDEGATE_LOG_LEVEL'],
    read: readLogLevel,
    write: asText,
    fallback: 'info',
    help: 'trace, debug, info, warn, error, fatal or silent',
  },
  node: {
    path: null,
    flag: null,
    shape: 'NAME',
    env: ['TIDEGATE_NODE'],
    read: readNode,
    write: asText,
    fallback: 'node',
    otherwise: 'the host name',
    help: 'name of this node in /n/NAME/v1',
  },
  plaintext: {
    path: 'listen.plaintext',
    flag: null,
    shape: 'trusted-network',
    env: [],
    read: readPlaintext,
    write: (value) => value ?? '',
    fallback: null,
    otherwise: 'loopback only',
    help: 'ws: and http: beyond loopback too (needs auth)',
  },
  auth: {
    path: 'auth.hs256.secretFile',
    flag: null,
    shape: 'FILE',
    env: [],
    read: readAuth,
    isSecret: true,
    write: (auth) => auth?.secretFile ?? '',
    fallback: null,
    otherwise: 'none (open mode)',
    help: 'the secret that tokens are signed with; without one everybody is let in',
  },
};

/** Name of a setting: the key in `Config` and in `Config.origins`. */
export type SettingName = keyof typeof SETTINGS;
