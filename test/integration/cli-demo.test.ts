import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, startCli } from '../support/run-cli.ts';
import { securedPlace, tokenOf } from '../support/secured-gateway.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-demo-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Ids of the processes that `parent` started. */
function childrenOf(parent: number): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n');
  const pairs = rows.map((row) => row.trim().split(/\s+/).map(Number));
  return pairs.filter(([, ppid]) => ppid === parent).map(([pid]) => pid as number);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits until the gateway counts so many sessions, and returns its metrics. */
async function metricsWith(page: string, sessions: number, headers = {}): Promise<string> {
  for (;;) {
    const text = await (await fetch(`${page}metrics`, { headers })).text();
    if (text.includes(`tidegate_sessions ${sessions}\n`)) return text;
    await sleep(100);
  }
}

describe('tidegate demo', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'prints the address of a page that devices fill, and ends both at %s',
    async (signal) => {
      const data = join(folder, signal);
      const argv = ['demo', '--devices', '3', '--listen', '127.0.0.1:0', '--data', data];
      // A Kafka that is configured somewhere must not be asked by a demo.
      const child = startCli(argv, { env: { KAFKA_BROKERS: 'localhost:1' } });
      const stdout = await child.stdoutWith(/Look at +http:\S+/);
      const page = /Look at +(http:\S+)/.exec(stdout)?.[1] as string;
      expect((await fetch(page)).status).toBe(200);
      await metricsWith(page, 3);
      const pids = childrenOf(child.process.pid as number);
      expect(pids).toHaveLength(2);
      child.process.kill(signal);
      const { code, stderr } = await child.ended;
      expect(code).toBe(0);
      expect(stderr).toContain('Ctrl-C again ends both at once');
      expect(pids.filter(isRunning)).toEqual([]);
      await expect(fetch(page)).rejects.toThrow();
    },
  );

  it('gives its devices tokens when the gateway asks for them', async () => {
    const place = securedPlace();
    const argv = ['demo', '--devices', '3', '--listen', '127.0.0.1:0', '--config', place.config];
    const child = startCli([...argv, '--data', join(folder, 'secured')]);
    const stdout = await child.stdoutWith(/Look at +http:\S+/);
    expect(stdout).toContain('It asks for a token: tidegate token --name me');
    const page = /Look at +(http:\S+)/.exec(stdout)?.[1] as string;
    const token = await tokenOf({ isMetricsReader: true });
    await metricsWith(page, 3, { Authorization: `Bearer ${token}` });
    child.process.kill('SIGINT');
    expect((await child.ended).code).toBe(0);
    await rm(place.directory, { recursive: true });
  });

  it('says so when the port is taken, and leaves nothing running', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const argv = ['demo', '--listen', address, '--data', join(folder, 'taken')];
    const { code, stdout, stderr } = await runCli(argv);
    server.close();
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
    expect(stderr).toContain(`${address} is in use`);
    expect(stderr).toContain('tidegate demo --listen 127.0.0.1:0');
  });

  it('checks everything before it starts anything', async () => {
    const { code, stderr } = await runCli(['demo', '--devices', 'many', '--shards', 'x']);
    expect(code).toBe(78);
    expect(stderr).toContain('2 faults');
    expect(stderr).toContain('--devices "many": expected a whole number from 1 to 20000');
  });
});
