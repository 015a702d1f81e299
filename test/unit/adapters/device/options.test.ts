import { afterEach, expect, test, vi } from 'vitest';
import {
  connectDevice,
  type DeviceClient,
  type DeviceOptions,
} from '../../../../src/adapters/device/device-client.ts';
import { FakeSocket } from '../../../support/fake-socket.ts';

const GOOD = {
  url: 'ws://gateway/v1',
  series: { temperature: {} },
  openWebSocket: () => new FakeSocket(),
};

const devices: DeviceClient[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  await Promise.all(devices.splice(0).map((device) => device.close(0)));
});

const connected = (options: object = {}): DeviceClient => {
  const device = connectDevice({ ...GOOD, ...options } as DeviceOptions);
  devices.push(device);
  return device;
};
const series = (one: unknown): object => ({ series: { temperature: one } });

test.each<[object, string]>([
  [series({ lane: 'high' }), "series temperature: lane has to be 'critical' or 'live' or"],
  [series({ unit: 5 }), 'series temperature: unit has to be at most 32 printable ASCII'],
  [series({ unit: 'degrees C' }), 'series temperature: unit has to be'],
  [series({ scale: 0 }), 'series temperature: scale has to be a finite number other than 0'],
  [series({ scale: '2' }), "other than 0, and is '2'"],
  [series({ offset: Number.NaN }), 'offset has to be a finite number, and is NaN'],
  [series({ Unit: 'Cel' }), 'series temperature: Unit: unknown option, did you mean unit?'],
  [series('Cel'), "series temperature has to be an object, which may be empty: {}, and is 'Cel'"],
  [{ series: { 'oven temperature': {} } }, "series 'oven temperature': a name is a path"],
  [{ series: ['temperature'] }, 'series has to be an object'],
  [{ series: undefined }, 'series has to be an object'],
  [{ whenFull: 'drop' }, "whenFull has to be 'drop-oldest' or 'block' or 'thin', and is 'drop'"],
  [{ codec: 'xml' }, "codec has to be 'cbor' or 'json', and is 'xml'"],
  [{ clock: 'gateway' }, "clock has to be 'own' or 'server'"],
  [{ ringBytes: 10 }, 'ringBytes has to be a number of bytes, 4000 or more, and is 10'],
  [{ ringBytes: '4MiB' }, "ringBytes has to be a number of bytes, 4000 or more, and is '4MiB'"],
  [{ ringbytes: 1e6 }, 'ringbytes: unknown option, did you mean ringBytes?'],
  [{ WebSocket: FakeSocket }, 'WebSocket: unknown option'],
  [{ toString: 1 }, 'toString: unknown option'],
  [{ latencyMs: -1 }, 'latencyMs has to be a number of ms, 0 or more, and is -1'],
  [{ backfill: 'no' }, 'backfill has to be true or false'],
  [{ token: 5 }, 'token has to be a text, or a function that gets one, and is 5'],
  [{ store: './ring' }, "store has to be what openRingFile returns, and is './ring'"],
  [{ url: 'gateway:8080/v1' }, 'url has to be a URL, as wss://HOST/v1'],
  [{ url: undefined }, 'url has to be a URL'],
])('%j is refused at once', (options, sentence) => {
  expect(() => connected(options)).toThrow(sentence);
});

test('a number out of its range is a RangeError, all else a TypeError', () => {
  expect(() => connected({ ringBytes: 10 })).toThrow(RangeError);
  expect(() => connected({ ringBytes: '10' })).toThrow(TypeError);
});

test('every option may be left undefined', () => {
  connected({ codec: undefined, whenFull: undefined, ringBytes: undefined, token: undefined });
  connected(series({ unit: undefined, scale: undefined, lane: undefined }));
});

test('where there is no WebSocket that is said once, by connectDevice', () => {
  vi.stubGlobal('WebSocket', undefined);
  expect(() => connected({ openWebSocket: undefined })).toThrow(
    'there is no WebSocket here: the client needs Node 22 or later, a browser, or the option openWebSocket',
  );
  connected();
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  '%d is no value: it is thrown back',
  (value) => {
    const device = connected();
    expect(() => device.write({ temperature: value })).toThrow(TypeError);
    expect(() => device.write({ temperature: value })).toThrow(
      'temperature: a value is a finite number, a boolean or a text; where there is none, null',
    );
    expect(device.isAllSafe).toBe(true);
  },
);

test('null and undefined say that there is no reading of a series', () => {
  const device = connected({ series: { temperature: {}, humidity: {} } });
  expect(device.write({ temperature: 1, humidity: null })).toBe(true);
  expect(device.write({ temperature: 1, humidity: undefined } as never)).toBe(true);
});

test.each([null, undefined, 21.5, 'temperature', [21.5]])('%j is no readings', (values) => {
  const device = connected();
  expect(() => device.write(values as never)).toThrow('readings are an object, by name of series');
});

test('frames of a burst fit a small ring', async () => {
  const device = connected({ ringBytes: 4000 });
  const dropped: number[] = [];
  device.on((event) => event.kind === 'dropped' && dropped.push(event.readings));
  for (let i = 0; i < 2000; i += 1) device.write({ temperature: i + 0.1 });
  const lost = dropped.reduce((sum, readings) => sum + readings, 0);
  // Each frame a largest one, none would find room: 1890 would be lost.
  expect(lost).toBeLessThan(1800);
  await device.close(0);
});
