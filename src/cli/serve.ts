import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Access, openAccess, TokenAccess } from '../adapters/auth/access.ts';
import { Driver } from '../adapters/host/driver.ts';
import { createHttp, type Readiness } from '../adapters/host/http.ts';
import { LogTeller } from '../adapters/host/log-teller.ts';
import { createLogger, type Logger } from '../adapters/host/logger.ts';
import { createMetrics } from '../adapters/host/metrics.ts';
import { RefusalTeller } from '../adapters/host/refusal-teller.ts';
import { createStats } from '../adapters/host/stats.ts';
import { WsServer } from '../adapters/in/ws-server.ts';
import { openFileLog } from '../adapters/log/file-log.ts';
import type { LogFiles } from '../adapters/log/files.ts';
import { openKafkaLog } from '../adapters/log/kafka-log.ts';
import { MemoryLog } from '../adapters/log/memory-log.ts';
import { realFiles } from '../adapters/log/real-files.ts';
import type { ShardLog } from '../adapters/log/shard-log.ts';
import { StartError } from '../adapters/log/start-error.ts';
import type { Config } from '../config/config.ts';
import { kafkaAccess } from '../config/kafka-access.ts';
import type { Broken } from '../delivery/owned-log-port.ts';
import type { Quota } from '../ingest/credit.ts';
import { FILE_LINGER_MS, KAFKA_LINGER_MS } from '../model/limits.ts';
import { LOG } from '../model/record.ts';
import { configOf, SERVE_OPTIONS } from './config-options.ts';
import { figures } from './figures.ts';
import { printHelp } from './help.ts';
import { ledgerOf } from './ledger.ts';
import { parseOptions } from './options.ts';
import { isSecretOpen } from './secret-mode.ts';
import { SERVE_HELP } from './serve-help.ts';
import { obeySignals } from './signals.ts';
import { versionOf } from './version.ts';

/** A client that dawdles over its request line or headers is cut off. Units: ms. */
const HEADERS_TIMEOUT_MS = 5000;
/**
 * Connections that may wait to be taken; the kernel allows no more than net.core.somaxconn. Node
 * takes one in each turn of its event loop. With its default of 511 a crowd that comes while the log
 * is being read finds the queue full, and TCP tries again after 1, 3, 7 and 15 s only.
 */
const BACKLOG = 4096;
/** How long a stop waits for the log, once everybody has left. Units: ms. */
const LEAVE_MS_MAX = 10_000;
/** Another gateway owns the log. */
const EXIT_DEPOSED = 75;
/** The disk refused a sync or the log is not whole: EX_IOERR. */
const EXIT_LOG_FAILED = 74;

/**
 * `tidegate serve`: runs the gateway until it is told to stop. Returns the exit code. A benchmark
 * puts a slow disk under the file log by `files`.
 */
export async function serve(argv: readonly string[], files = realFiles): Promise<number> {
  const options = parseOptions(argv, SERVE_OPTIONS);
  if (options.help) return printHelp(SERVE_HELP);
  const config = configOf(options);
  const logger = createLogger(config.logLevel);
  if (isSecretOpen(config)) {
    logger.warn(
      'every user of this machine may read the secret of auth.hs256.secretFile: chmod 600',
    );
  }
  const log = await openLog(config, logger, files);
  const node = new Node(config, logger, log);
  try {
    return await node.run();
  } finally {
    await log.close();
    node.tellStopped();
  }
}

function openLog(config: Config, logger: Logger, files: LogFiles): Promise<ShardLog> {
  if (config.log === 'memory') return Promise.resolve(new MemoryLog(config.shards));
  const warn = (sentence: string): void => logger.warn(sentence);
  if (config.log === 'kafka') {
    const { shards, node, kafkaCompression: compression } = config;
    const access = kafkaAccess(config);
    const debug = (sentence: string): void => logger.debug(sentence);
    return Promise.resolve(openKafkaLog({ ...access, compression, shards, node, warn, debug }));
  }
  return openFileLog({ directory: config.data, shards: config.shards, warn, files });
}

const quotaOf = ({ quotaRateBytes, quotaBurstBytes }: Config): Quota | undefined =>
  quotaRateBytes === null
    ? undefined
    : { bytesPerSecond: quotaRateBytes, burstBytes: quotaBurstBytes };

function accessOf({ auth }: Config): Access {
  if (auth === null) return openAccess();
  const wallMs = (): number => Date.now();
  return new TokenAccess({ secret: auth.secret, wallMs, monoMs: () => performance.now() });
}

/** One running gateway: its server, its driver, and how it ends. */
class Node {
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #log: ShardLog;
  readonly #access: Access;
  readonly #server: Server;
  readonly #sockets: WsServer;
  readonly #driver: Driver;
  #isOwner = false;
  /** A stop that somebody asked for: since when, and how many sessions there were. */
  #leaving: { readonly sinceMs: number; readonly sessions: number } | null = null;
  #end: (code: number) => void = () => undefined;

  constructor(config: Config, logger: Logger, log: ShardLog) {
    this.#config = config;
    this.#logger = logger;
    this.#log = log;
    this.#access = accessOf(config);
    this.#sockets = new WsServer({
      node: config.node,
      port: () => this.#port,
      access: this.#access,
      refusalOf: (path, isLocal) =>
        this.#driver.gateway.ingest.refusalOf(path, isLocal, this.#driver.now()),
      input: (input) => this.#driver.input(input),
    });
    this.#driver = new Driver({
      log,
      sockets: this.#sockets,
      node: config.node,
      shards: config.shards,
      budgetBytes: config.budgetBytes,
      sessions: config.sessions ?? undefined,
      quota: quotaOf(config),
      isOpen: this.#access.isOpen,
      lingerMs: log.kind === 'kafka' ? KAFKA_LINGER_MS : FILE_LINGER_MS,
      own: randomBytes(8),
      random: Math.random,
      sha256: (bytes) => createHash('sha256').update(bytes).digest(),
      onUnreachable: (reason) => this.#logger.warn({ reason }, 'the log cannot be read yet'),
      onOwned: () => this.#owned(),
      onBroken: (cause, reason) => this.#broken(cause, reason),
      onFault: ({ session, device, error }) => {
        const what = session === 0 ? 'a record is not aggregated' : 'a session was ended with 1011';
        this.#logger.error({ session, device, err: error }, `our bug: ${what}`);
      },
    });
    this.#server = createServer(this.#http());
    this.#server.headersTimeout = HEADERS_TIMEOUT_MS;
    this.#server.requestTimeout = HEADERS_TIMEOUT_MS;
    this.#sockets.attach(this.#server);
  }

  async run(): Promise<number> {
    await this.#listen();
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    const teller = new LogTeller(this.#logger);
    this.#log.onState = (state) => teller.turn(state);
    const refusals = new RefusalTeller(this.#logger, () => ({
      frames: this.#driver.gateway.ingest.ledger.rejectedBy,
      connections: this.#sockets.closes,
    }));
    refusals.start();
    this.#obeySignals();
    // A stop does not wait for a log that is long to read or out of reach.
    const code = await Promise.race([this.#driver.start().then(() => ended), ended]);
    this.#driver.stop();
    this.#sockets.terminate();
    this.#server.close();
    this.#server.closeAllConnections();
    refusals.stop();
    return code;
  }

  /** The last words of a stop that somebody asked for, once the log is closed. */
  tellStopped(): void {
    if (this.#leaving === null) return;
    const { sinceMs, sessions } = this.#leaving;
    const seconds = Math.round((performance.now() - sinceMs) / 100) / 10;
    const { ingest, isDrained } = this.#driver.gateway;
    const fields = { sessions, remaining: ingest.sessions, seconds };
    const isWhole = ingest.sessions === 0 && isDrained;
    const rest = isWhole ? 'the log has everything' : 'devices keep what was not acknowledged';
    this.#logger.info(fields, `stopped: ${rest}`);
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#config.listen.port;
  }

  #listen(): Promise<void> {
    const { host, port } = this.#config.listen;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) =>
        reject(cannotListen(error, `${host}:${port}`)),
      );
      this.#server.listen(port, host, BACKLOG, resolve);
    });
  }

  #obeySignals(): void {
    obeySignals((count, signal) => {
      if (count > 1) return this.#end(0);
      const { sessions } = this.#driver.gateway.ingest;
      this.#leaving = { sinceMs: performance.now(), sessions };
      this.#logger.info({ signal, sessions }, 'stopping: sessions are told to go, and served on');
      void this.#driver.leave(LEAVE_MS_MAX).then(() => this.#end(0));
    });
  }

  #owned(): void {
    this.#isOwner = true;
    const { log, listen, node } = this.#config;
    const host = `${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${this.#port}`;
    const where = placeOf(this.#config);
    process.stdout.write(`tidegate ready http://${host} ws://${host}/v1 log=${log}${where}\n`);
    const sentence = this.#access.isOpen
      ? 'open mode: whoever reaches this machine may send and read; loopback only'
      : 'devices and readers need tokens';
    this.#logger.info({ node, log, dur: this.#log.dur }, sentence);
    const { unreadable } = this.#driver.gateway.aggregation;
    if (unreadable === 0) return;
    const warning =
      'records whose definition is missing, or that do not decode, are not aggregated';
    this.#logger.warn({ unreadable }, warning);
  }

  #broken(cause: Broken, reason: string): void {
    this.#isOwner = false;
    const { state } = this.#log;
    const why = state.kind === 'failed' ? state.reason : reason;
    this.#logger.fatal({ cause }, `nothing is acknowledged any more, stopping: ${why}`);
    this.#end(cause === 'deposed' ? EXIT_DEPOSED : EXIT_LOG_FAILED);
  }

  #readiness(): Readiness {
    const { state, kind } = this.#log;
    const reasons: string[] = [];
    if (this.#leaving !== null) reasons.push('this node is going down');
    if (state.kind !== 'ok') reasons.push(state.reason);
    else if (!this.#isOwner) reasons.push('the log is being read');
    else if (this.#driver.gateway.delivery.isRecovering)
      reasons.push('the log was lost and is being read');
    else if (this.#driver.gateway.delivery.isHeldUp(LOG.readings))
      reasons.push('window results cannot be written: no more readings are taken until they are');
    const ready = reasons.length === 0;
    return {
      ready,
      log: { kind, state: state.kind },
      rung: this.#driver.gateway.ingest.rung,
      reasons,
    };
  }

  #http(): ReturnType<typeof createHttp> {
    const snapshot = () => ledgerOf(this.#driver, this.#access);
    const ready = () => this.#readiness();
    const metrics = createMetrics(snapshot);
    const stats = createStats({
      snapshot,
      ready,
      node: this.#config.node,
      version: versionOf(),
      dur: () => this.#log.dur,
      monoMs: () => performance.now(),
    });
    return createHttp({
      node: this.#config.node,
      port: () => this.#port,
      access: this.#access,
      ready,
      metrics: () => metrics.text(),
      api: () => figures(this.#config),
      stats,
      onFault: (error) => this.#logger.error({ error }, 'an HTTP answer could not be made'),
    });
  }
}

function cannotListen(error: NodeJS.ErrnoException, where: string): Error {
  if (error.code === 'EADDRINUSE') {
    const sentence = `${where} is in use by another process: stop it, or choose another --listen`;
    return new StartError(69, sentence);
  }
  return new StartError(78, `cannot listen on ${where}: ${error.message}`);
}

/** Where the log is, for the ready line. */
function placeOf({ log, data, kafkaBrokers, kafkaPrefix }: Config): string {
  if (log === 'memory') return '';
  return log === 'file'
    ? ` data=${data}`
    : ` brokers=${kafkaBrokers.join(',')} prefix=${kafkaPrefix}`;
}
