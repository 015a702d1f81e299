import { createSecretKey } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { SECRET, type SecuredPlace, securedPlace } from '../support/secured-gateway.ts';

let place: SecuredPlace;
beforeAll(() => {
  place = securedPlace();
});
afterAll(() => rmSync(place.directory, { recursive: true }));

const token = (...argv: string[]) => runCli(['token', '--config', place.config, ...argv]);

describe('tidegate token', () => {
  test.each<[string, string[], string, string, number]>([
    ['a device', ['--device', 'a/b', '--expires', '90d'], 'a/b', 'publish', 90 * 86_400],
    ['a reader', ['--name', 'al', '--read', 'a/+/t', '--expires', '1h'], 'al', 'read:a/+/t', 3600],
    ['a scraper', ['--name', 'p@x', '--metrics', '--expires', '90'], 'p@x', 'metrics', 90],
    [
      'a device that reads',
      ['--device', 'a', '--read', 'a/#', 'b/#', '--read', '#', '--metrics', '--expires', '1.5s'],
      'a',
      'publish read:a/# read:b/# read:# metrics',
      1,
    ],
  ])('for %s', async (_, argv, sub, scope, lifetimeS) => {
    const { code, stdout, stderr } = await token(...argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    // Anybody with the secret can check it: nothing of ours is needed.
    const key = createSecretKey(Buffer.from(SECRET));
    const currentDate = new Date(0);
    const { payload, protectedHeader } = await jwtVerify(stdout.trim(), key, { currentDate });
    expect(protectedHeader.alg).toBe('HS256');
    expect(payload).toMatchObject({ sub, scope });
    expect((payload.exp as number) - (payload.iat as number)).toBe(lifetimeS);
    expect(Math.abs((payload.iat as number) - Date.now() / 1000)).toBeLessThan(30);
  });

  test('finds the configuration as serve does', async () => {
    const argv = ['token', '--device', 'a', '--expires', '1d'];
    const env = { KAFKA_BROKERS: 'nonsense, as the log does not matter here' };
    expect(await runCli(argv, { cwd: place.directory, env })).toMatchObject({ code: 0 });
  });

  test.each<[string, string[], string[]]>([
    [
      'nothing said',
      [],
      [
        '--device, --name: exactly one of them is needed',
        '--read: without --device a token needs --read or --metrics, or it allows nothing',
        '--expires: is needed: how long the token is good for, such as 12h or 90d',
      ],
    ],
    [
      'everything wrong',
      ['--device', 'a//b', '--name', 'a b', '--read', 'x/#/y', '--expires', 'soon', '--exp'],
      [
        '--exp: unknown option, did you mean --help?',
        '--device, --name: exactly one of them is needed',
        '--device "a//b": expected a device path',
        '--name "a b": expected 1 to 128 characters',
        '--read "x/#/y": expected a pattern',
        '--expires "soon": expected a duration, such as 30s, 5m, 1h or 7d',
      ],
    ],
    [
      'a name without scopes',
      ['--name', 'al', '--expires', '1d'],
      ['--read: without --device a token needs --read or --metrics'],
    ],
    ['a moment', ['--device', 'a', '--expires', '999ms'], ['--expires "999ms": expected at least']],
    ['an age', ['--device', 'a', '--expires', '3651d'], ['--expires "3651d": expected at most']],
    [
      'too many patterns',
      ['--name', 'a', '--expires', '1d', '--read', ...Array.from({ length: 65 }, (_, i) => `${i}`)],
      ['--read: at most 64 patterns'],
    ],
    [
      'too long patterns',
      [
        '--name',
        'a',
        '--expires',
        '1d',
        '--read',
        ...Array<string>(30).fill(`${'x/'.repeat(60)}y`),
      ],
      ['--read: the token would be longer than 4096 bytes'],
    ],
  ])('%s: every fault at once', async (_, argv, faults) => {
    const { code, stdout, stderr } = await token(...argv);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr.split('\n').slice(1, -2)).toEqual(
      faults.map((fault) => expect.stringContaining(`  ${fault}`) as string),
    );
  });

  test('faults of the configuration stand beside those of the command line', async () => {
    const config = join(place.directory, 'bad.yaml');
    writeFileSync(config, 'shards: none\nauth: {hs256: {secretFile: ./hunter2}}\n');
    const { code, stderr } = await runCli(['token', '--config', config, '--device', 'a']);
    expect(code).toBe(78);
    expect(stderr).toContain('3 faults');
    expect(stderr).toContain('--expires: is needed');
    expect(stderr).toContain('bad.yaml:1 shards "none"');
    expect(stderr).toContain('bad.yaml:2 auth.hs256.secretFile: there is no file');
    expect(stderr).not.toContain('hunter2');
  });

  test('without auth there is nothing to sign with', async () => {
    const { code, stderr } = await runCli(['token', '--device', 'a', '--expires', '1d'], {
      cwd: join(place.directory, '..'),
    });
    expect(code).toBe(78);
    expect(stderr).toContain('auth.hs256.secretFile: is not configured');
  });
});

describe('a gateway that asks for tokens', () => {
  const listen = ['--listen', '0.0.0.0:0', '--log', 'memory'];

  test('does not start beyond loopback without a word on the network', async () => {
    const { code, stderr } = await runCli(['serve', '--config', place.config, ...listen]);
    expect(code).toBe(78);
    expect(stderr).toContain('--listen: without TLS only loopback is served, unless the file says');
  });

  test('may, when the network is trusted, and its secret is never shown', async () => {
    const config = join(place.directory, 'trusted.yaml');
    const { secretFile } = place;
    const settings = { auth: { hs256: { secretFile } }, listen: { plaintext: 'trusted-network' } };
    writeFileSync(config, JSON.stringify(settings));
    const shown = await runCli(['config', '--config', config, ...listen]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^listen\.plaintext {2,}trusted-network {2,}file /m);
    expect(shown.stdout).toContain(`auth.hs256.secretFile    ${secretFile}  file`);
    const json = await runCli(['config', '--json', '--config', config, ...listen]);
    expect(JSON.parse(json.stdout).auth).toEqual({
      value: { hs256: { secretFile } },
      origin: expect.stringContaining('trusted.yaml:1 auth.hs256.secretFile'),
    });
    expect(shown.stdout + json.stdout).not.toContain(SECRET);
  });

  test.each<[string, string, string]>([
    ['short', 'too short\n', 'it holds 9 bytes'],
    ['empty', '', 'it holds 0 bytes'],
  ])('does not start with a secret that is %s', async (_, secret, says) => {
    const other = securedPlace();
    writeFileSync(other.secretFile, secret);
    const { code, stderr } = await runCli(['serve', '--log', 'memory', '--config', other.config]);
    rmSync(other.directory, { recursive: true });
    expect(code).toBe(78);
    expect(stderr).toContain(`secretFile: the file is no secret: ${says}`);
  });

  test('does not start without its secret', async () => {
    const other = securedPlace();
    rmSync(other.secretFile);
    const { code, stderr } = await runCli(['serve', '--log', 'memory', '--config', other.config]);
    rmSync(other.directory, { recursive: true });
    expect(code).toBe(78);
    expect(stderr).toContain('secretFile: there is no file of the name that stands here');
  });
});
