import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { LogItem } from '../../src/consumer/log-item.ts';
import { checkEmitted, checkJournal } from '../support/check-journal.ts';
import { describeKafka } from '../support/kafka/cluster.ts';
import { type Kafka, startKafka } from '../support/kafka/kafka.ts';
import { emittedOf, type LiveReader, readLive } from '../support/kafka/live-reader.ts';
import { killedReplay } from '../support/killed-replay.ts';
import { describePython, framesOf, readWithPython } from '../support/python.ts';
import { type LogLine, tailed } from '../support/read-log.ts';
import { everythingFinal, expectBruteForce, type ShardResult } from '../support/replay.ts';

const KILLS = Number(process.env['KILLS'] ?? 2);
const BROKER_KILLS = Number(process.env['BROKER_KILLS'] ?? 1);
/** The longer recording takes about 18 s at this speed. */
const SPEEDUP = Number(process.env['REPLAY_SPEEDUP'] ?? 1_500_000);
const BROKER_AWAY_MS = Number(process.env['BROKER_AWAY_MS'] ?? 5000);
const BETWEEN_MS = 2000;
const TIMEOUT_MS = 180_000;
const PREFIX = 'kill';

/** kill -9, and back after a while on the same data and ports. */
async function killBroker(kafka: Kafka): Promise<void> {
  for (let kill = 0; kill < BROKER_KILLS; kill += 1) {
    await sleep(BETWEEN_MS * Math.random());
    await kafka.broker(1).kill();
    await sleep(BROKER_AWAY_MS);
    await kafka.broker(1).start();
  }
}

/** A broker of its own: that of the other tests must not die. */
async function withOwnKafka(step: (kafka: Kafka) => Promise<void>): Promise<void> {
  const kafka = await startKafka();
  try {
    await step(kafka);
  } finally {
    await kafka.stop();
  }
}

/** Results of each shard, numbered anew: copies between them were left out. */
function renumbered(results: readonly ShardResult[]): ShardResult[] {
  const counts = new Map<number, number>();
  return results.map((result) => {
    const offset = counts.get(result.shard) ?? 0;
    counts.set(result.shard, offset + 1);
    return { ...result, offset };
  });
}

const resultsOf = (items: readonly LogItem[]): ShardResult[] =>
  items.flatMap((item) =>
    item.kind === 'result' ? [{ shard: item.shard, offset: item.offset, ...item.result }] : [],
  );

async function killEverything(kafka: Kafka): Promise<void> {
  const brokers = kafka.bootstrap;
  const flags = ['--kafka-brokers', brokers.join(','), '--kafka-prefix', PREFIX];
  const log = ['--log', 'kafka', ...flags];
  const live: LiveReader[] = [];
  const { gateway, journal, framesAcked } = await killedReplay({
    log,
    speedup: SPEEDUP,
    kills: KILLS,
    started: async () => void live.push(await readLive(brokers, PREFIX)),
    worse: () => killBroker(kafka),
  });
  await everythingFinal(log);
  const items = await itemsOf(live);
  const rows = await readWithPython(brokers, PREFIX);
  const lines = await tailed<LogLine>(log, 'readings', '--all');
  const results = await tailed<ShardResult>(log, 'aggregates');
  await gateway.stop();

  expect(framesAcked).toBeGreaterThan(100);
  const good = { acked: framesAcked, missing: [], wrong: [] };
  expect(checkEmitted(journal, emittedOf(items))).toEqual(good);
  expect(checkEmitted(journal, framesOf(rows))).toEqual(good);
  expect(checkJournal(journal, lines)).toEqual(good);
  expectBruteForce(lines, renumbered(results));
  expectBruteForce(lines, renumbered(resultsOf(items)));
}

async function itemsOf([reader]: readonly LiveReader[]): Promise<readonly LogItem[]> {
  await reader?.finish();
  return reader?.items ?? [];
}

describeKafka('over a broker of its own', () => {
  describePython('the reader in Python, and the consumer library while it happens,', () => {
    test(
      'give out everything acknowledged, once and in order, whatever kill -9 ends',
      { timeout: TIMEOUT_MS },
      () => withOwnKafka(killEverything),
    );
  });
});
