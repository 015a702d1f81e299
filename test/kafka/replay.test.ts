import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway-process.ts';
import { describeKafka, kafkaBrokers, topicPrefix } from '../support/kafka/cluster.ts';
import { describePython, readWithPython } from '../support/python.ts';
import { type LogLine, tailed } from '../support/read-log.ts';
import {
  everythingFinal,
  expectBruteForce,
  expectRecordedRows,
  replay,
  type ShardResult,
} from '../support/replay.ts';

/** Fast enough for a test: the longer recording takes 6.5 s. The issue's own speed is 500 000. */
const SPEEDUP = Number(process.env['REPLAY_SPEEDUP'] ?? 4_000_000);
const KAFKA = join(import.meta.dirname, '../support/kafka/kafka.ts');

/** What Kafka's own console consumer prints of the readings. */
async function consoleConsumer(topic: string, ...more: string[]): Promise<string> {
  const bootstrap = ['--bootstrap-server', kafkaBrokers().join(',')];
  const args = [KAFKA, 'kafka-console-consumer', ...bootstrap, '--topic', topic, ...more];
  const printed = await promisify(execFile)(process.execPath, args, { encoding: 'latin1' });
  return printed.stdout;
}

describeKafka('over a real broker', () => {
  describePython('the reader in Python', () => {
    // Replays wait most of the time: both at once.
    describe.concurrent.each(['cbor', 'json'])(
      'both recordings at once, replayed in %s',
      (codec) => {
        test('come out bit for bit, and every window result equals a brute force', async () => {
          const prefix = topicPrefix(`replay-${codec}`);
          const brokers = kafkaBrokers().join(',');
          const log = ['--log', 'kafka', '--kafka-brokers', brokers, '--kafka-prefix', prefix];
          const gateway = await startGateway({ log });
          const { framesAcked } = await replay(gateway, codec, SPEEDUP);
          await everythingFinal(log);
          const rows = await readWithPython(kafkaBrokers(), prefix);
          const lines = await tailed<LogLine>(log, 'readings', '--all');
          const results = await tailed<ShardResult>(log, 'aggregates', '--all');
          await gateway.stop();

          const frames = new Set(rows.map(({ device, n }) => `${device} ${n}`));
          expect(frames.size).toBe(framesAcked);
          expectRecordedRows(
            (name) =>
              rows
                .filter(({ device }) => device === name)
                .map(({ t, values }) => ({ t, v: values['value'] })),
            SPEEDUP,
          );
          expectBruteForce(lines, results);
          if (codec === 'cbor') await countedByKafka(`${prefix}.readings`, lines);
        });
      },
    );
  });
});

/** Kafka's own tool counts the records, and prints one. */
async function countedByKafka(topic: string, lines: readonly LogLine[]): Promise<void> {
  const formatted = (...names: string[]) =>
    names.flatMap((name) => ['--formatter-property', `print.${name}=true`]);
  const plain = ['--from-beginning', '--formatter-property', 'print.value=false'];
  const max = ['--max-messages', `${lines.length}`, '--timeout-ms', '20000'];
  const all = await consoleConsumer(topic, ...plain, ...max, ...formatted('offset', 'partition'));
  const places = [...all.matchAll(/Partition:(\d+)\s+Offset:(\d+)/g)].map(
    ([, p, o]) => `${p}:${o}`,
  );
  const expected = lines.map(({ shard, offset }) => `${shard}:${offset}`);
  expect(places.toSorted()).toEqual(expected.toSorted());
  const frame = lines.find(({ kind }) => kind === 'frame');
  const at = [
    '--partition',
    `${frame?.shard}`,
    '--offset',
    `${frame?.offset}`,
    '--max-messages',
    '1',
  ];
  const one = await consoleConsumer(topic, ...at, ...formatted('key', 'headers'));
  expect(one).toContain(frame?.device);
  expect(one).toContain('tg:\x01\x00');
}
