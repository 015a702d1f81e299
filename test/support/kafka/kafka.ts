// A real Apache Kafka for tests: KRaft, no Docker, only a Java 17 runtime and Maven. See README.md.
//
//   const kafka = await startKafka({ brokers: 3 })
//   await kafka.broker(2).kill()          // kill -9
//   await kafka.broker(2).start()         // same data directory, same ports
//   await kafka.stop()

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POM = join(import.meta.dirname, 'pom.xml');
const VERSION =
  /<kafka\.version>(.*)<\/kafka\.version>/.exec(readFileSync(POM, 'utf8'))?.[1] ?? 'unknown';
const CACHE = join(
  process.env['KAFKA_CACHE'] ??
    join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kafka-for-tests'),
  VERSION,
);
const CLASSPATH = join(CACHE, 'classpath.txt');
const ARCHIVE = join(CACHE, 'classes.jsa');
const CLUSTER_ID = 'dGlkZWdhdGUtdGVzdHMtMQ'; // any 16 bytes in base64
const STARTED = 'Kafka Server started';

/** C1 and a class archive more than halve the start. Benchmarks set KAFKA_JAVA_OPTS to let C2 in. */
const JAVA_OPTS = process.env['KAFKA_JAVA_OPTS']?.split(' ') ?? [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
];
const LOG_OPTS = [
  `-Dorg.slf4j.simpleLogger.defaultLogLevel=${process.env['KAFKA_LOG_LEVEL'] ?? 'warn'}`,
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
];

const TOOLS = {
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'kafka-dump-log': 'org.apache.kafka.tools.DumpLogSegments',
  'kafka-storage': 'kafka.tools.StorageTool',
};
export type Tool = keyof typeof TOOLS;

export type KafkaOptions = {
  /** Combined brokers and controllers: 1 or 3 (a quorum survives the loss of one). */
  brokers?: 1 | 3;
  /** Data, logs and ports. Kept by stop() if given, else a temporary directory that stop() removes. */
  dir?: string;
  /** Broker properties over the defaults below. */
  config?: Record<string, string>;
};

type Ports = { client: number; internal: number; controller: number };

export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'kafka-')));
  mkdirSync(dir, { recursive: true });
  const kafka = new Kafka(
    dir,
    options.dir === undefined,
    await portsOf(dir, options.brokers ?? 1),
    options.config ?? {},
  );
  await kafka.start();
  return kafka;
}

export class Kafka {
  readonly brokers: Broker[];
  readonly #dir: string;
  readonly #temporary: boolean;

  constructor(dir: string, temporary: boolean, ports: Ports[], config: Record<string, string>) {
    this.#dir = dir;
    this.#temporary = temporary;
    this.brokers = ports.map((_, i) => new Broker(i + 1, dir, ports, config));
  }

  get bootstrap(): string[] {
    return this.brokers.map((b) => b.address);
  }

  broker(id: number): Broker {
    const broker = this.brokers[id - 1];
    if (!broker) throw new Error(`there is no broker ${id}`);
    return broker;
  }

  async start(): Promise<void> {
    await prepare(this.brokers.length);
    await Promise.all(this.brokers.map((b) => b.start()));
  }

  /** A temporary cluster is killed: the last of three would wait 5 s for a quorum that is gone. */
  async stop(): Promise<void> {
    await Promise.all(this.brokers.map((b) => (this.#temporary ? b.kill() : b.stop())));
    if (this.#temporary) rmSync(this.#dir, { recursive: true, force: true });
  }

  /** One of Kafka's own command line tools; resolves to what it printed. */
  async tool(name: Tool, ...args: string[]): Promise<string> {
    const address =
      name === 'kafka-dump-log' ? [] : ['--bootstrap-server', this.bootstrap.join(',')];
    return (await run('java', toolArgs(name, [...address, ...args]), { maxBuffer: 1 << 28 }))
      .stdout;
  }
}

export class Broker {
  readonly id: number;
  readonly address: string;
  readonly dir: string;
  readonly log: string;
  readonly #properties: string;
  #process: ChildProcess | undefined;

  constructor(id: number, dir: string, ports: Ports[], config: Record<string, string>) {
    const own = ports[id - 1];
    if (!own) throw new Error(`no ports for broker ${id}`);
    this.id = id;
    this.address = `127.0.0.1:${own.client}`;
    this.dir = join(dir, `broker-${id}`);
    this.log = join(dir, `broker-${id}.log`);
    this.#properties = join(dir, `broker-${id}.properties`);
    writeFileSync(this.#properties, lines(properties(id, ports, this.dir, config)));
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts on the same data and ports as before and resolves when the broker serves. */
  async start(): Promise<void> {
    if (this.#process) return;
    if (!existsSync(this.dir)) cpSync(formatted(this.id), this.dir, { recursive: true });
    const log = openSync(this.log, 'w');
    const child = spawnTied(
      'java',
      brokerArgs(this.#properties, [`-XX:SharedArchiveFile=${ARCHIVE}`]),
      log,
    );
    closeSync(log);
    this.#process = child;
    child.once('exit', () => (this.#process = undefined));
    await started(child, this.log);
  }

  /** A controlled shutdown. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** kill -9. What the broker had not flushed survives in the page cache: a process crash, not a power cut. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGSTOP and SIGCONT: a broker that hangs while its sockets stay open. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child) return;
    const exit = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exit;
  }
}

function properties(
  id: number,
  ports: Ports[],
  dir: string,
  config: Record<string, string>,
): Record<string, string> {
  const own = ports[id - 1] as Ports;
  const replicas = String(ports.length);
  const minIsr = String(Math.min(2, ports.length));
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': ports.map((p, i) => `${i + 1}@127.0.0.1:${p.controller}`).join(','),
    // Named by purpose: a test of SASL or TLS changes the map's CLIENT entry and nothing else.
    listeners: `CLIENT://127.0.0.1:${own.client},INTERNAL://127.0.0.1:${own.internal},CONTROLLER://127.0.0.1:${own.controller}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${own.client},INTERNAL://127.0.0.1:${own.internal}`,
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'INTERNAL',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': dir,
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': minIsr,
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': minIsr,
    'share.coordinator.state.topic.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': minIsr,
    // Records of tests are older than the default of a week, and would go while a test reads them.
    'log.retention.ms': '-1',
    'log.cleaner.dedupe.buffer.size': '4194304', // default 128 MiB of heap
    // A killed broker is replaced as leader after this time, and may itself come back only then.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    ...config,
  };
}

/** Once per machine: resolve the jars, format one storage per broker, record the class archive. */
async function prepare(brokers: number): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  if (
    !existsSync(CLASSPATH) ||
    classpath()
      .split(':')
      .some((jar) => !existsSync(jar))
  ) {
    const out = `${CLASSPATH}.${process.pid}`;
    await run('mvn', [
      '-B',
      '-q',
      '-f',
      POM,
      'dependency:build-classpath',
      `-Dmdep.outputFile=${out}`,
    ]);
    renameSync(out, CLASSPATH);
    rmSync(ARCHIVE, { force: true });
  }
  for (let id = 1; id <= brokers; id++) if (!existsSync(formatted(id))) await format(id, brokers);
  if (!existsSync(ARCHIVE)) await recordClasses();
}

const classpath = () => readFileSync(CLASSPATH, 'utf8').trim();
const formatted = (id: number) => join(CACHE, `formatted-${id}`);

/** What `format` writes names neither ports nor paths, so a copy of it serves any cluster. */
async function format(id: number, brokers: number): Promise<void> {
  const scratch = await mkdtemp(join(CACHE, 'format-'));
  const file = join(scratch, 'properties');
  const voters = Array.from({ length: brokers }, (_, i) => ({
    client: 1,
    internal: 2,
    controller: i + 3,
  }));
  writeFileSync(file, lines(properties(id, voters, join(scratch, 'data'), {})));
  await run(
    'java',
    toolArgs('kafka-storage', ['format', '--cluster-id', CLUSTER_ID, '--config', file]),
  );
  if (!existsSync(formatted(id))) renameSync(join(scratch, 'data'), formatted(id));
  rmSync(scratch, { recursive: true, force: true });
}

/** A first run of a throw-away broker, whose loaded classes the JVM dumps when it exits. */
async function recordClasses(): Promise<void> {
  const scratch = await mkdtemp(join(CACHE, 'record-'));
  const file = join(scratch, 'properties');
  writeFileSync(file, lines(properties(1, await portsOf(scratch, 1), join(scratch, 'data'), {})));
  cpSync(formatted(1), join(scratch, 'data'), { recursive: true });
  const log = join(scratch, 'log');
  const archive = join(scratch, 'classes.jsa');
  const child = spawnTied(
    'java',
    brokerArgs(file, [`-XX:ArchiveClassesAtExit=${archive}`]),
    openSync(log, 'w'),
  );
  const exit = new Promise((resolve) => child.once('exit', resolve));
  await started(child, log);
  child.kill();
  await exit;
  if (existsSync(archive)) renameSync(archive, ARCHIVE);
  rmSync(scratch, { recursive: true, force: true });
}

function brokerArgs(file: string, options: string[]): string[] {
  return [...JAVA_OPTS, ...options, ...LOG_OPTS, '-cp', classpath(), 'kafka.Kafka', file];
}

function toolArgs(name: Tool, args: string[]): string[] {
  const options = [
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
  ];
  return [...options, '-cp', classpath(), TOOLS[name], ...args];
}

/** A child that dies with us, even by kill -9 (with Linux's setpriv; elsewhere only at our exit). */
function spawnTied(command: string, args: string[], log: number): ChildProcess {
  const tie =
    spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0
      ? ['setpriv', '--pdeathsig', 'KILL']
      : [];
  const [program = command, ...rest] = [...tie, command, ...args];
  const child = spawn(program, rest, { stdio: ['ignore', log, log] });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.removeListener('exit', end));
  return child;
}

async function started(child: ChildProcess, log: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(25)) {
    if (readFileSync(log, 'utf8').includes(STARTED)) return;
    if (child.exitCode !== null || child.signalCode !== null) break;
  }
  child.kill('SIGKILL');
  throw new Error(
    `Kafka did not start; the end of its log:\n${readFileSync(log, 'utf8').slice(-2000)}`,
  );
}

async function portsOf(dir: string, brokers: number): Promise<Ports[]> {
  const file = join(dir, 'ports.json');
  if (!existsSync(file)) {
    const ports: Ports[] = [];
    for (let i = 0; i < brokers; i++)
      ports.push({
        client: await freePort(),
        internal: await freePort(),
        controller: await freePort(),
      });
    writeFileSync(file, JSON.stringify(ports));
  }
  const ports = JSON.parse(readFileSync(file, 'utf8')) as Ports[];
  if (ports.length !== brokers)
    throw new Error(`${dir} holds a cluster of ${ports.length} brokers`);
  return ports;
}

/**
 * Below the ephemeral ports. Among them a client that keeps dialling a stopped broker will in time
 * connect to itself, and so take the port that the broker needs to come back.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

function lines(properties: Record<string, string>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

// Command line: see README.md.
if (import.meta.main) {
  const [command, ...args] = process.argv.slice(2);
  if (command === 'up') await up(args);
  else if (command !== undefined && command in TOOLS) {
    await prepare(1);
    process.exitCode =
      spawnSync('java', toolArgs(command as Tool, args), { stdio: 'inherit' }).status ?? 1;
  } else {
    console.error(
      `usage: kafka.ts up [--brokers 1|3] [--dir DIR] [KEY=VALUE …]\n       kafka.ts TOOL …   (${Object.keys(TOOLS).join(', ')})`,
    );
    process.exitCode = 64;
  }
}

/** Runs until SIGINT, SIGTERM or `quit`; a line `kill 2`, `stop 2`, `start 2` on stdin does that. */
async function up(args: string[]): Promise<void> {
  const { parseArgs } = await import('node:util');
  const { createInterface } = await import('node:readline');
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { brokers: { type: 'string', default: '1' }, dir: { type: 'string' } },
  });
  const config = Object.fromEntries(positionals.map((p) => p.split(/=(.*)/s).slice(0, 2)));
  const kafka = await startKafka({
    brokers: values.brokers === '3' ? 3 : 1,
    config,
    ...(values.dir && { dir: values.dir }),
  });
  const show = () =>
    console.log(
      `bootstrap ${kafka.bootstrap.join(',')} pids ${kafka.brokers.map((b) => b.pid ?? '-').join(',')}`,
    );
  const quit = () => void kafka.stop().then(() => process.exit());
  process.once('SIGINT', quit).once('SIGTERM', quit);
  show();
  createInterface({ input: process.stdin }).on('line', async (line) => {
    const [verb, id] = line.trim().split(/\s+/);
    if (verb === 'quit') quit();
    else if (verb === 'kill' || verb === 'stop' || verb === 'start')
      await kafka.broker(Number(id))[verb]().then(show, console.error);
  });
}
