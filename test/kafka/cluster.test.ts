import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeKafka } from '../support/kafka/cluster.ts';
import { type Kafka, startKafka } from '../support/kafka/kafka.ts';
import {
  endure,
  expectAllSafe,
  type OutageFleet,
  openFleet,
  sentences,
  toldWhy,
} from '../support/outage.ts';
import { WatchedGateway } from '../support/watched-gateway.ts';

const AWAY_MS = 5000;
/** A pause worth the name: what is slower than any append. */
const PAUSE_MS = 1000;
/** A new leader takes Kafka 3 s here, or twice that if the dead broker led the controllers too. */
const PAUSE_MS_MAX = 20_000;
/** Besides, an append is given up after 3 s, and a reader that gets nothing after 12 s. */
const HANG_MS_MAX = 40_000;
const SENTENCES_MAX = 20;
const TIMEOUT_MS = 150_000;

/** How long acks stayed away after this was done to a broker. Units: ms. */
async function pauseAfter({ steady }: OutageFleet, harm: () => Promise<void>): Promise<number> {
  steady.longestPauseMs = 0;
  await harm();
  const { sent } = steady;
  await steady.until(() => steady.acked > sent && steady.longestPauseMs > PAUSE_MS);
  return Math.round(steady.longestPauseMs);
}

/** Two of three die, and come back after a while. Resolves with what was seen. */
async function loseQuorum(kafka: Kafka, gateway: WatchedGateway, fleet: OutageFleet) {
  const { steady } = fleet;
  await kafka.broker(2).kill();
  await Promise.all([toldWhy(fleet), gateway.answersReady(503)]);
  const { reasons } = await gateway.readiness();
  expect(reasons).toEqual([expect.stringMatching(/^Kafka does not confirm cluster\.\w+: /)]);
  const figures = await endure(gateway, fleet, AWAY_MS);
  const { acked } = steady;
  await Promise.all([kafka.broker(1).start(), kafka.broker(2).start()]);
  const begun = performance.now();
  await steady.until(() => steady.acked > acked);
  return { ...figures, flowsMs: Math.round(performance.now() - begun) };
}

/**
 * Three brokers are much for two cores, so it runs on demand and prints what it saw:
 * `CLUSTER=1 npx vitest run --project kafka test/kafka/cluster.test.ts`.
 */
describeKafka('three brokers', () => {
  let kafka: Kafka;

  beforeAll(async () => {
    kafka = await startKafka({ brokers: 3 });
  });

  afterAll(() => kafka.stop());

  /** A gateway whose topic asks for one more replica than there is now. */
  async function startStrict(): Promise<WatchedGateway> {
    const strict = await WatchedGateway.start(kafka.bootstrap, 'strict', '--shards', '2');
    const says =
      /^topic strict\.readings has 2 replicas in sync, but its min\.insync\.replicas is 3/;
    const told = expect.stringMatching(says);
    await expect.poll(() => sentences(strict), { timeout: 8000 }).toContainEqual(told);
    expect(await strict.readiness()).toMatchObject({ status: 503, log: { state: 'stalled' } });
    return strict;
  }

  test('one may die or hang, and after two dead all waits for them', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const topic = ['--topic', 'strict.readings', '--config', 'min.insync.replicas=3'];
    await kafka.tool('kafka-topics', '--create', ...topic, '--partitions', '2');
    const gateway = await WatchedGateway.start(kafka.bootstrap, 'cluster');
    await gateway.ready();
    const fleet = await openFleet(gateway.ws);
    expect(fleet.devices.map(({ dur }) => dur)).toEqual(fleet.devices.map(() => 2));
    const before = await gateway.residentMb();

    const oneDeadMs = await pauseAfter(fleet, () => kafka.broker(1).kill());
    await gateway.answersReady(200);
    const strict = await startStrict();
    const { flowsMs, mostMemory, visits } = await loseQuorum(kafka, gateway, fleet);
    await Promise.all([gateway.answersReady(200), strict.ready()]);
    const oneHangsMs = await pauseAfter(fleet, async () => kafka.broker(3).signal('SIGSTOP'));
    kafka.broker(3).signal('SIGCONT');
    await expectAllSafe(gateway, fleet);

    const after = await gateway.residentMb();
    console.info({ oneDeadMs, flowsMs, oneHangsMs, before, mostMemory, after, visits });
    console.info([...sentences(gateway), '', ...sentences(strict)].join('\n'));
    expect(Math.max(oneDeadMs, flowsMs)).toBeLessThan(PAUSE_MS_MAX);
    expect(oneHangsMs).toBeLessThan(HANG_MS_MAX);
    expect(sentences(gateway).length).toBeLessThanOrEqual(SENTENCES_MAX);
    await Promise.all([gateway.stop(), strict.stop()]);
  });
});
