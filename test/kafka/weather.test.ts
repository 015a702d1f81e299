import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeKafka } from '../support/kafka/cluster.ts';
import { type Kafka, startKafka } from '../support/kafka/kafka.ts';
import { endure, expectAllSafe, openFleet, sentences, toldWhy } from '../support/outage.ts';
import { PushingDevice } from '../support/pushing-device.ts';
import { RawClient } from '../support/raw-client.ts';
import { WatchedGateway } from '../support/watched-gateway.ts';
import { WatchingDashboard } from '../support/watching-dashboard.ts';

const AWAY_MS = 3000;
const TRY_AGAIN_MS = 200;
const BACK_MS_MAX = 15_000;
/** Sentences about one outage: open mode, why, why else, perhaps why once more, and that it is over. */
const SENTENCES_MAX = 5;

/** A device that comes too early is told to come back. */
async function isSentAway(url: string): Promise<void> {
  const early = await RawClient.open(url, 'tidegate.v1.cbor', { Authorization: 'Bearer early' });
  early.say({ k: 'hello', ch: [[1, 1, 1]] });
  expect(await early.until('away')).toMatchObject({ e: 4203 });
  expect(await early.closed).toMatchObject({ code: 4203 });
}

/** The operator is told about the outage, and not how often it was tried. */
function expectFewSentences(gateway: WatchedGateway): void {
  const told = sentences(gateway);
  expect(told.filter((sentence) => sentence === 'the log takes records again')).toHaveLength(1);
  expect(told.filter((sentence) => sentence.startsWith('kafkajs'))).toEqual([]);
  expect(told.length, told.join('\n')).toBeLessThanOrEqual(SENTENCES_MAX);
}

describeKafka('a broker of its own', () => {
  let kafka: Kafka;

  beforeAll(async () => {
    kafka = await startKafka();
  });

  afterAll(() => kafka.stop());

  test('away at the start: devices come back later, and the gateway gets ready by itself', async () => {
    await kafka.broker(1).kill();
    const gateway = await WatchedGateway.start(kafka.bootstrap, 'away', '--shards', '4');
    const reason = expect.stringMatching(/^Kafka at .* cannot be used yet: nothing listens at /);
    await expect
      .poll(() => gateway.readiness(), { timeout: 8000 })
      .toEqual({
        status: 503,
        ready: false,
        log: { kind: 'kafka', state: 'stalled' },
        rung: 0,
        reasons: [reason],
      });
    expect((await fetch(`${gateway.http}/healthz`)).status).toBe(200);
    expect(await (await fetch(gateway.http)).text()).toContain('<!doctype html>');
    for (const end = performance.now() + AWAY_MS; performance.now() < end; ) {
      await isSentAway(gateway.ws);
      await sleep(TRY_AGAIN_MS);
    }
    expect(sentences(gateway)).toEqual([reason]);

    await kafka.broker(1).start();
    await gateway.ready();
    expect(await gateway.readiness()).toMatchObject({ status: 200, reasons: [] });
    const device = await PushingDevice.open(gateway.ws, { device: 'late', everyMs: 50 });
    await device.until(() => device.acked > 3);
    await device.finish();
    expectFewSentences(gateway);
    expect((await gateway.stop()).code).toBe(0);
  });

  test('lost while running: sessions stay, without credit and in flat memory; then all flows', async () => {
    const gateway = await WatchedGateway.start(kafka.bootstrap, 'lost', '--shards', '4');
    const idle = await WatchedGateway.start(kafka.bootstrap, 'idle', '--shards', '2');
    await Promise.all([gateway.ready(), idle.ready()]);
    const fleet = await openFleet(gateway.ws);
    const dashboard = await WatchingDashboard.open(gateway.ws, 'steady/#');
    const { steady } = fleet;

    await kafka.broker(1).kill();
    await Promise.all([toldWhy(fleet), gateway.answersReady(503)]);
    const { reasons } = await gateway.readiness();
    expect(reasons).toEqual([expect.stringMatching(/^Kafka does not confirm lost\.\w+: /)]);
    await Promise.all([endure(gateway, fleet, AWAY_MS), idle.answersReady(503)]);
    const { acked } = steady;

    await kafka.broker(1).start();
    const begun = performance.now();
    await steady.until(() => steady.acked > acked);
    const flowsMs = performance.now() - begun;
    await expectAllSafe(gateway, fleet);
    await Promise.all([gateway.answersReady(200), idle.answersReady(200)]);
    expect(flowsMs).toBeLessThan(BACK_MS_MAX);
    await expect.poll(() => dashboard.readings('steady/temp')).toBe(steady.acked);
    expect(dashboard).toMatchObject({ resets: 1, closedWith: null });
    expectFewSentences(gateway);
    await Promise.all([gateway.stop(), idle.stop()]);
  });
});
