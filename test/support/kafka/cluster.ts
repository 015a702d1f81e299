import { randomBytes } from 'node:crypto';
import { describe, inject } from 'vitest';

/** The brokers of this test run; empty if there are none. */
export const kafkaBrokers = (): readonly string[] => inject('kafkaBrokers');

/**
 * A suite that needs a real Kafka. Without one it is skipped; the global setup has said so then, and
 * has failed where `CI=true`.
 */
export const describeKafka = (name: string, suite: () => void): void => {
  describe.skipIf(kafkaBrokers().length === 0)(name, suite);
};

/** A prefix for topics that nobody else uses. */
export const topicPrefix = (name: string): string => `${name}-${randomBytes(6).toString('hex')}`;
