import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Kafka, logLevel } from 'kafkajs';
import { startKafka } from '../test/support/kafka/kafka.ts';
import { measure, median, type Run, say, spread, startBare, startGateway } from './peers.ts';

/**
 * What a 644-byte frame costs the gateway on Kafka, aggregating, next to the least that could do the
 * same: a ws server that looks at nothing, and bare kafkajs sends of the same bytes with the same
 * settings. Then the ack latency of both at light load. Interleaved; medians and spread.
 */
const isQuick = process.argv.includes('--quick');
const SECONDS = isQuick ? 3 : 10;
const REPETITIONS = isQuick ? 3 : 5;
const PARTITIONS = 24;
const FULL = { rows: 100, devices: 50, seconds: SECONDS } as const;
const LIGHT = { rows: 100, devices: 10, seconds: SECONDS, rate: 10 } as const;

async function createTopic(brokers: string[], topic: string): Promise<void> {
  const admin = new Kafka({ brokers, logLevel: logLevel.ERROR }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] });
  await admin.disconnect();
}

const given = process.env['KAFKA_BROKERS'];
const kafka = given ? null : await startKafka();
const brokers = given ? given.split(',') : [...(kafka?.bootstrap ?? [])];
const prefix = `bench-${randomBytes(4).toString('hex')}`;
await createTopic(brokers, `${prefix}-bare`);
const cluster = ['--log', 'kafka', '--kafka-brokers', brokers.join(','), '--kafka-prefix', prefix];
const gateway = await startGateway(...cluster, '--shards', String(PARTITIONS));
const bare = await startBare(
  'bare',
  'window',
  brokers.join(','),
  `${prefix}-bare`,
  String(PARTITIONS),
);
const runs: Record<'full' | 'light', [Run[], Run[]]> = { full: [[], []], light: [[], []] };

for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
  for (const [i, target] of [gateway, bare].entries()) {
    runs.full[i]?.push(await measure(target, FULL));
    runs.light[i]?.push(await measure(target, LIGHT));
  }
}

const how = `${REPETITIONS} interleaved repetitions of ${SECONDS} s, median (min–max)`;
say(`${how}, ${availableParallelism()} cores, Node ${process.versions.node}, one broker`);
say(`\n644-byte frames at full speed, ${FULL.devices} devices, ${PARTITIONS} partitions`);
for (const [i, name] of ['gateway', 'ws + bare kafkajs'].entries()) {
  const these = runs.full[i] ?? [];
  const frames = spread(these, (run) => run.framesPerSecond, 0);
  say(
    `  ${name}  frames/s ${frames}  CPU-µs/frame ${spread(these, (run) => run.cpuUsPerFrame, 2)}`,
  );
}
const ratios = runs.full[0].map(
  (run, i) => run.cpuUsPerFrame / (runs.full[1][i]?.cpuUsPerFrame ?? 1),
);
say(`  gateway ÷ bare, CPU per frame: ${median(ratios).toFixed(2)}`);
say(`\nack latency at light load, ${LIGHT.devices} devices × ${LIGHT.rate} frames/s`);
for (const [i, name] of ['gateway', 'ws + bare kafkajs'].entries()) {
  const these = runs.light[i] ?? [];
  const p50 = spread(these, ({ ackMs }) => ackMs.p50, 1);
  say(`  ${name}  p50 ${p50} ms  p99 ${spread(these, ({ ackMs }) => ackMs.p99, 1)} ms`);
}
await gateway.end();
await bare.end();
await kafka?.stop();
