import {
  type KafkaLog,
  type KafkaLogOptions,
  openKafkaLog,
} from '../../../src/adapters/log/kafka-log.ts';
import type { LogState } from '../../../src/adapters/log/shard-log.ts';
import { kafkaBrokers } from './cluster.ts';

/** A log under test, and what it has told. */
export interface OpenedLog {
  readonly log: KafkaLog;
  readonly warnings: string[];
  readonly states: LogState[];
}

/** Opens a log of two shards over the brokers of this run, unless `options` say otherwise. */
export function openLog(
  options: Partial<KafkaLogOptions> & { readonly prefix: string },
): OpenedLog {
  const warnings: string[] = [];
  const log = openKafkaLog({
    brokers: kafkaBrokers(),
    shards: 2,
    node: 'test',
    warn: (sentence) => warnings.push(sentence),
    ...options,
  });
  const states: LogState[] = [];
  log.onState = (state) => states.push(state);
  return { log, warnings, states };
}
