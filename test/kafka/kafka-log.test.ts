import { afterEach, expect, it } from 'vitest';
import { withAdmin } from '../../src/adapters/log/kafka-admin.ts';
import { ClientLog } from '../../src/adapters/log/kafka-client-log.ts';
import { KafkaConnection, RETRY } from '../../src/adapters/log/kafka-connection.ts';
import { readDeadLetterRecord } from '../../src/adapters/log/kafka-dead-letter.ts';
import { KafkaReader, VanishedError } from '../../src/adapters/log/kafka-reader.ts';
import { LOG, type LogKind } from '../../src/model/record.ts';
import { batchOf, letterOf, readAll, rowOf, schemaOf, textOf } from '../support/batches.ts';
import { describeKafka, kafkaBrokers, topicPrefix } from '../support/kafka/cluster.ts';
import { freePort } from '../support/kafka/kafka.ts';
import { type OpenedLog, openLog } from '../support/kafka/open-log.ts';
import { CALM, KafkaProxy } from '../support/kafka/proxy.ts';

const prefixOf = (): string => topicPrefix('kafka-log');
const opened: OpenedLog[] = [];
const open = (...options: Parameters<typeof openLog>): OpenedLog => {
  const one = openLog(...options);
  opened.push(one);
  return one;
};
const clusterOf = () => ({
  brokers: kafkaBrokers(),
  clientId: 'test',
  log: new ClientLog(() => undefined),
  signal: new AbortController().signal,
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ log }) => log.close()));
});

describeKafka('the topics', () => {
  it('are created with what a deployment needs, and found again', async () => {
    const prefix = prefixOf();
    await open({ prefix, shards: 3 }).log.ready();
    await open({ prefix, shards: 3 }).log.ready();
    const names = ['readings', 'alarms', 'aggregates', 'rejects', 'schemas'];
    const found = await withAdmin(clusterOf(), async (admin) => {
      const topics = names.map((name) => `${prefix}.${name}`);
      const { topics: described } = await admin.fetchTopicMetadata({ topics });
      const counts = topics.map((t) => described.find(({ name }) => name === t)?.partitions.length);
      const { resources } = await admin.describeConfigs({
        resources: topics.map((name) => ({ type: 2, name, configNames: ['cleanup.policy'] })),
        includeSynonyms: false,
      });
      return {
        counts,
        policies: resources.map(({ configEntries: [entry] }) => entry?.configValue),
      };
    });
    expect(found.counts).toEqual([3, 3, 3, 3, 1]);
    expect(found.policies.filter((policy) => policy === 'compact')).toHaveLength(1);
  });

  it('are made without a word about leaders that are not chosen yet', async () => {
    const { log, warnings, states } = open({ prefix: prefixOf(), shards: 24 });
    await log.ready();
    expect(warnings.filter((text) => text.startsWith('kafkajs'))).toEqual([]);
    expect(states.slice(0, -1)).toEqual([]);
  });

  it('of another partition count are refused, with both numbers and what to do', async () => {
    const prefix = prefixOf();
    await open({ prefix, shards: 3 }).log.ready();
    const { log } = open({ prefix, shards: 4 });
    await expect(log.ready()).rejects.toMatchObject({
      exitCode: 78,
      message: expect.stringMatching(/readings has 3 partitions, but 4 shards.*Set shards to 3/),
    });
    expect([log.state.kind, log.isRecoverable]).toEqual(['failed', false]);
    await expect(log.append(batchOf({}))).rejects.toThrow('3 partitions');
  });

  it('with one replica promise nothing, whatever min.insync.replicas says', async () => {
    const prefix = prefixOf();
    const { log } = open({ prefix });
    await log.ready();
    const names = ['readings', 'alarms', 'rejects', 'schemas'].map((name) => `${prefix}.${name}`);
    for (const name of names) await alter(name, 'min.insync.replicas', '2');
    const again = open({ prefix });
    await again.log.ready();
    expect(again.log.dur).toBe(0);
    expect(again.warnings.filter((text) => text.includes('has 1 replicas'))).toHaveLength(4);
    expect(again.warnings.filter((text) => text.includes('acks say dur 0'))).toHaveLength(1);
  });

  it('that take less than a record needs are refused', async () => {
    const prefix = prefixOf();
    await open({ prefix }).log.ready();
    await alter(`${prefix}.readings`, 'max.message.bytes', '5000');
    const { log } = open({ prefix });
    const sentence = expect.stringMatching(/readings takes at most 5000 bytes/);
    await expect(log.ready()).rejects.toMatchObject({ exitCode: 78, message: sentence });
  });

  it('whose limit is lowered while we run end the log, and not in a loop', async () => {
    const prefix = prefixOf();
    const { log } = open({ prefix });
    await log.ready();
    await alter(`${prefix}.readings`, 'max.message.bytes', '5000');
    const large = batchOf({ value: new Uint8Array(8000) });
    await expect(log.append(large)).rejects.toThrow();
    expect(log.state).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/too large/) });
    expect(log.isRecoverable).toBe(false);
  });
});

describeKafka('reading', () => {
  it('with ranges gives exactly these offsets', async () => {
    const { log } = open({ prefix: prefixOf() });
    await log.append(batchOf(...Array.from({ length: 10 }, (_, i) => ({ value: `a${i}` }))));
    await log.append(batchOf({ log: LOG.alarms, shard: 1, value: 'b0' }));
    const rows: string[] = [];
    const ranges = [
      { log: LOG.readings, shard: 0, from: 3, to: 5 },
      { log: LOG.alarms, shard: 1, from: 0, to: 0 },
    ];
    for (let time = 0; time < 2; time += 1) {
      rows.length = 0;
      await log.read((record) => rows.push(textOf(rowOf(record))), ranges);
      expect(rows.sort()).toEqual(['a3', 'a4', 'a5', 'b0']);
    }
  });

  it('of everything tells the results first, so that nobody keeps results that are there', async () => {
    const prefix = prefixOf();
    const { log } = open({ prefix });
    const rowsOf = (kind: LogKind) =>
      Array.from({ length: 200 }, (_, i) => ({ log: kind, shard: i % 2 }));
    for (const kind of [LOG.readings, LOG.alarms, LOG.aggregates]) {
      await log.append(batchOf(...rowsOf(kind)));
    }
    const kinds = (await readAll(open({ prefix }).log)).map((row) => row.log);
    expect(kinds).toHaveLength(600);
    expect(new Set(kinds.slice(0, 200))).toEqual(new Set([LOG.aggregates]));
  });

  it.each(['a gap', 'everything'])(
    'of %s tells first what another gateway has defined since the definitions were read',
    async (what) => {
      const prefix = prefixOf();
      const [ours, theirs] = [open({ prefix }).log, open({ prefix }).log];
      const before = batchOf({ value: 'before' });
      before.schemas.push(schemaOf(1));
      await theirs.append(before);
      const told: string[] = [];
      await ours.readSchemas(({ hash }) => told.push(`definition ${hash[0]}`));
      const meanwhile = batchOf({ value: 'meanwhile' });
      meanwhile.schemas.push(schemaOf(1), schemaOf(2));
      await theirs.append(meanwhile);
      const gap = [{ log: LOG.readings, shard: 0, from: 1, to: 1 }];
      await ours.read(
        (record) => told.push(textOf(rowOf(record))),
        what === 'a gap' ? gap : undefined,
      );
      const rows = what === 'a gap' ? ['meanwhile'] : ['before', 'meanwhile'];
      expect(told).toEqual(['definition 1', 'definition 2', ...rows]);
    },
  );

  it('passes over the control records of a stranger, also at the very end', async () => {
    const prefix = prefixOf();
    const { log } = open({ prefix });
    await log.append(batchOf({ value: 'ours' }));
    await transaction(`${prefix}.readings`);
    // The end of a transaction is written a little after it was confirmed.
    const all = async (): Promise<string[]> => (await readAll(log)).map(textOf);
    await expect.poll(all, { timeout: 5000 }).toEqual(['ours', 'theirs']);
    const { offsets } = await log.append(batchOf({ value: 'after' }));
    expect([...offsets]).toEqual([3]);
    await transaction(`${prefix}.readings`);
    const whole = ['ours', 'theirs', 'after', 'theirs'];
    await expect.poll(all, { timeout: 5000 }).toEqual(whole);
  });

  it('beyond the end is told as a loss, not as silence', async () => {
    const prefix = prefixOf();
    const { log } = open({ prefix });
    await log.append(batchOf({}));
    const range = { log: LOG.readings, shard: 0, from: 40, to: 41 };
    await expect(log.read(() => undefined, [range])).rejects.toBeInstanceOf(VanishedError);
  });

  it('passes over what retention takes away meanwhile', async () => {
    const prefix = prefixOf();
    const { log } = open({ prefix });
    await log.append(batchOf({}, {}, {}));
    const partitions = [{ partition: 0, offset: '3' }];
    const topic = `${prefix}.readings`;
    await withAdmin(clusterOf(), async (admin) => {
      // Else kafkajs does not know who leads it.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions });
    });
    const rows: string[] = [];
    const range = { log: LOG.readings, shard: 0, from: 0, to: 2 };
    await log.read((record) => rows.push(textOf(rowOf(record))), [range]);
    expect(rows).toEqual([]);
  });

  it('finds dead letters in their topic', async () => {
    const prefix = prefixOf();
    const { log } = open({ prefix });
    const batch = batchOf();
    const letter = letterOf({ shard: 1, device: 'plant/ü', lane: 2, n: 77 });
    batch.deadLetters.push(letter);
    await log.append(batch);
    const topic = `${prefix}.rejects`;
    const reader = new KafkaReader({
      cluster: clusterOf(),
      topics: [topic],
      groupId: topicPrefix('reader'),
      warn: () => undefined,
      onTrouble: () => undefined,
    });
    await reader.start();
    const found: unknown[] = [];
    await reader.read([{ topic, partition: 1, from: 0, to: 0 }], (_, { key, value, headers }) => {
      const [k, v, tg] = [key, value, headers?.['tg']].map((bytes) =>
        Uint8Array.from((bytes ?? []) as Buffer),
      ) as [Uint8Array, Uint8Array, Uint8Array];
      found.push(readDeadLetterRecord({ shard: 1, key: k, tg, value: v }));
    });
    await reader.close();
    expect(found).toEqual([letter]);
  });
});

describeKafka('a cluster that is away', () => {
  it('at the start: stalled with a reason, and ready when it comes', async () => {
    const proxy = await KafkaProxy.open(kafkaBrokers());
    proxy.isDown = true;
    const { log } = open({ prefix: prefixOf(), brokers: proxy.brokers });
    await expect
      .poll(() => log.state, { timeout: 5000 })
      .toMatchObject({
        kind: 'stalled',
        reason: expect.stringMatching(/cannot be used yet/),
      });
    proxy.isDown = false;
    await log.ready();
    expect([...(await log.append(batchOf({}))).offsets]).toEqual([0]);
    expect(log.state).toEqual({ kind: 'ok' });
    await log.close();
    await proxy.close();
  });

  it('at the start, and closed meanwhile: it does not hang', async () => {
    const { log } = open({ prefix: prefixOf(), brokers: [`127.0.0.1:${await freePort()}`] });
    const appending = log.append(batchOf({}));
    const begun = performance.now();
    await Promise.all([log.close(), expect(appending).rejects.toThrow()]);
    expect(performance.now() - begun).toBeLessThan(3000);
  });

  it('while we run: appends are rejected, and go on when it is back', async () => {
    const proxy = await KafkaProxy.open(kafkaBrokers());
    const { log, states } = open({ prefix: prefixOf(), brokers: proxy.brokers });
    await log.append(batchOf({ value: 'one' }));
    proxy.isDown = true;
    await expect(log.append(batchOf({ value: 'two' }))).rejects.toThrow();
    log.renew(LOG.readings);
    await expect(log.append(batchOf({ value: 'two' }))).rejects.toThrow();
    expect(log.state.kind).toBe('stalled');
    proxy.isDown = false;
    log.renew(LOG.readings);
    await log.append(batchOf({ value: 'three' }));
    expect(states.at(-1)).toEqual({ kind: 'ok' });
    expect((await readAll(log)).map(textOf)).toEqual(['one', 'three']);
    await log.close();
    await proxy.close();
  });
});

describeKafka('an append that is not confirmed', () => {
  it('in time is rejected at the deadline, and renewing is quick', async () => {
    const proxy = await KafkaProxy.open(kafkaBrokers());
    const { log } = open({ prefix: prefixOf(), brokers: proxy.brokers, deadlineMs: 500 });
    await log.append(batchOf({ value: 'one' }));
    let isFirst = true;
    proxy.rules = {
      ...CALM,
      fateOf: ({ produced }) => {
        if (produced.length === 0 || !isFirst) return { kind: 'pass' };
        isFirst = false;
        return { kind: 'mute' };
      },
    };
    await expect(log.append(batchOf({ value: 'two' }))).rejects.toThrow('500 ms');
    const begun = performance.now();
    log.renew(LOG.readings);
    const { offsets } = await log.append(batchOf({ value: 'fence' }));
    expect(performance.now() - begun).toBeLessThan(400);
    // It was written all the same: that is why it is ambiguous.
    expect([...offsets]).toEqual([2]);
    await log.close();
    await proxy.close();
  });

  it('for every partition is rejected', async () => {
    const proxy = await KafkaProxy.open(kafkaBrokers());
    const { log } = open({ prefix: prefixOf(), brokers: proxy.brokers });
    await log.append(batchOf({ shard: 0 }, { shard: 1 }));
    proxy.rules = { ...CALM, isHidden: (_, partition) => partition === 1 };
    log.renew(LOG.readings);
    await expect(log.append(batchOf({ shard: 0 }, { shard: 1 }))).rejects.toThrow('1 of 2');
    await expect(log.append(batchOf({ shard: 1 }))).rejects.toThrow('0 of 1');
    await log.close();
    await proxy.close();
  });

  it('takes nothing of another log kind along', async () => {
    const proxy = await KafkaProxy.open(kafkaBrokers());
    const { log } = open({ prefix: prefixOf(), brokers: proxy.brokers, deadlineMs: 1000 });
    await log.append(batchOf({ log: LOG.alarms }));
    const isOfReadings = ({ topic }: { topic: string }) => topic.endsWith('.readings');
    proxy.rules = {
      ...CALM,
      fateOf: ({ produced }) => ({ kind: produced.some(isOfReadings) ? 'mute' : 'pass' }),
    };
    const readings = log.append(batchOf({}));
    await log.append(batchOf({ log: LOG.alarms }));
    log.renew(LOG.readings);
    await expect(readings).rejects.toThrow();
    await log.append(batchOf({ log: LOG.alarms }));
    expect(log.nextOffset(LOG.alarms, 0)).toBe(3);
    await log.close();
    await proxy.close();
  });
});

async function alter(name: string, setting: string, value: string): Promise<void> {
  await withAdmin(clusterOf(), (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name, configEntries: [{ name: setting, value }] }],
    }),
  );
}

/** One record in a transaction, which ends with a control record. */
async function transaction(topic: string): Promise<void> {
  const options = { retry: RETRY.forLong, requestTimeoutMs: 5000 };
  const connection = new KafkaConnection(clusterOf(), options);
  const producer = connection.kafka.producer({
    transactionalId: topicPrefix('stranger'),
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: () => () => 0,
  });
  await producer.connect();
  const running = await producer.transaction();
  await running.send({ topic, messages: [{ key: 'k', value: 'theirs' }] });
  await running.commit();
  connection.discard();
}
