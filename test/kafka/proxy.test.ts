import { Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeKafka, kafkaBrokers, topicPrefix } from '../support/kafka/cluster.ts';
import { API } from '../support/kafka/kafka-protocol.ts';
import { CALM, KafkaProxy } from '../support/kafka/proxy.ts';
import type { Fate, SeenRequest } from '../support/kafka/proxy-link.ts';
import { readTopic } from '../support/kafka/read-topic.ts';

const PARTITIONS = 3;
/** An answer that is not there by then does not come. Units: ms. */
const TIMEOUT_MS = 500;

describeKafka('a proxy in front of a broker', () => {
  const topic = topicPrefix('proxy');
  let proxy: KafkaProxy;
  const producers: Producer[] = [];

  const kafkaAt = (brokers: readonly string[]): Kafka =>
    new Kafka({
      brokers: [...brokers],
      logLevel: logLevel.NOTHING,
      requestTimeout: TIMEOUT_MS,
      retry: { retries: 0 },
    });

  const producer = async (): Promise<Producer> => {
    const one = kafkaAt(proxy.brokers).producer({ retry: { retries: 0 }, idempotent: false });
    producers.push(one);
    await one.connect();
    return one;
  };

  const send = async (by: Producer, value: string, partition = 0): Promise<unknown[]> =>
    await by.send({ topic, acks: -1, messages: [{ partition, value }] });

  const values = async (): Promise<string[]> =>
    (await readTopic(kafkaBrokers(), topic))
      .filter(({ partition }) => partition === 0)
      .map(({ value }) => String(value));

  /** The next Produce request suffers this. */
  const strike = (fate: Fate): void => {
    let isDone = false;
    const fateOf = ({ api }: SeenRequest): Fate => {
      if (isDone || api !== API.produce) return { kind: 'pass' };
      isDone = true;
      return fate;
    };
    proxy.rules = { ...CALM, fateOf };
  };

  beforeAll(async () => {
    proxy = await KafkaProxy.open(kafkaBrokers());
    const admin = kafkaAt(kafkaBrokers()).admin();
    await admin.connect();
    await admin.createTopics({
      topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }],
      waitForLeaders: true,
      timeout: 5000,
    });
    await admin.disconnect();
  });

  afterEach(async () => {
    proxy.rules = CALM;
    proxy.isDown = false;
    await Promise.all(producers.splice(0).map((one) => one.disconnect()));
  });

  afterAll(() => proxy.close());

  test('passes everything, and is the only way to the broker', async () => {
    const by = await producer();
    expect(await send(by, 'passes')).toHaveLength(1);
    expect((await values()).at(-1)).toBe('passes');
    proxy.isDown = true;
    await expect(send(by, 'is not sent')).rejects.toThrow();
    await expect(producer()).rejects.toThrow();
    expect((await values()).at(-1)).toBe('passes');
  });

  test('tells which partitions of which topics a request writes', async () => {
    const seen: SeenRequest[] = [];
    const answered: SeenRequest[] = [];
    proxy.rules = {
      ...CALM,
      fateOf: (request) => {
        if (request.api === API.produce) seen.push(request);
        return { kind: 'pass' };
      },
      answered: (request) => answered.push(request),
    };
    const messages = [2, 0].map((partition) => ({ partition, value: 'two' }));
    await (await producer()).sendBatch({ acks: -1, topicMessages: [{ topic, messages }] });
    expect(seen.map(({ produced }) => produced)).toEqual([
      [{ topic, partitions: expect.toSatisfy((list: number[]) => list.sort().join() === '0,2') }],
    ]);
    expect(answered).toEqual(seen);
  });

  test.each([
    ['lost', { kind: 'lost' }, false],
    ['cut', { kind: 'cut' }, true],
    ['mute', { kind: 'mute' }, true],
    ['deaf', { kind: 'deaf' }, false],
    ['unanswered', { kind: 'unanswered', until: new Promise(() => undefined) }, true],
  ] as const)('%s: the client knows nothing', async (name, fate, arrives) => {
    const by = await producer();
    await send(by, `before ${name}`);
    strike(fate);
    await expect(send(by, name)).rejects.toThrow();
    await send(await producer(), `after ${name}`);
    const read = await values();
    expect(read.slice(read.indexOf(`before ${name}`))).toEqual([
      `before ${name}`,
      ...(arrives ? [name] : []),
      `after ${name}`,
    ]);
  });

  test.each([true, false])('late: written when its client has gone (cut: %s)', async (isCut) => {
    const name = `late ${isCut}`;
    const { promise: until, resolve } = Promise.withResolvers<void>();
    strike({ kind: 'late', until, isCut });
    const by = await producer();
    await expect(send(by, name)).rejects.toThrow();
    await send(await producer(), `before ${name}`);
    resolve();
    await by.disconnect();
    await proxy.settled();
    expect((await values()).slice(-2)).toEqual([`before ${name}`, name]);
  });

  test('a partition left out of the metadata makes kafkajs answer []', async () => {
    proxy.rules = { ...CALM, isHidden: (of, partition) => of === topic && partition === 0 };
    const by = await producer();
    expect(await send(by, 'to nowhere')).toEqual([]);
    expect(await send(by, 'to somewhere', 1)).toHaveLength(1);
    expect(await values()).not.toContain('to nowhere');
  });
});
