import { expect } from 'vitest';
import { WebSocketServer } from 'ws';
import { DeviceSocket } from '../../simulators/device-socket.ts';
import { DeviceBench, START_US } from '../support/device-bench.ts';
import { CLIENT, rule } from './rule.ts';
import { reconnect, welcomeWith } from './scenes.ts';

/** §2 and §4 where they bind the client: the repository's own device session. */

rule('R2.1-5', 'the client offers its subprotocol in Sec-WebSocket-Protocol', CLIENT, async () => {
  for (const codec of ['cbor', 'json'] as const) {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const offer = new Promise<string | undefined>((resolve) => {
      server.on('connection', (socket, request) => {
        resolve(request.headers['sec-websocket-protocol']);
        socket.close();
      });
    });
    await new Promise((resolve) => server.on('listening', resolve));
    const { port } = server.address() as { port: number };
    const credential = (): Promise<string> => Promise.resolve('d');
    new DeviceSocket({ codec, credential }, () => undefined).connect(`ws://127.0.0.1:${port}/v1`);
    expect(await offer).toBe(`tidegate.v1.${codec}`);
    server.close();
  }
});

rule(
  'R4.1-1 R4.1-2',
  'hello is said first and once, and nothing more until welcome',
  CLIENT,
  () => {
    const bench = new DeviceBench();
    bench.form();
    bench.step({ kind: 'tick' });
    expect(bench.step({ kind: 'opened' })).toEqual(['hello first=0:1,1:1']);
    expect([...bench.form(), ...bench.run(19_000)]).toEqual([]);
    welcomeWith(bench, [
      [0, 0, 4096],
      [1, 0, 99_999],
    ]);
    bench.run(100_000);
    expect(bench.sent.filter(({ k }) => k === 'hello')).toHaveLength(1);
  },
);

rule('R4.1-3', 'first is the lowest number retained, or the next one', CLIENT, () => {
  const bench = new DeviceBench();
  bench.welcome({});
  for (let i = 0; i < 4; i += 1) bench.form();
  bench.flow(2, 99_999);
  expect(reconnect(bench)).toEqual(['hello ep=7 first=0:1,1:3']);
  welcomeWith(bench, [
    [0, 0, 4096],
    [1, 4, 99_999],
  ]);
  expect(reconnect(bench)).toEqual(['hello ep=7 first=0:1,1:5']);
});

rule('R4.1-25', 'first stands before the numbers that are lost there', CLIENT, () => {
  const bench = new DeviceBench({ lanes: [1], ringBytesMax: 250 });
  bench.welcome({ lanes: [1], lim: 0 });
  for (let i = 0; i < 5; i += 1) bench.form();
  expect(reconnect(bench)).toEqual(['hello ep=7 first=1:1']);
  expect(welcomeWith(bench, [[1, 0, 99_999]]).slice(1)).toEqual([
    'def 1:2',
    'data 1:4 lost=3 bl=100',
    'data 1:5 bl=0',
  ]);
});

rule('R4.1-7', 'ep is there exactly when an epoch is continued', CLIENT, () => {
  const bench = new DeviceBench();
  bench.form();
  const [hello] = bench.welcome({});
  expect(hello).toBe('hello first=0:1,1:1');
  expect(reconnect(bench)).toEqual(['hello ep=7 first=0:1,1:1']);
});

rule(
  'R4.2-1',
  'an ack at or above the next number: forget ep before dropping anything, close 1000, begin anew',
  CLIENT,
  () => {
    for (const isWelcome of [true, false]) {
      const bench = new DeviceBench();
      bench.welcome({});
      bench.form();
      bench.form();
      if (isWelcome) reconnect(bench);
      const lines = isWelcome
        ? welcomeWith(bench, [
            [0, 0, 4096],
            [1, 3, 99_999],
          ])
        : bench.flow(3, 99_999);
      expect(lines.slice(0, 2)).toEqual(['close 1000', 'wait 0']);
      expect(lines.filter((line) => /acked|dropped/.test(line))).toEqual([]);
      const again = bench.welcome({ ep: 8 });
      expect(again).toContain('hello first=0:1,1:1');
      expect(again.filter((line) => line.startsWith('data'))).toHaveLength(2);
    }
  },
);

rule('R4.2-2 R7-1', 'on welcome frames ≤ ack go, sums start at 0 and lim may be 0', CLIENT, () => {
  const bench = new DeviceBench();
  bench.welcome({});
  for (let i = 0; i < 3; i += 1) bench.form();
  reconnect(bench);
  expect(
    welcomeWith(bench, [
      [0, 0, 4096],
      [1, 1, 0],
    ]),
  ).toEqual(['welcomed 7', 'acked 1: 1']);
  expect(bench.session.ring.lane(1)).toMatchObject({ sent: 0, lim: 0, count: 2 });
  expect(bench.flow(1, 99_999)).toEqual([
    'def 1:2',
    'data 1:2 bl=100 again',
    'data 1:3 bl=0 again',
  ]);
});

rule(
  'R4.2-3',
  'the send cursor is the first retained frame above ack not sent here, also after a drop',
  CLIENT,
  () => {
    const bench = new DeviceBench();
    bench.welcome({ lim: 0 });
    for (let i = 0; i < 4; i += 1) bench.form();
    const [first, second] = bench.session.ring.lane(1)?.all() ?? [];
    expect([first?.n, second?.n]).toEqual([1, 2]);
    bench.says({ k: 'reject', c: 1, n: 1, e: 4021 });
    bench.says({ k: 'reject', c: 1, n: 3, e: 4021 });
    const lines = bench.flow(0, 99_999);
    expect(
      lines.filter((line) => line.startsWith('data')).map((line) => line.split(' ')[1]),
    ).toEqual(['1:2', '1:4']);
  },
);

rule(
  'R4.2-4 R5.1-2',
  'defs of the sets to come precede the frames, on every connection',
  CLIENT,
  () => {
    const bench = new DeviceBench();
    bench.form(0);
    bench.form(1);
    expect(bench.welcome({}).slice(1)).toEqual([
      'welcomed 7',
      'def 0:1',
      'data 0:1',
      'def 1:2',
      'data 1:1',
    ]);
    reconnect(bench);
    const again = welcomeWith(bench, [
      [0, 0, 4096],
      [1, 0, 99_999],
    ]);
    expect(again).toEqual(['welcomed 7', 'def 0:1', 'data 0:1 again', 'def 1:2', 'data 1:1 again']);
  },
);

rule('R4.2-5', 'frames dropped after hello are declared by lost', CLIENT, () => {
  const bench = new DeviceBench({ ringBytesMax: 500 });
  bench.step({ kind: 'tick' });
  bench.form();
  expect(bench.step({ kind: 'opened' })).toEqual(['hello first=0:1,1:1']);
  for (let i = 0; i < 5; i += 1) bench.form();
  const lines = welcomeWith(bench, [
    [0, 0, 4096],
    [1, 0, 99_999],
  ]);
  const [frame] = lines.filter((line) => line.startsWith('data'));
  expect(frame).toMatch(/^data 1:2 lost=1/);
});

rule(
  'R4.2-6 R10.3-6',
  'on 4007 ep is forgotten, and what is retained becomes 1, 2, …',
  CLIENT,
  () => {
    const bench = new DeviceBench();
    bench.welcome({});
    for (let i = 0; i < 4; i += 1) bench.form();
    bench.flow(2, 99_999);
    expect(bench.closes(4007)).toEqual(['wait 0', 'connect ws://127.0.0.1:8080/v1']);
    const lines = bench.welcome({ ep: 8 });
    expect(lines).toEqual([
      'hello first=0:1,1:1',
      'welcomed 8',
      'def 1:2',
      'data 1:1 bl=100',
      'data 1:2 bl=0',
    ]);
  },
);

rule('R4.2-7', 'a session that begins without memory begins without ep', CLIENT, () => {
  const bench = new DeviceBench();
  bench.step({ kind: 'tick' });
  expect(bench.step({ kind: 'opened' })).toEqual(['hello first=0:1,1:1']);
});

rule('R4.3-1', 'the times that the client tells are UTC as it was told them', CLIENT, () => {
  const bench = new DeviceBench();
  bench.welcome({});
  const [hello] = bench.sent;
  expect(hello).toMatchObject({ k: 'hello', now: START_US });
  bench.run(20_000);
  expect(bench.sent.at(-1)).toMatchObject({ k: 'ping', now: START_US + 20_000_000 });
});
