import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/support/summary-reporter.ts';

interface Tier {
  readonly name: string;
  readonly order: number;
  readonly timeoutMs: number;
  readonly include?: string;
  readonly exclude?: string;
  readonly workers?: number;
  /** Its files share the modules that they import, because loading them takes longer than its tests. */
  readonly isShared?: boolean;
}

const BROWSER_TESTS = 'test/integration/page*.test.ts';
/** Three brokers, which are much for two cores: they run with `CLUSTER=1` only. */
const CLUSTER_TEST = 'test/kafka/cluster.test.ts';
const hasCluster = process.env['CLUSTER'] === '1';

/**
 * The tiers of docs/DESIGN.md §15, fastest first. `order` keeps them from running side by side:
 * an integration test that measures time must not share the machine with the property tests.
 */
const tiers = [
  // Without a number it is one worker less than there are cores.
  { name: 'style', order: 0, timeoutMs: 30_000, workers: 2 },
  { name: 'unit', order: 0, timeoutMs: 5_000, workers: 2 },
  { name: 'property', order: 1, timeoutMs: 60_000, workers: 2 },
  { name: 'conformance', order: 2, timeoutMs: 30_000, isShared: true, workers: 2 },
  // Real servers, which mostly wait: two files at a time, the two cores are enough for that.
  { name: 'integration', order: 3, timeoutMs: 120_000, exclude: BROWSER_TESTS, workers: 2 },
  // A page that must not freeze has the machine for itself.
  { name: 'browser', order: 4, timeoutMs: 120_000, include: BROWSER_TESTS, workers: 1 },
  // A project of its own, because only its global setup starts a Kafka.
  {
    name: 'kafka',
    order: 5,
    timeoutMs: 120_000,
    workers: 2,
    ...(hasCluster ? {} : { exclude: CLUSTER_TEST }),
  },
] satisfies Tier[];

export default defineConfig({
  test: {
    reporters: ['default', new SummaryReporter()],
    projects: tiers.map(
      ({ name, order, timeoutMs, include, exclude, workers, isShared }: Tier) => ({
        test: {
          name,
          include: [include ?? `test/${name}/**/*.test.ts`],
          exclude: exclude === undefined ? [] : [exclude],
          environment: 'node' as const,
          pool: 'forks' as const,
          isolate: isShared !== true,
          testTimeout: timeoutMs,
          hookTimeout: timeoutMs,
          // What never comes is found out late; what comes late under load is no fault.
          expect: { poll: { timeout: 15_000 } },
          teardownTimeout: 30_000,
          ...(workers === undefined ? {} : { maxWorkers: workers, fileParallelism: workers > 1 }),
          globalSetup: name === 'kafka' ? ['test/support/kafka/global-setup.ts'] : [],
          sequence: { groupOrder: order },
        },
      }),
    ),
  },
});
