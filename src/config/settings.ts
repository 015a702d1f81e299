import { type Auth, readAuth } from './auth.ts';
import { KAFKA_SETTINGS } from './kafka-settings.ts';
import type { Setting } from './setting.ts';
import {
  type Address,
  formatAddress,
  formatBytes,
  type LogLevel,
  type LogMode,
  readAddress,
  readBurst,
  readBytes,
  readDirectory,
  readLogLevel,
  readLogMode,
  readNode,
  readPlaintext,
  readRate,
  readSessions,
  readShards,
} from './values.ts';

const asText = String;

/** Every setting there is. Source: INTERFACE, Configuration. */
export const SETTINGS: typeof KAFKA_SETTINGS & {
  readonly listen: Setting<Address>;
  readonly data: Setting<string>;
  readonly log: Setting<LogMode>;
  readonly shards: Setting<number>;
  readonly budgetBytes: Setting<number>;
  readonly sessions: Setting<number | null>;
  readonly quotaRateBytes: Setting<number | null>;
  readonly quotaBurstBytes: Setting<number>;
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
  ...KAFKA_SETTINGS,
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
  sessions: {
    path: 'ingest.sessions',
    flag: null,
    shape: 'N',
    env: ['TIDEGATE_SESSIONS'],
    read: readSessions,
    write: (value) => (value === null ? '' : String(value)),
    fallback: null,
    otherwise: 'as the budget allows',
    help: 'devices that are served at a time; more are told to come back',
  },
  quotaRateBytes: {
    path: 'ingest.quota.rate',
    flag: null,
    shape: 'BYTES',
    env: ['TIDEGATE_QUOTA_RATE'],
    read: readRate,
    write: (value) => (value === null ? '' : formatBytes(value)),
    fallback: null,
    otherwise: 'none',
    help: 'what a device may send a second on lanes 1 and 2, such as 64KiB',
  },
  quotaBurstBytes: {
    path: 'ingest.quota.burst',
    flag: null,
    shape: 'BYTES',
    env: ['TIDEGATE_QUOTA_BURST'],
    read: readBurst,
    write: formatBytes,
    fallback: 64 * 1024,
    help: 'what a device under a quota may send at once; at least 16.125 KiB',
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
