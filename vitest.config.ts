import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/support/summary-reporter.ts';

/**
 * The tiers of docs/DESIGN.md §15, fastest first. `order` keeps them from running side by side:
 * an integration test that measures time must not share the machine with the property tests.
 */
const tiers = [
  { name: 'style', order: 0, timeoutMs: 30_000 },
  { name: 'unit', order: 0, timeoutMs: 5_000 },
  { name: 'property', order: 1, timeoutMs: 60_000 },
  { name: 'conformance', order: 2, timeoutMs: 30_000 },
  { name: 'integration', order: 3, timeoutMs: 120_000 },
  // A project of its own, because only its global setup starts a Kafka.
  { name: 'kafka', order: 4, timeoutMs: 120_000 },
] as const;

export default defineConfig({
  test: {
    reporters: ['default', new SummaryReporter()],
    projects: tiers.map(({ name, order, timeoutMs }) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        environment: 'node' as const,
        pool: 'forks' as const,
        testTimeout: timeoutMs,
        hookTimeout: timeoutMs,
        teardownTimeout: 30_000,
        // Integration tests start real servers: one file at a time, or two cores are not enough.
        fileParallelism: name !== 'integration' && name !== 'kafka',
        globalSetup: name === 'kafka' ? ['test/support/kafka/global-setup.ts'] : [],
        sequence: { groupOrder: order },
      },
    })),
  },
});
