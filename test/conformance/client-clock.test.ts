import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { WebSocketServer } from 'ws';
import { AXES_MAX, SyntheticSource } from '../../simulators/synthetic-source.ts';
import { DeviceBench, START_US } from '../support/device-bench.ts';
import { pageOf } from '../support/doc-code.ts';
import { CLIENT, rule } from './rule.ts';

/** §4.3, §5.1 and §11.3 where they bind the client: clocks and units. */

rule(
  'R4.3-8',
  'without a clock: no now in hello, and frames never sent get their times with the first welcome',
  CLIENT,
  () => {
    for (const codec of ['cbor', 'json'] as const) {
      const bench = new DeviceBench({ codec, isClockless: true });
      bench.form(1, 3);
      bench.form(0);
      const [welcomeUs, aheadUs] = [1, 1 - START_US];
      const lines = bench.welcome({});
      expect(lines).toContain(`clock ${aheadUs}`);
      const [hello] = bench.sent;
      expect(hello).toMatchObject({ k: 'hello' });
      expect(hello && 'now' in hello ? hello.now : undefined).toBeUndefined();
      const blocks = bench.sent.flatMap((message) => (message.k === 'data' ? [...message.b] : []));
      expect(blocks).toHaveLength(2);
      for (const block of blocks) expect(block.t).toBe(welcomeUs);
      expect(blocks.at(-1)).toMatchObject({ dt: 1000 });
      // What was sent keeps its time, whatever later welcomes say.
      bench.closes(1006);
      bench.wait(500);
      expect(bench.welcome({}).filter((line) => line.startsWith('clock'))).toEqual([]);
      const again = bench.sent.flatMap((message) => (message.k === 'data' ? [...message.b] : []));
      for (const block of again) expect(block.t).toBe(welcomeUs);
      const second = bench.sent.findLast(({ k }) => k === 'hello');
      expect(second && 'now' in second ? second.now : undefined).toBeDefined();
    }
  },
);

/** Units of the SenML registry (RFC 8428 §12.1) that sets of this repository may need. */
const SENML = new Set(
  'm kg g s A K cd mol Hz rad sr N Pa J W C V F Ohm S Wb T H Cel lm lx Bq Gy Sv kat m2 m3 l m/s m/s2 m3/s l/s W/m2 cd/m2 bit bit/s lat lon pH dB dBW Bspl count / % %RH %EL EL 1/s 1/min beat/min beats S/m B VA VAs var vars J/m kg/m3 deg'.split(
    ' ',
  ),
);

rule('R5.1-9', 'the units of our own sets, and those we show, are SenML units', CLIENT, () => {
  const options = { device: 'd', rate: 1, batch: 1, alarmRate: 1, seed: 1, startUs: 0 };
  const mix = new SyntheticSource({ ...options, series: 30, signal: 'mix' });
  const shaking = new SyntheticSource({ ...options, series: AXES_MAX, signal: 'vibration' });
  const own = [...mix.sets, ...shaking.sets].flatMap(({ cols }) => cols.map(([, unit]) => unit));
  const shown = [...pageOf('README.md').matchAll(/unit: '([^']+)'/g)].map(([, unit]) => unit);
  expect(own.length).toBeGreaterThan(30);
  expect(shown.length).toBeGreaterThan(1);
  const units = new Set([...own, ...shown].filter((unit) => unit !== undefined && unit !== ''));
  expect([...units].filter((unit) => !SENML.has(unit as string))).toEqual([]);
});

rule(
  'R11.3-7',
  'age is measured by the server time: the last now, and the time passed since',
  CLIENT,
  async () => {
    const { Session } = await import(
      new URL('../../src/dashboard/session.js', import.meta.url).href
    );
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const say = (message: object) => {
      for (const socket of server.clients) socket.send(JSON.stringify(message));
    };
    server.on('connection', (socket) => {
      socket.once('message', () => say({ k: 'welcome', now: 1e15, hb: 20_000 }));
    });
    const session = new Session({
      url: `ws://127.0.0.1:${port}/v1`,
      token: () => Promise.resolve(undefined),
      onStatus: () => undefined,
    });
    const startMs = performance.now();
    await session.start();
    // This machine's clock says something else by decades.
    await expect.poll(() => session.nowUs < 1.1e15).toBe(true);
    await expect.poll(() => session.nowUs - 1e15).toBeGreaterThan(100_000);
    expect(session.nowUs - 1e15).toBeLessThan((performance.now() - startMs) * 1000 + 5000);
    say({ k: 'state', c: 1, st: 3, now: 2e15 });
    await expect.poll(() => session.nowUs >= 2e15).toBe(true);
    expect(session.nowUs - 2e15).toBeLessThan((performance.now() - startMs) * 1000 + 5000);
    // By policy A the page does not come back.
    for (const socket of server.clients) socket.close(4000);
    await expect.poll(() => server.clients.size).toBe(0);
    server.close();
  },
);
