import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { codeIn, ROOT } from '../support/doc-code.ts';
import { startGateway } from '../support/gateway-process.ts';
import { type LogLine, tailed } from '../support/read-log.ts';

test('the device in the README runs as it stands there, and its readings are in the log', async () => {
  const gateway = await startGateway();
  const child = spawn(process.execPath, ['--input-type=module', '-'], {
    cwd: ROOT,
    env: { ...process.env, TIDEGATE_URL: gateway.ws },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // By its name it is found where the package is installed: test/integration/package.test.ts.
  const code = codeIn('README.md', 'js', 'connectDevice');
  child.stdin.end(code.replace('tidegate/client', './src/adapters/device/device-client.ts'));
  const said = await text(child.stdout);
  if (child.exitCode === null) await once(child, 'close');
  expect(child.exitCode).toBe(0);
  for (const kind of ['connecting', 'live', 'acked', 'closed']) expect(said).toContain(kind);
  const readings = await tailed<LogLine>(gateway.data, 'readings');
  const columns = readings.flatMap(({ blocks }) => blocks.flatMap(({ cols }) => cols));
  expect(columns).toMatchObject([
    { topic: 'plant1/pump-17/temperature', unit: 'Cel', v: [21.5] },
    { topic: 'plant1/pump-17/acc/x', unit: 'm/s2', v: [512 * (9.80665 / 16_384)] },
  ]);
  const alarms = await tailed<LogLine>(gateway.data, 'alarms');
  expect(alarms.flatMap(({ device }) => device)).toEqual(['plant1/pump-17']);
  await gateway.stop();
});
