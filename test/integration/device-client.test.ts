import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  connectDevice,
  type DeviceClient,
  type DeviceEvent,
  type DeviceOptions,
} from '../../src/adapters/device/device-client.ts';
import { killed, type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { type LogLine, tailed } from '../support/read-log.ts';

let gateway: RunningGateway | null = null;
const devices: DeviceClient[] = [];

afterEach(async () => {
  await Promise.all(devices.splice(0).map((device) => device.close(0)));
  await gateway?.stop();
  gateway = null;
});

async function serving(port?: number, data?: string): Promise<RunningGateway> {
  gateway = await startGateway({ ...(port ? { port } : {}), ...(data ? { data } : {}) });
  return gateway;
}

type Extra = Partial<DeviceOptions>;

function connected(
  url: string,
  extra: Extra = {},
): { device: DeviceClient; events: DeviceEvent[] } {
  const series = {
    temperature: { unit: 'Cel' },
    state: {},
    overheat: { lane: 'critical' },
  } as const;
  const device = connectDevice({ url, token: 'plant/oven', series, ...extra });
  const events: DeviceEvent[] = [];
  device.on((event) => events.push(event));
  devices.push(device);
  return { device, events };
}

/** The readings of a topic in a log, in its order: time in µs, value, how many each stands for. */
async function readings(
  data: string,
  name: string,
  topic: 'readings' | 'alarms' = 'readings',
): Promise<{ t: number; v: unknown; lane: number; fid: number }[]> {
  const lines = await tailed<LogLine>(data, topic);
  return lines.flatMap(({ lane, blocks }) =>
    blocks.flatMap(({ t, fid, cols }) => {
      const column = cols.find((one) => one.topic === `plant/oven/${name}`);
      return column ? t.map((time, i) => ({ t: time, v: column.v[i], lane, fid })) : [];
    }),
  );
}

const kinds = (events: readonly DeviceEvent[]): string[] => [
  ...new Set(events.map(({ kind }) => kind)),
];

describe.each(['cbor', 'json'] as const)('%s', (codec) => {
  test('what is written and flushed is in the log, to the bit', async () => {
    const { ws, data } = await serving();
    const { device, events } = connected(ws, { codec });
    const written = [21.5, 21, -0.1, 1e9, 0.30000000000000004];
    const start = Date.now();
    for (const [i, temperature] of written.entries()) {
      expect(device.write({ temperature }, start + i)).toBe(true);
    }
    device.write({ state: 'heating', temperature: 7 }, new Date(start + 9));
    device.write({ overheat: true }, start + 10);
    await device.flush();
    expect(device.isAllSafe).toBe(true);
    const found = await readings(data, 'temperature');
    expect(found.map(({ v }) => v)).toEqual([...written, 7]);
    expect(found.map(({ t }) => t)).toEqual([0, 1, 2, 3, 4, 9].map((ms) => (start + ms) * 1000));
    expect((await readings(data, 'state')).map(({ v }) => v)).toEqual(['heating']);
    expect(await readings(data, 'overheat', 'alarms')).toMatchObject([{ v: 1, lane: 0 }]);
    await device.close();
    expect(kinds(events)).toEqual(['connecting', 'live', 'acked', 'closed']);
    expect(events.at(-1)).toEqual({ kind: 'closed', unackedReadings: 0 });
  });
});

test('what an outage held back goes home as backfill, and live readings beside it', async () => {
  const first = await serving();
  const { device, events } = connected(first.ws);
  const start = Date.now();
  device.write({ temperature: 0 }, start);
  await device.flush();
  await killed(first.child, 'SIGKILL');
  await expect.poll(() => events.some(({ kind }) => kind === 'waiting')).toBe(true);
  // Longer than the 2 s after which nothing is live any more.
  for (let i = 1; i <= 30; i += 1) {
    device.write({ temperature: i }, start + i);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await serving(first.port, first.data);
  await expect.poll(() => events.filter(({ kind }) => kind === 'live').length).toBe(2);
  device.write({ temperature: 31 }, start + 31);
  await device.flush();
  const found = await readings(first.data, 'temperature');
  expect(found.map(({ v }) => Number(v)).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 32 }, (_, i) => i),
  );
  const late = found.filter(({ lane }) => lane === 2).map(({ v }) => v);
  expect(late.length).toBeGreaterThan(10);
  expect(late).toContain(30);
  expect(late).not.toContain(31);
  expect(kinds(events)).toContain('deferred');
});

test('what waits for others goes out with the welcome, before any backfill', async () => {
  const first = await serving();
  await first.stop();
  gateway = null;
  const { device, events } = connected(first.ws, { latencyMs: 60_000 });
  device.write({ temperature: 1 }, Date.now());
  const again = await serving(first.port);
  await expect.poll(() => device.isAllSafe).toBe(true);
  expect(await readings(again.data, 'temperature')).toMatchObject([{ v: 1, lane: 1 }]);
  expect(kinds(events)).toContain('acked');
});

test('by the policy block write says no, ready tells when, and nothing is lost', async () => {
  const { ws, data } = await serving();
  const { device, events } = connected(ws, { whenFull: 'block', ringBytes: 20_000, latencyMs: 5 });
  const start = Date.now();
  let refusals = 0;
  for (let i = 0; i < 20_000; i += 1) {
    while (!device.write({ temperature: i + 0.1 }, start + i)) {
      refusals += 1;
      await device.ready();
    }
  }
  await device.flush();
  expect(refusals).toBeGreaterThan(0);
  const found = await readings(data, 'temperature');
  expect(found.map(({ v }) => v)).toEqual(Array.from({ length: 20_000 }, (_, i) => i + 0.1));
  expect(kinds(events)).toEqual(expect.arrayContaining(['full', 'room']));
  expect(kinds(events)).not.toContain('dropped');
});

test('by the policy thin an outage is held whole, ever more coarsely', async () => {
  const first = await serving();
  await first.stop();
  gateway = null;
  const { device, events } = connected(first.ws, { whenFull: 'thin', ringBytes: 20_000 });
  const start = Date.now();
  for (let i = 0; i < 20_000; i += 1) device.write({ temperature: i + 0.1 }, start + i);
  const again = await serving(first.port);
  await device.flush();
  const found = await readings(again.data, 'temperature');
  const sum = found.reduce((total, { fid }) => total + fid, 0);
  const coarsest = Math.max(...found.map(({ fid }) => fid));
  expect(coarsest).toBeGreaterThan(2);
  expect(sum - 20_000).toBeGreaterThanOrEqual(0);
  expect(sum - 20_000).toBeLessThan(coarsest);
  expect(found[0]).toMatchObject({ v: 0.1, t: start * 1000 });
  const gaps = found.slice(1).map(({ t }, i) => t - (found[i]?.t ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(coarsest * 1000);
  expect(kinds(events)).toContain('thinned');
});

test('a device without a clock takes that of the gateway, for what it measured before too', async () => {
  const first = await serving();
  await first.stop();
  gateway = null;
  const { device } = connected(first.ws, { clock: 'server' });
  const before = Date.now();
  device.write({ temperature: 1 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const again = await serving(first.port);
  device.write({ temperature: 2 });
  await device.flush();
  device.write({ temperature: 3 });
  await device.flush();
  const found = await readings(again.data, 'temperature');
  expect(found.map(({ v }) => v)).toEqual([1, 2, 3]);
  const after = Date.now();
  for (const { t } of found) {
    expect(t / 1000).toBeGreaterThan(before - 1000);
    expect(t / 1000).toBeLessThan(after + 1000);
  }
  expect((found[1]?.t ?? 0) - (found[0]?.t ?? 0)).toBeGreaterThan(250_000);
  expect(() => device.write({ temperature: 4 }, 5)).toThrow('measures now');
});

test('events can be looped over, until the device has ended', async () => {
  const { ws } = await serving();
  const { device } = connected(ws);
  const seen: string[] = [];
  const loop = (async () => {
    for await (const event of device.events()) seen.push(event.kind);
  })();
  device.write({ temperature: 1 });
  await device.close();
  await loop;
  expect(seen).toEqual(['connecting', 'live', 'acked', 'closed']);
  expect(device.write({ temperature: 2 })).toBe(false);
  await device.flush();
});

test('what a human has to fix stops the device, and says so', async () => {
  const { ws } = await serving();
  const { device, events } = connected(ws, { token: 'no path at all' });
  device.write({ temperature: 1 });
  await expect(device.flush()).rejects.toThrow(/the device has ended: it was stopped, 4003 \w+/);
  await expect(device.ready()).rejects.toMatchObject({ code: 4003 });
  expect(events).toContainEqual(expect.objectContaining({ kind: 'stopped', code: 4003 }));
});

test('a token is asked for on every connection; a WebSocket may come from elsewhere', async () => {
  const { ws, data } = await serving();
  let asked = 0;
  const { device } = connected(ws, {
    token: () => {
      asked += 1;
      return Promise.resolve('plant/oven');
    },
    openWebSocket: (url, protocol) => new WebSocket(url, protocol) as never,
  });
  device.write({ temperature: 5 });
  await device.flush();
  expect(asked).toBe(1);
  expect((await readings(data, 'temperature')).map(({ v }) => v)).toEqual([5]);
});

test('what is none of the device is thrown back at once', () => {
  const { device } = connected('ws://127.0.0.1:9/v1');
  expect(() => device.write({ pressure: 1 })).toThrow('no series pressure');
  expect(() => device.write({ temperature: {} as never })).toThrow('a value is a finite number');
  expect(() => device.write({ temperature: 1 }, -1)).toThrow('time outside');
  device.write({ state: 'on' });
  expect(() => device.write({ state: 1 })).toThrow('texts or numbers');
  expect(() => device.write({ state: 'x'.repeat(257) })).toThrow('at most 256 bytes');
  expect(() => connectDevice({ url: 'nonsense', series: { a: {} } })).toThrow('url has to be');
  expect(() => connectDevice({ url: 'ws://h/v1', series: {} })).toThrow('at least one');
});

test('many combinations of series stay within the sets of a connection', async () => {
  const { ws, data } = await serving();
  const names = Array.from({ length: 100 }, (_, i) => `s${i}`);
  const series = Object.fromEntries(names.map((name) => [name, {}]));
  const { device, events } = connected(ws, { series });
  for (let i = 0; i < 300; i += 1) {
    device.write({ [`s${i % 100}`]: i, [`s${(i * 7) % 100}`]: -i, s99: i });
  }
  device.write(Object.fromEntries(names.map((name, i) => [name, i])));
  await device.flush();
  expect(kinds(events)).not.toContain('rejected');
  const last = (await readings(data, 's50')).at(-1);
  expect(last).toMatchObject({ v: 50 });
});
