import { expect } from 'vitest';
import type { Grant } from '../../src/adapters/auth/token-mint.ts';
import { tokenOf } from '../support/secured-gateway.ts';
import { Bed, useBed } from './bed.ts';
import { dashboard, Peer } from './peer.ts';
import { CODECS, HTTP, rule } from './rule.ts';
import { bearing, refused } from './upgrade.ts';

/** §2.1 and §15 with tokens: credentials, scopes, room. */

const bed = useBed({ isSecured: true });

const deviceToken = (subject: string, grant: Partial<Grant> = {}): Promise<string> =>
  tokenOf({ subject, isPublisher: true, ...grant });

/** Room for one device with lanes 0 and 1, a fitting reserve for lane 0, and no more. */
const ONE_DEVICE = 24_000;

rule(
  'R2.1-8 R10.3-5',
  'a bad token is 401 and one without scopes 403, before the upgrade',
  HTTP,
  async () => {
    const forged = await tokenOf(
      { isPublisher: true, subject: 'a' },
      'another secret of 32 characters and more',
    );
    for (const token of ['rubbish', forged, await deviceToken('a', { lifetimeS: -10 })]) {
      expect(await refused(bed(), { headers: bearing(token) })).toMatchObject({
        status: 401,
        error: 4003,
      });
    }
    const useless = await refused(bed(), { headers: bearing(await tokenOf({})) });
    expect(useless).toMatchObject({ status: 403, error: 4004 });
  },
);

rule(
  'R2.1-10 R13-11',
  'hello.tok: a bad token, or none outside open mode ⇒ 4003',
  CODECS,
  async (codec) => {
    for (const tok of ['rubbish', undefined]) {
      const peer = await Peer.open(bed(), codec);
      peer.say('hello', { tok, ch: [[1, 1, 1]] });
      const { away, code } = await peer.end();
      expect([away?.e, code]).toEqual([4003, 4003]);
    }
    const good = await Peer.open(bed(), codec);
    await good.hello({ tok: await deviceToken(bed().newDevice()), ch: [[1, 1, 1]] });
  },
);

rule(
  'R2.1-11',
  'an unauthenticated peer is sent its away before the close',
  CODECS,
  async (codec) => {
    const peer = await Peer.open(bed(), codec);
    peer.say('hello');
    await peer.closed;
    expect(peer.heard.map(({ k, e }) => [k, e])).toEqual([['away', 4003]]);
  },
);

rule(
  'R2.1-12',
  'on a connection authenticated before the upgrade tok is ignored',
  CODECS,
  async (codec) => {
    const device = bed().newDevice();
    for (const tok of ['rubbish', await deviceToken('another/device')]) {
      const peer = await Peer.open(bed(), codec, { bearer: await deviceToken(device) });
      await peer.hello({ tok, ch: [[1, 1, 1]] });
      peer.say('def', { c: 1, s: 1, cols: [['temp']] });
      const { length } = bed().log.of(device);
      peer.frame({ n: 1 });
      await peer.acked(1);
      expect(bed().log.of(device)).toHaveLength(length + 1);
    }
    expect(bed().log.of('another/device')).toEqual([]);
  },
);

rule('R2.1-13', 'a cookie or a token in the URL is no credential', CODECS, async (codec) => {
  const token = await deviceToken(bed().newDevice());
  const headers = { Cookie: `tok=${token}; token=${token}; Authorization=${token}` };
  const path = `/v1?tok=${token}&token=${token}&access_token=${token}`;
  const peer = await Peer.open(bed(), codec, { headers, path });
  peer.say('hello', { ch: [[1, 1, 1]] });
  expect((await peer.end()).code).toBe(4003);
  const answer = await fetch(`http://${bed().host}/api?access_token=${token}`, { headers });
  expect(answer.status).toBe(401);
});

rule('R2.1-8', 'refused load is 503 or 429 with Retry-After', HTTP, async () => {
  const full = await new Bed({ budgetBytes: 1 }).open();
  const { status, headers, error } = await refused(full, { headers: bearing('a') });
  expect([status, error]).toEqual([503, 4100]);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  full.close();
});

rule(
  'R2.1-22 R13-18',
  'a full node: a hello without lane 0 ⇒ 4100 while a lane 0 reserve is free',
  CODECS,
  async (codec) => {
    const small = await new Bed({
      budgetBytes: codec === 'cbor' ? ONE_DEVICE * 3 : ONE_DEVICE * 12,
    }).open();
    const answers: (string | number)[] = [];
    for (let i = 0; i < 100; i += 1) {
      const peer = await Peer.open(small, codec, { bearer: `bulk/d${i}` }).catch(() => null);
      if (peer === null) break;
      peer.say('hello', { ch: [[1, 1, 1]] });
      await peer.event();
      const [first] = peer.heard;
      answers.push(first?.k === 'away' ? first.e : (first?.k ?? ''));
      if (first?.k === 'away') break;
    }
    expect(answers[0]).toBe('welcome');
    expect(answers.at(-1)).toBe(4100);
    const critical = await Peer.open(small, codec, { bearer: 'critical' });
    expect((await critical.hello({ ch: [[0, 1, 1]] })).ch).toEqual([[0, 1, 1984]]);
    small.close();
  },
);

rule('R4.1-5 R13-12', 'ch without publish scope ⇒ 4004', CODECS, async (codec) => {
  const reader = await tokenOf({ subject: 'reader', reads: ['#'] });
  const peer = await Peer.open(bed(), codec, { bearer: reader });
  peer.say('hello', { ch: [[1, 1, 1]] });
  const { away, code } = await peer.end();
  expect([away?.e, code]).toEqual([4004, 4004]);
});

rule(
  'R15-1',
  '/api and /metrics need a read scope; page, /healthz and /readyz need nothing',
  HTTP,
  async () => {
    const get = async (path: string, token?: string): Promise<number> => {
      const headers = token === undefined ? {} : bearing(token);
      return (await fetch(`http://${bed().host}${path}`, { headers })).status;
    };
    for (const path of ['/', '/page.js', '/healthz', '/readyz'])
      expect(await get(path), path).toBe(200);
    const reader = await tokenOf({ reads: ['#'], isMetricsReader: true });
    const device = await deviceToken(bed().newDevice());
    for (const path of ['/api', '/metrics']) {
      expect([await get(path), await get(path, device), await get(path, reader)], path).toEqual([
        401, 403, 200,
      ]);
    }
  },
);

rule(
  'R15-1 R1-2',
  'outside open mode a device is what its token says, and publishes below that only',
  CODECS,
  async (codec) => {
    const device = bed().newDevice();
    const peer = await Peer.open(bed(), codec, { bearer: await deviceToken(device) });
    await peer.hello({ ch: [[1, 1, 1]], device: 'other', sub: 'other', path: 'other' });
    peer.say('def', { c: 1, s: 1, of: 'part', cols: [['temp']] });
    peer.frame({ n: 1 });
    await peer.acked(1);
    expect(bed().log.of(device)).toHaveLength(1);
    const escaping = await Peer.open(bed(), codec, {
      bearer: await deviceToken(bed().newDevice()),
    });
    await escaping.hello({ ch: [[1, 1, 1]] });
    escaping.say('def', { c: 1, s: 1, of: '../other', cols: [['temp']] });
    expect((await escaping.end()).code).toBe(4000);
  },
);

rule(
  'R15-3 R11.1-2 R11.1-8',
  'scopes are checked at every sub and whenever a series appears',
  CODECS,
  async (codec) => {
    const [seen, hidden] = [bed().newDevice(), bed().newDevice()];
    const reader = await Peer.open(bed(), codec, {
      bearer: await tokenOf({ reads: [`${seen}/#`] }),
    });
    await reader.hello();
    reader.sub({ c: 1, p: ['#'] });
    reader.sub({ c: 2, p: [`${hidden}/#`] });
    expect(await reader.until('state', ({ c, st }) => c === 2 && st === 4)).toMatchObject({
      e: 4004,
    });
    for (const device of [hidden, seen]) {
      const peer = await Peer.open(bed(), codec, { bearer: await deviceToken(device) });
      await peer.hello({ ch: [[1, 1, 1]] });
      peer.say('def', { c: 1, s: 1, cols: [['temp']] });
      peer.frame({ n: 1 });
      await peer.acked(1);
    }
    await reader.until('data');
    const topics = reader.heard.flatMap(({ ser = [] }) => ser.map(([, topic]) => topic));
    expect(topics).toEqual([`${seen}/temp`]);
  },
);

rule(
  'R1-1',
  'one session publishes and subscribes if its scopes allow both',
  CODECS,
  async (codec) => {
    const device = bed().newDevice();
    const token = await deviceToken(device, { reads: [`${device}/#`] });
    const peer = await Peer.open(bed(), codec, { bearer: token });
    peer.bytesMax = 32_768;
    await peer.hello({ ch: [[1, 1, 1]] });
    peer.say('def', { c: 1, s: 1, cols: [['temp']] });
    peer.sub({ c: 1, agg: ['last'] });
    peer.frame({ n: 1 });
    await peer.acked(1);
    const { b } = await peer.until('data');
    expect(b[0]?.v).toEqual([21.5]);
    await expect(dashboard(bed(), codec)).rejects.toThrow(/4003/);
  },
);
