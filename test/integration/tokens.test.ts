import { generateKeyPairSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metric, type RunningGateway } from '../support/gateway-process.ts';
import { RawClient, refusedUpgrade } from '../support/raw-client.ts';
import { runCli } from '../support/run-cli.ts';
import {
  SECRET,
  type SecuredPlace,
  securedPlace,
  startSecured,
  tokenOf,
} from '../support/secured-gateway.ts';

let place: SecuredPlace;
let gateway: RunningGateway;
beforeAll(async () => {
  place = securedPlace();
  gateway = await startSecured(place);
});
afterAll(async () => {
  const { code, stderr } = await gateway.stop();
  expect(code).toBe(0);
  expect(stderr).toContain('devices and readers need tokens');
  // Others may read what `securedPlace` writes.
  expect(stderr.split('chmod 600')).toHaveLength(2);
  expect(stderr).toContain('connections are refused or ended: missing or bad credential');
  expect(stderr).toContain('stopped: the log has everything');
  // Neither a token, nor what somebody showed for one, nor the secret.
  expect(stderr).not.toMatch(new RegExp(`eyJ|planted-nonsense|${SECRET}`));
  rmSync(place.directory, { recursive: true });
});

const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` });
const DEVICE = { subject: 'plant1/pump', isPublisher: true };
const READER = { subject: 'alice', reads: ['plant1/#'] };
const SCRAPER = { subject: 'prometheus', isMetricsReader: true };

type Way = 'header' | 'tok';

/** How a session with this token ends, or that it is welcome. */
async function knock(token: string | null, way: Way, isPublishing: boolean): Promise<number> {
  const headers = token !== null && way === 'header' ? bearer(token) : {};
  const client = await RawClient.open(gateway.ws, 'tidegate.v1.cbor', headers).catch(
    (error: Error) => error,
  );
  if (client instanceof Error) return Number(/\d{3}$/.exec(client.message)?.[0]);
  client.say({
    k: 'hello',
    ch: isPublishing ? [[1, 1, 1]] : undefined,
    tok: token !== null && way === 'tok' ? token : undefined,
  });
  const welcome = client.until('welcome').then(
    () => 0,
    () => client.closed.then(({ code }) => code),
  );
  const end = await welcome;
  client.socket.terminate();
  return end;
}

/** Status of GET with this token. */
async function get(path: string, token: string | null): Promise<number> {
  const headers = token === null ? {} : bearer(token);
  return (await fetch(gateway.http + path, { headers })).status;
}

describe('who may do what', () => {
  test.each<[string, () => Promise<string> | null, object]>([
    [
      'nobody',
      () => null,
      { publish: [4003, 4003], read: [4003, 4003], api: 401, stats: 401, metrics: 401 },
    ],
    [
      'a device',
      () => tokenOf(DEVICE),
      { publish: [0, 0], read: [0, 0], api: 403, stats: 403, metrics: 403 },
    ],
    [
      'a reader',
      () => tokenOf(READER),
      { publish: [4004, 4004], read: [0, 0], api: 200, stats: 200, metrics: 403 },
    ],
    [
      'a scraper',
      () => tokenOf(SCRAPER),
      { publish: [403, 4004], read: [403, 4004], api: 403, stats: 403, metrics: 200 },
    ],
    [
      'somebody who may do everything',
      () => tokenOf({ ...DEVICE, reads: ['#'], isMetricsReader: true }),
      { publish: [0, 0], read: [0, 0], api: 200, stats: 200, metrics: 200 },
    ],
    [
      'a publisher whose subject is no path',
      () => tokenOf({ subject: 'pump@plant1', isPublisher: true }),
      { publish: [403, 4004], read: [403, 4004], api: 403, stats: 403, metrics: 403 },
    ],
    [
      'a token of another secret',
      () => tokenOf({ ...DEVICE, reads: ['#'], isMetricsReader: true }, 'x'.repeat(40)),
      { publish: [401, 4003], read: [401, 4003], api: 401, stats: 401, metrics: 401 },
    ],
    [
      'a token that has expired',
      () => tokenOf({ ...DEVICE, reads: ['#'], isMetricsReader: true, lifetimeS: -1 }),
      { publish: [401, 4003], read: [401, 4003], api: 401, stats: 401, metrics: 401 },
    ],
    [
      'a device path, as in open mode',
      () => Promise.resolve('plant1/pump'),
      { publish: [401, 4003], read: [401, 4003], api: 401, stats: 401, metrics: 401 },
    ],
  ])('%s', async (_, mint, expected) => {
    const token = await mint();
    expect({
      publish: [await knock(token, 'header', true), await knock(token, 'tok', true)],
      read: [await knock(token, 'header', false), await knock(token, 'tok', false)],
      api: await get('/api', token),
      stats: await get('/api/stats', token),
      metrics: await get('/metrics', token),
    }).toEqual(expected);
    for (const path of ['/', '/page.js', '/healthz', '/readyz']) {
      expect(await get(path, token)).toBe(200);
    }
    expect(await get('/api/nothing', token)).not.toBe(200);
  });
});

describe('tokens that nobody with the secret has signed', () => {
  const base64url = (value: object): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'plant1/pump', scope: 'publish read:# metrics', exp: 4e9 };
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

  test.each<[string, () => string | Promise<string>]>([
    ['alg none', () => `${base64url({ alg: 'none' })}.${base64url(claims)}.`],
    ['RS256', () => new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(rsa)],
    ['the signature cut off', async () => (await tokenOf(DEVICE)).replace(/[^.]+$/, '')],
  ])('%s', async (_, make) => {
    const token = await make();
    expect(await knock(token, 'header', true)).toBe(401);
    expect(await knock(token, 'tok', true)).toBe(4003);
    expect(await get('/metrics', token)).toBe(401);
  });
});

describe('a refusal says what is wrong and how to ask', () => {
  test('of an upgrade', async () => {
    const token = await tokenOf(DEVICE, 'y'.repeat(40));
    const refused = await refusedUpgrade(gateway.ws, ['tidegate.v1.cbor'], bearer(token));
    expect(refused).toEqual({
      status: 401,
      body: { error: 4003, message: 'the token was not signed with the secret of this gateway' },
    });
  });

  test('of a request', async () => {
    const none = await fetch(`${gateway.http}/api`);
    expect([none.status, none.headers.get('WWW-Authenticate')]).toEqual([401, 'Bearer']);
    expect(await none.json()).toEqual({ error: 4003, message: 'a bearer token is needed here' });
    const headers = bearer(await tokenOf(DEVICE));
    const useless = await fetch(`${gateway.http}/metrics`, { headers });
    expect(useless.headers.get('WWW-Authenticate')).toBeNull();
    expect(await useless.json()).toEqual({
      error: 4004,
      message: 'this token has no metrics scope',
    });
  });

  test('no credential stands in an address or in a cookie', async () => {
    const token = await tokenOf(READER);
    expect(await get(`/api?token=${token}&access_token=${token}`, null)).toBe(401);
    const headers = { Cookie: `token=${token}; tidegate.token=${token}` };
    expect((await fetch(`${gateway.http}/api`, { headers })).status).toBe(401);
  });
});

test('other names and other origins are let in: a token is what counts', async () => {
  const headers = {
    ...bearer(await tokenOf(READER)),
    Host: 'gateway.example',
    Origin: 'https://elsewhere.example',
  };
  const status = await new Promise((resolve, reject) => {
    const asking = request(`${gateway.http}/api`, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asking.on('error', reject).end();
  });
  expect(status).toBe(200);
  const client = await RawClient.open(gateway.ws, 'tidegate.v1.json', headers);
  client.say({ k: 'hello' });
  await client.until('welcome');
  client.socket.terminate();
});

test('a reader sees what its scopes allow, now and later', async () => {
  const publish = async (path: string): Promise<RawClient> => {
    const headers = bearer(await tokenOf({ ...DEVICE, subject: path }));
    const device = await RawClient.open(gateway.ws, 'tidegate.v1.cbor', headers);
    device.say({ k: 'hello', ch: [[1, 1, 1]] });
    await device.until('welcome');
    device.say({ k: 'def', c: 1, s: 1, cols: [['temp', 'Cel']] });
    device.say({ k: 'data', c: 1, n: 1, b: [{ s: 1, t: Date.now() * 1000, v: [[21.5]] }] });
    await device.until('flow', ({ f }) => f.some(([lane, ack]) => lane === 1 && ack === 1));
    return device;
  };
  const devices = [await publish('plant1/a'), await publish('plant2/a')];
  const reader = await RawClient.open(gateway.ws, 'tidegate.v1.json');
  reader.say({ k: 'hello', tok: await tokenOf(READER) });
  await reader.until('welcome');
  reader.say({ k: 'sub', c: 1, p: ['#'], win: 1000 });
  reader.say({ k: 'sub', c: 2, p: ['plant2/#'], win: 1000 });
  expect(await reader.until('state', ({ c }) => c === 2)).toMatchObject({ st: 4, e: 4004 });
  await reader.until('state', ({ c, st }) => c === 1 && st === 2);
  devices.push(await publish('plant2/b'), await publish('plant1/b'));
  await reader.until('def', ({ ser = [] }) => ser.some(([, topic]) => topic === 'plant1/b/temp'));
  const topics = reader.messages.flatMap((message) =>
    message.k === 'def' ? (message.ser ?? []).map(([, topic]) => topic) : [],
  );
  expect(topics.sort()).toEqual(['plant1/a/temp', 'plant1/b/temp']);
  for (const { socket } of [...devices, reader]) socket.terminate();
});

describe('a token that expires', () => {
  test.each<Way>(['header', 'tok'])('ends its session with 4003 (%s)', async (way) => {
    const token = await tokenOf({ ...READER, lifetimeS: 3 });
    const headers = way === 'header' ? bearer(token) : {};
    const client = await RawClient.open(gateway.ws, 'tidegate.v1.json', headers);
    client.say({ k: 'hello', ...(way === 'tok' && { tok: token }) });
    await client.until('welcome');
    expect((await client.closed).code).toBe(4003);
    const aways = client.messages.filter(({ k }) => k === 'away');
    expect(aways).toEqual([{ k: 'away', e: 4003, m: 'the token has expired' }]);
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
    expect(Date.now()).toBeLessThan(exp * 1000 + 2000);
  });

  test('tells its session a minute before, and serves on', async () => {
    const headers = bearer(await tokenOf({ ...READER, lifetimeS: 62 }));
    const client = await RawClient.open(gateway.ws, 'tidegate.v1.json', headers);
    client.say({ k: 'hello' });
    await client.until('welcome');
    expect(await client.until('away')).toMatchObject({ e: 4202, w: 30_000, dl: 60_000 });
    client.say({ k: 'ping', now: 7 });
    await client.until('flow', ({ echo }) => echo === 7);
    client.socket.terminate();
  });
});

describe('tidegate simulate', () => {
  const fleet = ['--devices', '3', '--rate', '50', '--duration', '1s', '--json', '--prefix'];
  const simulate = (...argv: string[]) => runCli(['simulate', '--url', gateway.ws, ...argv]);

  test('shows a token per device that it signs itself', async () => {
    const { code, stdout } = await simulate('--secret-file', place.secretFile, ...fleet, 'with');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ devices: 3, unacked: 0, reconnects: 0 });
    expect(JSON.parse(stdout).framesAcked).toBeGreaterThan(0);
  });

  test('says what is missing without', async () => {
    const { code, stderr } = await simulate(...fleet, 'without');
    expect(code).toBe(1);
    expect(stderr).toContain('HTTP 401 (this is no token');
    expect(stderr).toContain('With --secret-file FILE the devices show tokens.');
  });

  test('with another secret tries once more and stops', async () => {
    const other = securedPlace('z'.repeat(32));
    const { code, stderr } = await simulate('--secret-file', other.secretFile, ...fleet, 'other');
    rmSync(other.directory, { recursive: true });
    expect(code).toBe(1);
    expect(stderr).toContain('not signed with the secret of this gateway');
  });

  test('does not begin without a good secret', async () => {
    const { code, stderr } = await simulate('--secret-file', place.directory, '--rate', 'x');
    expect(code).toBe(78);
    expect(stderr).toContain('2 faults');
    expect(stderr).toContain('--secret-file: the file that is named here cannot be read (EISDIR)');
  });
});

test('what became of tokens is counted', async () => {
  const token = await tokenOf(SCRAPER);
  const count = (name: string): Promise<number> => metric(gateway.http, name, bearer(token));
  const refused = 'tidegate_auth_tokens_refused_total{code="4003"}';
  const known = 'tidegate_auth_tokens_accepted_total{outcome="known"}';
  const [refusedBefore, knownBefore] = [await count(refused), await count(known)];
  await get('/metrics', 'planted-nonsense');
  expect(await count(refused)).toBe(refusedBefore + 1);
  expect(await count(known)).toBeGreaterThan(knownBefore);
});
