import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeKafka } from '../support/kafka/cluster.ts';
import { type Kafka, startKafka } from '../support/kafka/kafka.ts';
import { endure, expectAllSafe, openFleet, sentences, toldWhy } from '../support/outage.ts';
import { WatchedGateway } from '../support/watched-gateway.ts';

const AWAY_MS = 5000;
/** A new leader takes Kafka 3 s here, or twice that if the dead broker led the controllers too. */
const PAUSE_MS_MAX = 20_000;
const BACK_MS_MAX = 20_000;
const SENTENCES_MAX = 20;
const TIMEOUT_MS = 120_000;

describeKafka('three brokers', () => {
  let kafka: Kafka;

  beforeAll(async () => {
    kafka = await startKafka({ brokers: 3 });
  });

  afterAll(() => kafka.stop());

  test('one may die, and after two everything waits for them', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const strict = ['--topic', 'strict.readings', '--config', 'min.insync.replicas=3'];
    await kafka.tool('kafka-topics', '--create', ...strict, '--partitions', '2');
    const gateway = await WatchedGateway.start(kafka.bootstrap, 'cluster');
    await gateway.ready();
    const fleet = await openFleet(gateway.ws);
    const { steady, devices } = fleet;
    expect(new Set(devices.map(({ dur }) => dur))).toEqual(new Set([2]));
    const before = await gateway.residentMb();

    steady.longestPauseMs = 0;
    await kafka.broker(1).kill();
    const { sent } = steady;
    await steady.until(() => steady.acked > sent && steady.longestPauseMs > 1000);
    const oneDeadMs = steady.longestPauseMs;
    await gateway.answersReady(200);

    const waiting = await WatchedGateway.start(kafka.bootstrap, 'strict', '--shards', '2');
    const shortage =
      /^topic strict\.readings has 2 replicas in sync, but its min\.insync\.replicas is 3/;
    await expect
      .poll(() => sentences(waiting), { timeout: 8000 })
      .toContainEqual(expect.stringMatching(shortage));
    expect(await waiting.readiness()).toMatchObject({ status: 503, log: { state: 'stalled' } });

    await kafka.broker(2).kill();
    await Promise.all([toldWhy(fleet), gateway.answersReady(503)]);
    const { reasons } = await gateway.readiness();
    expect(reasons).toEqual([expect.stringMatching(/^Kafka does not confirm cluster\.\w+: /)]);
    const figures = await endure(gateway, fleet, AWAY_MS);
    const { acked } = steady;

    await Promise.all([kafka.broker(1).start(), kafka.broker(2).start()]);
    const begun = performance.now();
    await steady.until(() => steady.acked > acked);
    const flowsMs = performance.now() - begun;
    await expectAllSafe(gateway, fleet);
    await Promise.all([gateway.answersReady(200), waiting.ready()]);
    const after = await gateway.residentMb();
    console.info({ oneDeadMs, flowsMs, before, after, ...figures });
    console.info(sentences(gateway).join('\n'));
    console.info(sentences(waiting).join('\n'));
    expect(oneDeadMs).toBeLessThan(PAUSE_MS_MAX);
    expect(flowsMs).toBeLessThan(BACK_MS_MAX);
    expect(sentences(gateway).length).toBeLessThanOrEqual(SENTENCES_MAX);
    await Promise.all([gateway.stop(), waiting.stop()]);
  });
});
