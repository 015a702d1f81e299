import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/doc-code.ts';
import { killed } from '../support/gateway-process.ts';
import { NODE, startProgram } from '../support/run-cli.ts';

/**
 * npm passes a signal to its shell, and a shell that waits for Node dies of it and leaves the
 * gateway behind, with the port and the data directory: hence `exec` in the scripts.
 */
test('SIGTERM to `npm start` stops the gateway, in order', async () => {
  const argv = ['start', '--', '--log', 'memory', '--listen', '127.0.0.1:0'];
  const env = { PATH: `${dirname(NODE)}:${process.env['PATH']}` };
  const npm = startProgram('npm', argv, { cwd: ROOT, env });
  const ready = await npm.stdoutWith(/^tidegate ready .*\n/m);
  const { code, stderr } = await killed(npm, 'SIGTERM');
  expect(code).toBe(0);
  expect(stderr).toContain('stopping');
  expect(stderr).toMatch(/"sessions":0,"remaining":0,"seconds":[\d.]+,"msg":"stopped: /);
  const [http = ''] = /http:\/\/\S+/.exec(ready) ?? [];
  await expect(fetch(`${http}/healthz`)).rejects.toThrow();
});
