import { startVitest } from 'vitest/node';
import { ConformanceReporter } from './reporter.ts';

/** `npm run test:conformance`: the suite, and a summary whose last line counts ids. */
const vitest = await startVitest('test', process.argv.slice(2), {
  project: ['conformance'],
  reporters: ['default', new ConformanceReporter()],
  watch: false,
});
await vitest.close();
