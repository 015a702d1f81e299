import type { KafkaSasl } from '../adapters/log/kafka-connection.ts';
import type { Setting } from './setting.ts';
import {
  readBrokers,
  readCompression,
  readFileName,
  readHostName,
  readMechanism,
  readPrefix,
  readTruth,
  readWord,
} from './values.ts';

type Optional = Setting<string | null>;

/** A setting that is null unless it is given, and has no flag. */
function optional(of: Pick<Optional, 'path' | 'shape' | 'env' | 'read' | 'help'>): Optional {
  return { ...of, flag: null, write: (value) => value ?? '', fallback: null, otherwise: 'none' };
}

const fileOf = (of: Pick<Optional, 'path' | 'env' | 'help'>): Optional =>
  optional({ ...of, shape: 'FILE', read: readFileName });

/**
 * The settings of Kafka. What a container is told by whoever runs it may come from the environment:
 * names of files, and no password. Source: INTERFACE, Configuration.
 */
export const KAFKA_SETTINGS: {
  readonly kafkaBrokers: Setting<readonly string[]>;
  readonly kafkaPrefix: Setting<string>;
  readonly kafkaCompression: Setting<'none' | 'zstd'>;
  readonly kafkaSaslMechanism: Setting<KafkaSasl['mechanism'] | null>;
  readonly kafkaSaslUsername: Optional;
  readonly kafkaSaslPasswordFile: Optional;
  readonly kafkaSsl: Setting<boolean>;
  readonly kafkaSslCaFile: Optional;
  readonly kafkaSslCertFile: Optional;
  readonly kafkaSslKeyFile: Optional;
  readonly kafkaSslServername: Optional;
} = {
  kafkaBrokers: {
    path: 'kafka.brokers',
    flag: 'kafka-brokers',
    shape: 'H:P,…',
    env: ['TIDEGATE_KAFKA_BROKERS', 'KAFKA_BROKERS'],
    read: readBrokers,
    write: (brokers) => brokers.join(','),
    fallback: [],
    otherwise: 'none',
    help: 'brokers of the Kafka log',
  },
  kafkaPrefix: {
    path: 'kafka.prefix',
    flag: 'kafka-prefix',
    shape: 'NAME',
    env: ['TIDEGATE_KAFKA_PREFIX'],
    read: readPrefix,
    write: String,
    fallback: 'tidegate',
    help: 'its topics are NAME.readings …',
  },
  kafkaCompression: {
    path: 'kafka.compression',
    flag: null,
    shape: 'none|zstd',
    env: [],
    read: readCompression,
    write: String,
    fallback: 'none',
    help: 'how what is sent to Kafka is packed',
  },
  kafkaSaslMechanism: {
    path: 'kafka.sasl.mechanism',
    flag: null,
    shape: 'plain|scram-sha-256|scram-sha-512',
    env: ['TIDEGATE_KAFKA_SASL_MECHANISM'],
    read: readMechanism,
    write: (value) => value ?? '',
    fallback: null,
    otherwise: 'none',
    help: 'how to log in to Kafka',
  },
  kafkaSaslUsername: optional({
    path: 'kafka.sasl.username',
    shape: 'NAME',
    env: ['TIDEGATE_KAFKA_SASL_USERNAME'],
    read: readWord,
    help: 'as whom to log in to Kafka',
  }),
  kafkaSaslPasswordFile: {
    ...fileOf({
      path: 'kafka.sasl.passwordFile',
      env: ['TIDEGATE_KAFKA_SASL_PASSWORD_FILE'],
      help: 'the password for Kafka; read again for every connection',
    }),
    isSecret: true,
  },
  kafkaSsl: {
    path: 'kafka.ssl',
    flag: null,
    shape: 'true|false',
    env: ['TIDEGATE_KAFKA_SSL'],
    read: readTruth,
    write: String,
    fallback: false,
    otherwise: 'true if there is a section kafka.ssl, else false',
    help: 'TLS towards Kafka',
  },
  kafkaSslCaFile: {
    ...fileOf({
      path: 'kafka.ssl.caFile',
      env: ['TIDEGATE_KAFKA_SSL_CA_FILE'],
      help: "who signs the brokers' certificates, PEM",
    }),
    otherwise: 'the authorities that Node knows',
  },
  kafkaSslCertFile: fileOf({
    path: 'kafka.ssl.certFile',
    env: ['TIDEGATE_KAFKA_SSL_CERT_FILE'],
    help: 'our own certificate for Kafka, PEM',
  }),
  kafkaSslKeyFile: fileOf({
    path: 'kafka.ssl.keyFile',
    env: ['TIDEGATE_KAFKA_SSL_KEY_FILE'],
    help: 'the key of that certificate, PEM',
  }),
  kafkaSslServername: optional({
    path: 'kafka.ssl.servername',
    shape: 'HOST',
    env: [],
    read: readHostName,
    help: "the name in the brokers' certificates, where it is not that of their address",
  }),
};
