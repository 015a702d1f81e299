import { afterEach, expect, it } from 'vitest';
import { LOG } from '../../src/model/record.ts';
import { batchOf, rowOf, textOf } from '../support/batches.ts';
import { describeKafka, kafkaBrokers, topicPrefix } from '../support/kafka/cluster.ts';
import { API } from '../support/kafka/kafka-protocol.ts';
import { type OpenedLog, openLog } from '../support/kafka/open-log.ts';
import { CALM, KafkaProxy } from '../support/kafka/proxy.ts';
import type { Fate, SeenRequest } from '../support/kafka/proxy-link.ts';

const RECORDS = 20;

describeKafka('a reader whose connection falls mute', () => {
  let proxy: KafkaProxy;
  let opened: OpenedLog;

  afterEach(async () => {
    await opened.log.close();
    await proxy.close();
  });

  async function start(): Promise<void> {
    proxy = await KafkaProxy.open(kafkaBrokers());
    opened = openLog({ prefix: topicPrefix('mute-reader'), brokers: proxy.brokers });
    for (let i = 0; i < RECORDS; i += 1) await opened.log.append(batchOf({ value: `v${i}` }));
  }

  const readAll = async (): Promise<string[]> => {
    const rows: string[] = [];
    const range = { log: LOG.readings, shard: 0, from: 0, to: RECORDS - 1 };
    await opened.log.read((record) => rows.push(textOf(rowOf(record))), [range]);
    return rows;
  };

  const ALL = Array.from({ length: RECORDS }, (_, i) => `v${i}`);

  /** So many connections say nothing any more from their first fetch on. */
  const muteFetches = (times: number): { struck: () => number } => {
    const links = new Set<number>();
    const fateOf = ({ api, link }: SeenRequest): Fate => {
      if (api !== API.fetch || links.size >= times) return { kind: 'pass' };
      links.add(link);
      return { kind: 'mute' };
    };
    proxy.rules = { ...CALM, fateOf };
    return { struck: () => links.size };
  };

  it('goes on over a new one, again and again, and passes over nothing', async () => {
    await start();
    const { struck } = muteFetches(2);
    expect(await readAll()).toEqual(ALL);
    expect(struck()).toBe(2);
  });
});
