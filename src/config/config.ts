import type { KafkaSasl } from '../adapters/log/kafka-connection.ts';
import type { Auth } from './auth.ts';
import type { SettingName } from './settings.ts';
import type { Address, LogLevel, LogMode } from './values.ts';

/** The effective configuration of a node. Guarantee: frozen, whole and consistent. */
export interface Config {
  readonly listen: Address;
  readonly data: string;
  readonly log: LogMode;
  readonly kafkaBrokers: readonly string[];
  readonly kafkaPrefix: string;
  readonly kafkaCompression: 'none' | 'zstd';
  /** null, as the other two: nobody logs in. */
  readonly kafkaSaslMechanism: KafkaSasl['mechanism'] | null;
  readonly kafkaSaslUsername: string | null;
  readonly kafkaSaslPasswordFile: string | null;
  /** TLS towards Kafka. */
  readonly kafkaSsl: boolean;
  readonly kafkaSslCaFile: string | null;
  readonly kafkaSslCertFile: string | null;
  readonly kafkaSslKeyFile: string | null;
  readonly kafkaSslServername: string | null;
  readonly shards: number;
  readonly budgetBytes: number;
  /** null: as many as own four fifths of the budget. */
  readonly sessions: number | null;
  /** Of every device, lanes 1 and 2 together; null: none. Units: bytes a second, bytes. */
  readonly quotaRateBytes: number | null;
  readonly quotaBurstBytes: number;
  readonly logLevel: LogLevel;
  readonly node: string;
  /** null: `ws:` and `http:` on loopback only. */
  readonly plaintext: 'trusted-network' | null;
  /** null: open mode. */
  readonly auth: Auth | null;
  /** Where each value came from: `flag --listen`, `environment TIDEGATE_LISTEN`, `file tidegate.yaml:3`, `default`. */
  readonly origins: Readonly<Record<SettingName, string>>;
}
