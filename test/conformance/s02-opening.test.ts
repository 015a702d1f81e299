import { request } from 'node:http';
import { expect } from 'vitest';
import { NODE, useBed } from './bed.ts';
import { kindOf, padded } from './encoding.ts';
import { dashboard, Peer } from './peer.ts';
import { CBOR, CODECS, HTTP, JSON_TEXT, rule } from './rule.ts';
import { bearing, refused } from './upgrade.ts';

/** §2.1 in open mode: address, subprotocol, opcode, order of checks, guard, compression. */

const bed = useBed();
const BOTH = ['tidegate.v1.cbor', 'tidegate.v1.json'];
/** A message of so many bytes that no decoder takes. */
const noise = (length: number): Uint8Array => new Uint8Array(length).fill(0xff);
const text = (length: number): string => '{'.repeat(length);

rule('R2.1-1', 'a node answers under /v1 and under /n/<node>/v1', CODECS, async (codec) => {
  for (const path of ['/v1', `/n/${NODE}/v1`]) {
    const peer = await Peer.open(bed(), codec, { path });
    expect((await peer.hello()).sid).toBeTypeOf('string');
  }
});

rule(
  'R2.1-1',
  'a node name is 1–63 characters of [A-Za-z0-9-]: others are no node',
  HTTP,
  async () => {
    const status = async (node: string): Promise<number> =>
      (await refused(bed(), { path: `/n/${node}/v1` })).status;
    expect(await status('x'.repeat(63))).toBe(421);
    for (const node of ['x'.repeat(64), 'a_b', 'a.b', '']) expect(await status(node)).toBe(404);
  },
);

rule('R2.1-2', "another node's path is answered 421", HTTP, async () => {
  expect(await refused(bed(), { path: '/n/other/v1' })).toMatchObject({ status: 421, error: 4200 });
  const answer = await fetch(`http://${bed().host}/n/other/v1`);
  expect(answer.status).toBe(421);
});

rule(
  'R2.1-6',
  'the server picks the first subprotocol of the offer that it speaks',
  CODECS,
  async (codec) => {
    const other = BOTH.find((name) => !name.endsWith(codec)) as string;
    const own = `tidegate.v1.${codec}`;
    for (const offers of [[own], [own, other], ['mqtt', own, other], ['tidegate.v2.cbor', own]]) {
      const peer = await Peer.open(bed(), codec, { offers });
      expect(peer.socket.protocol).toBe(own);
      await peer.hello();
    }
  },
);

rule(
  'R2.1-6 R12-1',
  'with no subprotocol that it speaks, of another major version too, 400',
  HTTP,
  async () => {
    for (const offers of [
      [],
      ['mqtt'],
      ['tidegate.v2.cbor'],
      ['tidegate.cbor'],
      ['TIDEGATE.V1.CBOR'],
    ]) {
      expect(await refused(bed(), { offers }), offers.join()).toMatchObject({ status: 400 });
    }
  },
);

rule('R2.1-7 R13-5', 'the other opcode ⇒ 1003, before and after welcome', CODECS, async (codec) => {
  for (const isWelcomed of [false, true]) {
    const peer = await Peer.open(bed(), codec);
    if (isWelcomed) await peer.hello();
    peer.send(codec === 'cbor' ? '{"k":"hello"}' : Uint8Array.of(0xa1, 0, 0), codec === 'json');
    const { away, code } = await peer.end();
    expect([away?.e, code]).toEqual([1003, 1003]);
  }
});

rule(
  'R2.1-9',
  'before welcome: opcode, then 4 KiB, then decoding, then that it is a hello',
  CODECS,
  async (codec) => {
    const own = codec === 'cbor' ? noise : text;
    const other = codec === 'cbor' ? text : noise;
    const cases: readonly [what: string, act: (peer: Peer) => void, code: number][] = [
      ['long, malformed, of the other opcode', (peer) => peer.send(other(5000)), 1003],
      ['long and malformed', (peer) => peer.send(own(4097)), 4009],
      ['malformed', (peer) => peer.send(own(4096)), 4000],
      ['an unknown kind', (peer) => peer.sayWords({ k: kindOf(99) }), 4005],
      ['must-understand', (peer) => peer.say('ping', { '!x': 1 }), 4005],
      ['no hello', (peer) => peer.say('ping'), 4001],
    ];
    for (const [what, act, code] of cases) {
      const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
      act(peer);
      expect((await peer.end()).code, what).toBe(code);
    }
  },
);

rule('R2.1-9 R14-2', 'a hello of 4096 B is taken, one of 4097 B ⇒ 4009', CODECS, async (codec) => {
  const fits = await Peer.open(bed(), codec);
  fits.send(padded(codec, { k: 'hello' }, 4096));
  await fits.until('welcome');
  const beyond = await Peer.open(bed(), codec);
  beyond.send(padded(codec, { k: 'hello' }, 4097));
  const { away, code } = await beyond.end();
  expect([away?.e, code]).toEqual([4009, 4009]);
});

rule(
  'R2.1-17',
  'open mode: a token is the device path, in either place; none may only subscribe',
  CODECS,
  async (codec) => {
    const device = bed().newDevice();
    const byHeader = await Peer.open(bed(), codec, { bearer: device });
    expect((await byHeader.hello({ ch: [[1, 1, 1]] })).ep).toBeGreaterThan(0);
    const byHello = await Peer.open(bed(), codec);
    expect((await byHello.hello({ tok: bed().newDevice(), ch: [[1, 1, 1]] })).ep).toBeGreaterThan(
      0,
    );
    const anybody = await Peer.open(bed(), codec);
    anybody.say('hello', { ch: [[1, 1, 1]] });
    expect((await anybody.end()).code).toBe(4004);
    const reader = await dashboard(bed(), codec);
    reader.sub();
    await reader.until('state', ({ st }) => st === 2);
  },
);

rule(
  'R2.1-17 R2.1-10',
  'open mode: a token that is no path, an empty one too ⇒ 401 or 4003',
  CODECS,
  async (codec) => {
    for (const token of ['a//b', '', 'a/../b', '/a', 'x'.repeat(65)]) {
      expect((await refused(bed(), { headers: bearing(token) })).status, token).toBe(401);
      const peer = await Peer.open(bed(), codec);
      peer.say('hello', { tok: token });
      const { away, code } = await peer.end();
      expect([away?.e, code], token).toEqual([4003, 4003]);
    }
  },
);

rule('R2.1-17', 'open mode: every session may read everything', CODECS, async (codec) => {
  const device = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
  await device.hello({ ch: [[1, 1, 1]] });
  device.sub({ p: ['bed/#', 'someone/else/#'] });
  await device.until('state', ({ st }) => st === 2);
});

const HOSTS = ['127.0.0.1', 'localhost', '[::1]'];

/** The status of a plain request with these headers. */
const statusWith = (headers: Record<string, string>, path = '/healthz'): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: bed().port, path, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on('error', reject);
    asked.end();
  });

rule(
  'R2.1-19',
  'open mode: a foreign Host or Origin ⇒ 403 on every request, upgrades too',
  HTTP,
  async () => {
    const { port } = bed();
    const good = HOSTS.flatMap((host) => [
      { Host: `${host}:${port}` },
      { Host: `${host}:${port}`, Origin: `http://${host}:${port}` },
    ]);
    for (const headers of good)
      expect(await statusWith(headers), JSON.stringify(headers)).toBe(200);
    const bad = [
      { Host: 'evil.example' },
      { Host: `127.0.0.1.evil.example:${port}` },
      { Host: '127.0.0.2' },
      { Host: 'localhost', Origin: `https://localhost:${port}` },
      { Host: 'localhost', Origin: `http://localhost:${port + 1}` },
      { Host: 'localhost', Origin: 'http://evil.example' },
      { Host: 'localhost', Origin: 'null' },
      { Host: 'localhost', Origin: '' },
    ];
    for (const headers of bad) {
      for (const path of ['/healthz', '/', '/api', '/nothing']) {
        expect(await statusWith(headers, path), JSON.stringify(headers)).toBe(403);
      }
      expect((await refused(bed(), { headers })).status, JSON.stringify(headers)).toBe(403);
    }
  },
);

rule('R2.1-20', 'permessage-deflate is not negotiated for cbor', CBOR, async (codec) => {
  const offers = ['tidegate.v1.cbor', 'tidegate.v1.json'];
  const peer = await Peer.open(bed(), codec, { isDeflateOffered: true, offers });
  expect(peer.socket.protocol).toBe('tidegate.v1.cbor');
  expect(peer.socket.extensions).toBe('');
  await peer.hello();
});

rule(
  'R2.1-21',
  'if it is negotiated for json, then without context takeover on either side',
  JSON_TEXT,
  async (codec) => {
    const peer = await Peer.open(bed(), codec, { isDeflateOffered: true });
    await peer.hello();
    const { extensions } = peer.socket;
    if (extensions !== '') {
      expect(extensions).toContain('server_no_context_takeover');
      expect(extensions).toContain('client_no_context_takeover');
    }
  },
);
