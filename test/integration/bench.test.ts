import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
const NODE = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));

/** Whether the benchmarks still run; their figures need a machine of their own. */
test.each([
  ['overload', /^\d+ bounds, \d+ missed$/],
  ['curve', /^2 loads$/],
  ['storm', /^\d+ bounds, \d+ missed$/],
])(
  'the benchmark %s runs to its end',
  async (name, lastLine) => {
    const { stdout, stderr } = await promisify(execFile)(NODE, [MAIN, name, '--quick']);
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(lastLine);
  },
  120_000,
);
