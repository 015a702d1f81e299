import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { SETTINGS } from '../../src/config/settings.ts';
import { metric } from '../support/gateway-process.ts';
import { runCli, startCli } from '../support/run-cli.ts';

interface Service {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
}

const DEPLOY = join(import.meta.dirname, '../../deploy');
const read = (name: string): string => readFileSync(join(DEPLOY, name), 'utf8');
const { services, volumes } = parse(read('compose.yaml')) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const serviceOf = (name: string): Service => services[name] ?? {};

test('every TIDEGATE_ variable of the compose file is one that the configuration knows', () => {
  const known = new Set(Object.values(SETTINGS).flatMap(({ env }) => env as readonly string[]));
  const used = Object.values(services).flatMap(({ environment }) => Object.keys(environment ?? {}));
  const ours = used.filter((name) => name.startsWith('TIDEGATE_'));
  expect(ours.length).toBeGreaterThan(0);
  expect(ours.filter((name) => !known.has(name))).toEqual([]);
});

test('what services depend on and mount is there', () => {
  for (const { depends_on: needs = {}, volumes: mounts = [] } of Object.values(services)) {
    for (const name of Object.keys(needs)) expect(Object.keys(services)).toContain(name);
    for (const mount of mounts) {
      const [from = ''] = mount.split(':');
      if (from.startsWith('./')) expect(read(from.slice(2))).not.toBe('');
      else expect(Object.keys(volumes)).toContain(from);
    }
  }
});

test('the image has what the commands need, runs as nobody special, and is asked for its health', () => {
  const image = read('Dockerfile');
  expect(image).toMatch(/^USER node$/m);
  expect(image).toMatch(/^HEALTHCHECK /m);
  // It runs as `npm start` does, with the same flags of Node.
  const [, entry = '[]'] = /^ENTRYPOINT (.*)$/m.exec(image) ?? [];
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect([...JSON.parse(entry), 'serve']).toEqual(scripts.start.split(' ').slice(1));
  for (const folder of ['src', 'simulators']) expect(image).toContain(`COPY ${folder} ./${folder}`);
});

test('the commands of the compose file, run as processes, move data', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-deploy-'));
  const secret = join(directory, 'hs256');
  writeFileSync(secret, 'a secret of at least thirty-two bytes, for this test');
  const config = join(directory, 'tidegate.yaml');
  writeFileSync(config, read('tidegate.yaml').replaceAll('/secret/hs256', secret));
  const here = (ws: string) => (word: string) =>
    word
      .replaceAll('/secret/hs256', secret)
      .replaceAll('/app/tidegate.yaml', config)
      .replaceAll('ws://gateway:8080/v1', ws);
  const env = {
    ...serviceOf('gateway').environment,
    TIDEGATE_LISTEN: '127.0.0.1:0',
    TIDEGATE_KAFKA_BROKERS: inject('kafkaBrokers').join(','),
    TIDEGATE_KAFKA_PREFIX: `deploy-${process.pid}-${Date.now()}`,
    TIDEGATE_SHARDS: '4',
  };
  const gateway = startCli((serviceOf('gateway').command ?? []).map(here('')), { env });
  try {
    const [, , http = '', ws = ''] = (await gateway.stdoutWith(/^tidegate ready .*\n/)).split(' ');
    const simulate = [...(serviceOf('simulator').command ?? []), '--duration', '2s', '--json'];
    const fleet = await runCli(simulate.map(here(ws)));
    expect(fleet.code, fleet.stderr).toBe(0);
    const summary = JSON.parse(fleet.stdout.trim().split('\n').at(-1) ?? '{}');
    expect(summary).toMatchObject({ devices: 20, unacked: 0 });
    const minted = await runCli((serviceOf('token').command ?? []).map(here(ws)));
    expect(minted.code, minted.stderr).toBe(0);
    const token = minted.stdout.trim();
    expect((await fetch(`${http}/metrics`)).status).toBe(401);
    const headers = { Authorization: `Bearer ${token}` };
    const outcome = 'tidegate_ingest_frames_settled_total{outcome="durable"}';
    expect(await metric(http, outcome, headers)).toBe(summary.framesAcked);
  } finally {
    gateway.process.kill('SIGTERM');
    await gateway.ended;
  }
});
