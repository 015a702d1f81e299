import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { freePort, startKafka } from './kafka.ts';

const run = promisify(execFile);
const DOCKER_IMAGE = 'apache/kafka:4.3.1';
const JAVA_LEAST = 17;
const START_ATTEMPTS_MS = 60_000;

/** A Kafka that tests may use, and how to end it. */
interface Running {
  readonly brokers: readonly string[];
  stop(): Promise<void>;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Empty if no Kafka is to be had: then the tests that need one are skipped. */
    kafkaBrokers: readonly string[];
  }
}

/** Shared by all projects of a run, whose modules are loaded once per project. */
interface Shared {
  running: Promise<Running> | null;
  users: number;
}

const SHARED = Symbol.for('tidegate.test.kafka');
const host = globalThis as { [SHARED]?: Shared };

/**
 * Global setup of the projects that need a real Kafka: one broker per test run, started when the
 * first of them begins and stopped when the last one has ended. It uses `KAFKA_BROKERS`, else
 * Apache's artefacts from Maven Central with the machine's Java, else Docker. Without any of them
 * the tests are skipped, loudly; where `CI=true` that is a failure.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  host[SHARED] ??= { running: null, users: 0 };
  const shared = host[SHARED];
  shared.users += 1;
  shared.running ??= startAny();
  const { brokers } = await shared.running;
  project.provide('kafkaBrokers', brokers);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    const running = await shared.running;
    shared.running = null;
    await running?.stop();
  };
}

async function startAny(): Promise<Running> {
  const given = process.env['KAFKA_BROKERS'];
  if (given) return { brokers: given.split(','), stop: () => Promise.resolve() };
  const reasons: string[] = [];
  for (const start of [startFromMaven, startInDocker]) {
    try {
      return await start();
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  const sentence = `no Kafka for the tests: ${reasons.join('; ')}`;
  if (process.env['CI'] === 'true') throw new Error(sentence);
  process.stderr.write(`\n!!! ${sentence}\n!!! THE KAFKA TESTS DO NOT RUN\n\n`);
  return { brokers: [], stop: () => Promise.resolve() };
}

async function startFromMaven(): Promise<Running> {
  const { stderr } = await run('java', ['-version']);
  const version = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
  if (version < JAVA_LEAST) throw new Error(`Java ${JAVA_LEAST} is needed, this is ${version}`);
  const kafka = await startKafka();
  return { brokers: kafka.bootstrap, stop: () => kafka.stop() };
}

async function startInDocker(): Promise<Running> {
  const port = await freePort();
  const settings = {
    KAFKA_NODE_ID: '1',
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
    KAFKA_LISTENERS: 'CLIENT://:9092,CONTROLLER://:9093',
    KAFKA_ADVERTISED_LISTENERS: `CLIENT://127.0.0.1:${port}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_INTER_BROKER_LISTENER_NAME: 'CLIENT',
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '1',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
  };
  const env = Object.entries(settings).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const publish = ['-p', `127.0.0.1:${port}:9092`];
  const { stdout } = await run('docker', ['run', '-d', '--rm', ...publish, ...env, DOCKER_IMAGE]);
  const id = stdout.trim();
  const stop = async (): Promise<void> => {
    await run('docker', ['kill', id]);
  };
  try {
    await untilStarted(id);
  } catch (error) {
    await stop();
    throw error;
  }
  return { brokers: [`127.0.0.1:${port}`], stop };
}

async function untilStarted(id: string): Promise<void> {
  for (const end = Date.now() + START_ATTEMPTS_MS; Date.now() < end; ) {
    const { stdout } = await run('docker', ['logs', id]);
    if (stdout.includes('Kafka Server started')) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the container ${id} did not start Kafka`);
}
