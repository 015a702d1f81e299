import type { Reporter, SerializedError, TestModule, TestSuite } from 'vitest/node';

/** What a run came to. */
export type Tally = { passed: number; failed: number; skipped: number };

/**
 * Counts the tests of a run. Everything that makes a run bad counts as failed: a test, a file that
 * could not be loaded, a suite whose hook threw, an error outside of any test, and a test that
 * never ended.
 */
export function tally(modules: readonly TestModule[], unhandledErrors: number): Tally {
  const sum: Tally = { passed: 0, failed: unhandledErrors, skipped: 0 };
  for (const module of modules) {
    sum.failed += brokenGroups(module);
    for (const test of module.children.allTests()) {
      const state = test.result().state;
      if (state === 'passed') sum.passed += 1;
      else if (state === 'skipped') sum.skipped += 1;
      else sum.failed += 1;
    }
  }
  return sum;
}

/** Files and suites that failed by themselves, not through one of their tests. */
function brokenGroups(module: TestModule): number {
  const groups: (TestModule | TestSuite)[] = [module, ...module.children.allSuites()];
  return groups.filter((group) => group.errors().length > 0).length;
}

/** The last line of a run: `N passed, N failed`, and `, N skipped` if any were. */
export function summaryLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * Prints the summary line as the very last output of `vitest run`. It is written when the process
 * exits, because other reporters and vitest itself still write after `onTestRunEnd`.
 */
export class SummaryReporter implements Reporter {
  #tally: Tally = { passed: 0, failed: 0, skipped: 0 };

  onInit(): void {
    process.once('exit', (code) => this.#print(code));
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    this.#tally = tally(modules, errors.length);
  }

  /** A run that exits badly never reads `0 failed`, whatever the reason was. */
  #print(code: number): void {
    if (code !== 0 && this.#tally.failed === 0) this.#tally.failed = 1;
    process.stdout.write(`${summaryLine(this.#tally)}\n`);
  }
}
