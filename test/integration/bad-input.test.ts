import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeBlocks, encodeData } from '../../src/wire/encode.ts';
import {
  killed,
  metric,
  type RunningGateway,
  startGateway,
  temporaryDirectory,
} from '../support/gateway-process.ts';
import { RawClient, refusedUpgrade } from '../support/raw-client.ts';
import { runCli } from '../support/run-cli.ts';

const CBOR = 'tidegate.v1.cbor';
const JSON_ = 'tidegate.v1.json';

let gateway: RunningGateway;
let bystander: RawClient;
let sent = 0;

beforeAll(async () => {
  gateway = await startGateway();
  bystander = await RawClient.publisher(gateway.ws, 'bystander');
});

afterAll(async () => {
  await gateway.stop();
});

const frame = (n: number, rows = 1): Uint8Array =>
  encodeData(
    'cbor',
    { c: 1, n, lost: 0 },
    encodeBlocks('cbor', [
      { s: 1, t: Date.now() * 1000, dt: 1, v: [new Float64Array(rows).fill(20.5)] },
    ]),
  );

/** Somebody else's session goes on as if nothing had happened. */
async function bystanderIsServed(): Promise<void> {
  sent += 1;
  const n = sent;
  bystander.socket.send(frame(n));
  await bystander.until('flow', ({ f }) => f.some(([c, ack]) => c === 1 && ack >= n));
}

describe('at the start', () => {
  test('an unknown option and bad values: all faults at once, exit 78', async () => {
    const ended = await runCli([
      'serve',
      '--listne',
      '127.0.0.1:1',
      '--shards',
      '0',
      '--budget',
      'much',
    ]);
    expect(ended.code).toBe(78);
    expect(ended.stderr).toContain('--listne: unknown option, did you mean --listen?');
    expect(ended.stderr).toMatch(/--shards/);
    expect(ended.stderr).toMatch(/--budget/);
    expect(ended.stderr).toContain('3 faults');
  });

  test('an address beyond loopback in open mode: exit 78', async () => {
    const ended = await runCli(['serve', '--log', 'memory', '--listen', '0.0.0.0:0']);
    expect(ended).toMatchObject({ code: 78, stdout: '' });
    expect(ended.stderr).toMatch(/127\.0\.0\.1, localhost/);
  });

  test('a port in use: exit 69 and what to do', async () => {
    const data = temporaryDirectory();
    const ended = await runCli([
      'serve',
      '--log',
      'file',
      '--data',
      data,
      '--listen',
      `127.0.0.1:${gateway.port}`,
    ]);
    expect(ended).toMatchObject({ code: 69, stdout: '' });
    expect(ended.stderr).toMatch(/in use by another process/);
  });

  test('a data directory that another process holds: exit 69', async () => {
    const args = ['--log', 'file', '--data', gateway.data, '--listen', '127.0.0.1:0'];
    const ended = await runCli(['serve', ...args]);
    expect(ended).toMatchObject({ code: 69, stdout: '' });
    expect(ended.stderr).toMatch(/another process/);
    await bystanderIsServed();
  });

  test('a data directory of another version, or made for other shards: exit 78', async () => {
    const data = temporaryDirectory();
    const meta = readFileSync(join(gateway.data, 'META.json'), 'utf8');
    mkdirSync(data, { recursive: true });
    writeFileSync(
      join(data, 'META.json'),
      meta.replace('"version":1', '"version":9').replace('"version": 1', '"version": 9'),
    );
    const args = ['--log', 'file', '--data', data, '--listen', '127.0.0.1:0'];
    const newer = await runCli(['serve', ...args]);
    expect(newer.code).toBe(78);
    expect(newer.stderr).toMatch(/version/);
    writeFileSync(join(data, 'META.json'), meta);
    const others = await runCli(['serve', ...args, '--shards', '7']);
    expect(others.code).toBe(78);
    expect(others.stderr).toMatch(/shards/);
  });

  test('a damaged log: exit 78, naming segment and place', async () => {
    const data = temporaryDirectory();
    const first = await startGateway({ data });
    const client = await RawClient.publisher(first.ws, 'd');
    for (let n = 1; n <= 15; n += 1) client.socket.send(frame(n, 100));
    await client.until('flow', ({ f }) => f.some(([, ack]) => ack >= 15));
    await killed(first.child, 'SIGKILL');
    const segment = join(data, 'log', '00000000000000000000.seg');
    const bytes = readFileSync(segment);
    bytes.writeUInt8(bytes.readUInt8(4000) ^ 0xff, 4000);
    writeFileSync(segment, bytes);
    const ended = await runCli([
      'serve',
      '--log',
      'file',
      '--data',
      data,
      '--listen',
      '127.0.0.1:0',
    ]);
    expect(ended).toMatchObject({ code: 78, stdout: '' });
    expect(ended.stderr).toMatch(/00000000000000000000\.seg, byte \d+/);
  });
});

describe('at the upgrade', () => {
  test.each<[string, readonly string[], Record<string, string>, number, number]>([
    ['no subprotocol that we speak', ['mqtt'], {}, 400, 4005],
    ['no subprotocol at all', [], {}, 400, 4005],
    ['a foreign Origin', [JSON_], { Origin: 'http://evil.example' }, 403, 4004],
    ['an Origin of another port', [JSON_], { Origin: 'http://localhost:1' }, 403, 4004],
    ['a foreign Host', [JSON_], { Host: 'evil.example' }, 403, 4004],
    ['a token that is no path', [CBOR], { Authorization: 'Bearer a//b' }, 401, 4003],
    ['an empty token', [CBOR], { Authorization: 'Bearer' }, 401, 4003],
  ])('%s', async (_, protocols, headers, status, code) => {
    const refused = await refusedUpgrade(gateway.ws, protocols, headers);
    expect(refused).toMatchObject({ status, body: { error: code, message: expect.any(String) } });
    await bystanderIsServed();
  });

  test('a path that is none of ours, and that of another node', async () => {
    const other = gateway.ws.replace('/v1', '/n/other/v1');
    expect(await refusedUpgrade(gateway.ws.replace('/v1', '/v2'), [CBOR])).toMatchObject({
      status: 404,
    });
    expect(await refusedUpgrade(other, [CBOR])).toMatchObject({ status: 421 });
  });

  test('bytes that are not HTTP end their connection only', async () => {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(gateway.port, '127.0.0.1', () =>
        socket.write('\x16\x03\x01garbage\r\n\r\n'),
      );
      socket.on('error', reject);
      socket.on('data', () => undefined);
      socket.on('close', () => resolve());
    });
    await bystanderIsServed();
  });
});

describe('in a session', () => {
  interface Case {
    readonly what: string;
    readonly act: (client: RawClient) => void;
    readonly code: number;
    /** The frame that `away` names. */
    readonly named?: readonly [c: number, n: number];
  }

  const cases: readonly Case[] = [
    {
      what: 'text on a CBOR session',
      act: ({ socket }) => socket.send('{"k":"ping"}'),
      code: 1003,
    },
    {
      what: 'a malformed frame',
      act: ({ socket }) => socket.send(frame(1).subarray(0, -1)),
      code: 4000,
      named: [1, 1],
    },
    {
      what: 'a frame of forbidden CBOR',
      act: ({ socket }) => socket.send(Buffer.from('a400030101020103f9ffff', 'hex')),
      code: 4000,
      named: [1, 1],
    },
    { what: 'noise', act: ({ socket }) => socket.send(Buffer.from('ff00ff00', 'hex')), code: 4000 },
    { what: 'more than its credit', act: overspend, code: 4006 },
    {
      what: 'a frame longer than mf',
      act: ({ socket }) => socket.send(frame(1, 1100)),
      code: 4009,
      named: [1, 1],
    },
    {
      what: 'a hole that it did not declare',
      act: ({ socket }) => socket.send(frame(3)),
      code: 4008,
    },
    { what: 'a second hello', act: (client) => client.say({ k: 'hello' }), code: 4001 },
  ];

  test.each(cases)('$what', async ({ what, act, code, named }) => {
    const client = await RawClient.publisher(
      gateway.ws,
      `bad/${what.replaceAll(' ', '-').slice(0, 60)}`,
    );
    act(client);
    const away = await client.until('away');
    expect(away.e).toBe(code);
    expect(away.m?.length).toBeGreaterThan(3);
    expect(named ? [away.c, away.n] : undefined).toEqual(named);
    expect((await client.closed).code).toBe(code);
    await bystanderIsServed();
  });

  test('data before hello', async () => {
    const client = await RawClient.open(gateway.ws, CBOR, { Authorization: 'Bearer early' });
    client.socket.send(frame(1));
    expect((await client.until('away')).e).toBe(4001);
    expect((await client.closed).code).toBe(4001);
    await bystanderIsServed();
  });

  test('a message over the WebSocket limit', async () => {
    const client = await RawClient.publisher(gateway.ws, 'bad/oversized');
    client.socket.send(new Uint8Array(20_000));
    expect((await client.closed).code).toBe(1009);
    await bystanderIsServed();
  });

  test('text that is not UTF-8 on a JSON session', async () => {
    const client = await RawClient.open(gateway.ws, JSON_);
    client.socket.send(Buffer.from([0xff, 0xfe, 0xfd]), { binary: false });
    expect((await client.closed).code).toBe(1007);
    await bystanderIsServed();
  });

  test('JSON that is none, naming nothing; JSON data with a wrong type, naming the frame', async () => {
    const first = await RawClient.open(gateway.ws, JSON_);
    first.socket.send('{"k":');
    expect((await first.closed).code).toBe(4000);
    const second = await RawClient.open(gateway.ws, JSON_, { Authorization: 'Bearer bad/json' });
    second.say({ k: 'hello', ch: [[1, 1, 1]] });
    await second.until('welcome');
    second.socket.send('{"k":"data","c":1,"n":4,"b":[{"s":1,"t":"now","v":[1]}]}');
    expect(await second.until('away')).toMatchObject({ e: 4000, c: 1, n: 4 });
    await bystanderIsServed();
  });

  test('a peer that makes us answer and never reads is cut off', async () => {
    const headers = { Authorization: 'Bearer bad/deaf' };
    const client = await RawClient.open(gateway.ws, CBOR, headers);
    client.say({ k: 'hello', ch: [[0, 1, 1]] });
    await client.until('welcome');
    client.say({ k: 'def', c: 0, s: 1, cols: [['alarm']] });
    const blocks = encodeBlocks('cbor', [{ s: 1, t: Date.now() * 1000, v: [true] }]);
    const alarm = encodeData('cbor', { c: 0, n: 1, lost: 0 }, blocks);
    client.socket.send(alarm);
    await client.until('flow', ({ f }) => f.some(([, ack]) => ack === 1));
    const { socket } = client;
    socket.pause();
    const isCutOff = new Promise<void>((resolve) => {
      socket.on('error', () => resolve());
      socket.on('close', () => resolve());
    });
    // Each repeated alarm costs no credit and is answered at once. Bounded: 30 MB at most.
    let isOver = false;
    void isCutOff.then(() => {
      isOver = true;
    });
    for (let sent = 0; !isOver && sent < 1_000_000; sent += 1) {
      socket.send(alarm, () => undefined);
      if (socket.bufferedAmount > 65_536) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await isCutOff;
    await bystanderIsServed();
  });

  test('the ledger adds up after all that', async () => {
    const received = await metric(gateway.http, 'tidegate_ingest_frames_received_total');
    const text = await (await fetch(`${gateway.http}/metrics`)).text();
    const sum = (pattern: RegExp): number =>
      [...text.matchAll(pattern)].reduce((all, [, value]) => all + Number(value), 0);
    const settled = sum(/^tidegate_ingest_frames_settled_total\{.*\} (\d+)$/gm);
    const closed = sum(/^tidegate_ingest_frames_closed_total\{.*\} (\d+)$/gm);
    expect(closed).toBeGreaterThanOrEqual(5);
    expect(received).toBe(
      settled + closed + (await metric(gateway.http, 'tidegate_ingest_frames_in_flight')),
    );
  });
});

function overspend({ socket }: RawClient): void {
  let cost = 0;
  for (let n = 1; cost <= 200_000; n += 1) {
    const bytes = frame(n, 900);
    socket.send(bytes);
    cost += bytes.length + 64;
  }
}
