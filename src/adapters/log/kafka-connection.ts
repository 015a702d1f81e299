import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP, Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { ISocketFactoryArgs, Kafka as KafkaClient, RetryOptions, SASLOptions } from 'kafkajs';
import type { ClientLog } from './kafka-client-log.ts';
import { Kafka, logLevel } from './kafka-library.ts';
import { StartError } from './start-error.ts';

const CONNECT_TIMEOUT_MS = 1000;
/** A broker that takes the connection and then says nothing hangs. */
const FIRST_ANSWER_MS = 2000;
const KEEP_ALIVE_MS = 60_000;

/** How to log in to a cluster. */
export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  /** Read again for every new connection, so that a password can be changed while we run. */
  readonly passwordFile: string;
}

/** TLS towards a cluster. Files are PEM. */
export interface KafkaTls {
  /** Absent: the authorities that Node knows. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** The name that the brokers' certificates have to bear, if it is not that of their address. */
  readonly servername?: string;
}

/** Where one host and port are to be reached. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** A cluster, as every client of it needs to know it. */
export interface KafkaCluster {
  /** Shape: `host:port`. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly sasl?: KafkaSasl;
  readonly ssl?: KafkaTls;
  readonly log: ClientLog;
  /** Aborted when the log is closed: enquiries under way end then. */
  readonly signal: AbortSignal;
  /** Where to go for a broker that advertises this address; tests put a proxy in between. */
  readonly route?: (advertised: BrokerAddress) => BrokerAddress;
}

/**
 * How often one client tries. Producers: a cluster that is away is known in 0.7 s (kafkajs's own
 * figures: 14–18 s). Readers: a client that gave up would come back as a new member and wait until
 * the old one has timed out.
 */
export const RETRY = {
  soon: { retries: 3, initialRetryTime: 50, maxRetryTime: 200 },
  forLong: { retries: 1000, initialRetryTime: 100, maxRetryTime: 1000 },
} as const satisfies Record<string, RetryOptions>;

/** How one client behaves. */
export interface ConnectionOptionsOfClient {
  readonly retry: RetryOptions;
  readonly requestTimeoutMs: number;
}

/**
 * A client of kafkajs with sockets of its own, so that it can be got rid of at once: `disconnect()`
 * waits five seconds for answers, and a send that fails connects anew by itself.
 */
export class KafkaConnection {
  readonly kafka: KafkaClient;
  readonly #cluster: KafkaCluster;
  readonly #sockets = new Set<Socket>();
  #isDiscarded = false;

  /** Rejects: `StartError` 78 if a file of the credentials cannot be read. */
  constructor(cluster: KafkaCluster, options: ConnectionOptionsOfClient) {
    this.#cluster = cluster;
    const { brokers, sasl, ssl } = cluster;
    const { retry } = options;
    const retries = Math.max(retry.retries ?? 0, brokers.length);
    // kafkajs begins with the first of the list: if that one hangs, not every client may wait for it.
    const first = Math.floor(Math.random() * brokers.length);
    const seeds = [...brokers.slice(first), ...brokers.slice(0, first)];
    this.kafka = new Kafka({
      clientId: cluster.clientId,
      // With none left kafkajs stops trying: an empty list is the only fault it takes for final.
      brokers: () => (this.#isDiscarded ? [] : seeds),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: options.requestTimeoutMs,
      retry: { ...retry, retries },
      socketFactory: (to) => this.#socket(to),
      logLevel: logLevel.WARN,
      logCreator: cluster.log.creator(() => this.#isDiscarded),
      ...(ssl && { ssl: tlsOf(ssl) }),
      ...(sasl && { sasl: saslOf(sasl) }),
    });
  }

  get isDiscarded(): boolean {
    return this.#isDiscarded;
  }

  /**
   * Ends every connection at once, and any later one too. What lies in a socket's buffer may still
   * arrive; nothing that is handed to kafkajs from now on does.
   */
  discard(): void {
    this.#isDiscarded = true;
    this.#end('discarded');
  }

  /** Ends every connection at once; kafkajs makes new ones, if it tries again. */
  cut(): void {
    this.#end('a connection did not answer');
  }

  #end(reason: string): void {
    // With an error: kafkajs listens to `error` and `end`, not to `close`.
    for (const socket of this.#sockets) socket.destroy(new Error(reason));
  }

  #socket({ host, port, ssl, onConnect }: ISocketFactoryArgs): Socket {
    const { route } = this.#cluster;
    const to = route ? route({ host, port }) : { host, port };
    const socket = this.#isDiscarded ? new Socket() : connectTo(to, host, ssl, onConnect);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    endIfMute(socket);
    if (this.#isDiscarded) process.nextTick(() => socket.destroy(new Error('discarded')));
    return socket;
  }
}

function connectTo(
  to: BrokerAddress,
  name: string,
  ssl: ConnectionOptions | undefined,
  onConnect: () => void,
): Socket {
  const options = { host: to.host, port: to.port };
  const servername = isIP(name) === 0 ? { servername: name } : {};
  const socket = ssl
    ? connectTls({ ...options, ...servername, ...ssl }, onConnect)
    : connectTcp(options, onConnect);
  // kafkajs leaves it off, and then an answer may wait for the acknowledgement of the last one.
  socket.setNoDelay(true);
  return socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

/**
 * kafkajs asks the first broker again and again while that does not answer; only a connection that
 * breaks makes it go to the next one.
 */
function endIfMute(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(new Error('no answer')), FIRST_ANSWER_MS);
  const stop = (): void => clearTimeout(timer);
  socket.once('data', stop).once('close', stop);
}

function saslOf({ mechanism, username, passwordFile }: KafkaSasl): SASLOptions {
  const password = read(passwordFile, 'the password for Kafka').replace(/\r?\n$/, '');
  return { mechanism, username, password };
}

function tlsOf({ caFile, certFile, keyFile, servername }: KafkaTls): ConnectionOptions {
  return {
    ...(caFile !== undefined && { ca: read(caFile, 'the authority of Kafka') }),
    ...(certFile !== undefined && { cert: read(certFile, 'the certificate for Kafka') }),
    ...(keyFile !== undefined && { key: read(keyFile, 'the key for Kafka') }),
    ...(servername !== undefined && { servername }),
  };
}

function read(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(78, `cannot read ${what}: ${reason}`, { cause: error });
  }
}
