import { rmSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { withAdmin } from '../../src/adapters/log/kafka-admin.ts';
import { ClientLog } from '../../src/adapters/log/kafka-client-log.ts';
import { KafkaLogReader } from '../../src/adapters/log/kafka-log-reader.ts';
import { LOG, LOG_NAMES } from '../../src/model/record.ts';
import { temporaryDirectory } from '../support/gateway-process.ts';
import { appendToKafka } from '../support/kafka/append.ts';
import { describeKafka, kafkaBrokers, topicPrefix } from '../support/kafka/cluster.ts';
import { freePort } from '../support/kafka/kafka.ts';
import { linesOf } from '../support/read-log.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { frame, SHARDS, TAIL_LOG } from '../support/tail-fixture.ts';
import { appendTo } from '../support/tail-log.ts';

type Line = { readonly shard: number; readonly offset: number };

const prefix = topicPrefix('tail');
const flags = () => ['--kafka-brokers', kafkaBrokers().join(','), '--kafka-prefix', prefix];

async function linesFrom(log: readonly string[], ...argv: string[]): Promise<Line[]> {
  const { code, stdout, stderr } = await runCli(['tail', '--json', ...log, ...argv]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return linesOf<Line>(stdout);
}

/** Partitions come in any order, the records of one in theirs. */
const byShard = (lines: readonly Line[]): Line[] => lines.toSorted((a, b) => a.shard - b.shard);

describeKafka('tail on Kafka', () => {
  beforeAll(() => appendToKafka(prefix, SHARDS, TAIL_LOG));

  it('prints what it prints of a file log with the same records', async () => {
    const directory = temporaryDirectory();
    await appendTo(directory, SHARDS, TAIL_LOG);
    const file = ['--log', 'file', '--data', directory];
    for (const topic of ['readings', 'alarms', 'aggregates', 'rejects']) {
      for (const more of topic === 'rejects' ? [[]] : [[], ['--all'], ['--series', '+/+/+/x']]) {
        const argv = ['--topic', topic, ...more];
        const logs = [file, flags()];
        const lines = await Promise.all(logs.map((log) => linesFrom(log, ...argv)));
        const [expected = [], found = []] = lines.map(byShard);
        expect(found).toEqual(expected);
        expect(expected.length).toBeGreaterThan(0);
      }
    }
    rmSync(directory, { recursive: true });
  });

  it('reads in chunks, each record once and in the order of its partition', async () => {
    const brokers = kafkaBrokers();
    const warn = (sentence: string): void => expect(sentence).toBe('');
    const reader = await KafkaLogReader.open({ brokers, prefix, warn, chunkBytes: 100 });
    const places: string[] = [];
    for await (const { log, shard, offset } of reader.records()) {
      places.push(`${LOG_NAMES[log]} ${shard}:${offset}`);
    }
    await reader.close();
    const records = TAIL_LOG.records ?? [];
    expect(new Set(places).size).toBe(places.length);
    expect(places).toHaveLength(records.length);
    const readings = places.filter((place) => place.startsWith('readings 0:'));
    expect(readings).toEqual(readings.map((_, i) => `readings 0:${i}`));
  });

  it('leaves no group and no commit behind', async () => {
    await linesFrom(flags());
    const cluster = {
      brokers: kafkaBrokers(),
      clientId: 'test',
      log: new ClientLog(() => undefined),
      signal: new AbortController().signal,
    };
    const left = await withAdmin(cluster, async (admin) => {
      const { groups } = await admin.listGroups();
      const ours = groups.filter(({ groupId }) => groupId.startsWith(`${prefix}-tail`));
      const topics = [`${prefix}.readings`];
      const commits = await Promise.all(
        ours.map(({ groupId }) => admin.fetchOffsets({ groupId, topics })),
      );
      return commits.flat().flatMap(({ partitions }) => partitions);
    });
    expect(left.filter(({ offset }) => offset !== '-1')).toEqual([]);
  });

  it('follows what is written later, with definitions that come then', async () => {
    const own = topicPrefix('follow');
    await appendToKafka(own, SHARDS, { schemas: TAIL_LOG.schemas ?? [], records: [frame(1)] });
    const where = ['--log', 'kafka', '--kafka-brokers', kafkaBrokers().join(',')];
    const child = startCli(['tail', '--follow', '--json', ...where, '--kafka-prefix', own]);
    await child.stdoutWith(/"n":1,/);
    await appendToKafka(own, SHARDS, { records: [frame(2), { ...frame(7), log: LOG.alarms }] });
    await child.stdoutWith(/"n":2,/);
    child.process.kill('SIGINT');
    const { code, stdout, stderr } = await child.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  it('passes over what Tidegate did not write, and says so', async () => {
    const own = topicPrefix('foreign');
    const foreign = { ...frame(1), tg: new Uint8Array(0) };
    const records = [frame(1), foreign, frame(2)];
    await appendToKafka(own, SHARDS, { schemas: TAIL_LOG.schemas ?? [], records });
    const where = ['--kafka-brokers', kafkaBrokers().join(','), '--kafka-prefix', own];
    const { code, stdout, stderr } = await runCli(['tail', '--json', '--all', ...where]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'tidegate tail: 1 records have no header, Tidegate did not write them.\n',
    });
    expect(linesOf<Line>(stdout).map(({ offset }) => offset)).toEqual([0, 2]);
  });

  it('refuses topics that are not there, and a Kafka that is not, with 78', async () => {
    const absent = ['--kafka-brokers', kafkaBrokers().join(','), '--kafka-prefix', 'nobody'];
    expect(await runCli(['tail', ...absent])).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/there are no topics nobody\.… in Kafka at .*--kafka-prefix/),
    });
    const nowhere = ['--kafka-brokers', `127.0.0.1:${await freePort()}`];
    expect(await runCli(['tail', ...nowhere])).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/Kafka at .* cannot be read: .*ECONNREFUSED/),
    });
  });
});
