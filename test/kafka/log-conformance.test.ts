import { openKafkaLog } from '../../src/adapters/log/kafka-log.ts';
import { describeKafka, kafkaBrokers, topicPrefix } from '../support/kafka/cluster.ts';
import { describeShardLog } from '../support/log-conformance.ts';

/** With one broker there is one replica: what a test cluster cannot promise is no fault. */
const EXPECTED = /^min\.insync\.replicas of the topics is below 2/;

describeKafka('over a real broker', () => {
  describeShardLog({
    kind: 'kafka',
    dur: 0,
    survivesClose: true,
    home: () => {
      const prefix = topicPrefix('conformance');
      const warn = (sentence: string): void => {
        if (!EXPECTED.test(sentence)) throw new Error(`nothing is wrong here, but: ${sentence}`);
      };
      return Promise.resolve({
        open: async (shards: number) => {
          const brokers = kafkaBrokers();
          const log = openKafkaLog({ brokers, prefix, shards, node: 'test', warn });
          await log.ready();
          return log;
        },
        dispose: () => Promise.resolve(),
      });
    },
  });
});
