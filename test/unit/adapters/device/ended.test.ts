import { expect, test } from 'vitest';
import { connectDevice } from '../../../../src/adapters/device/device-client.ts';
import { DeviceEndedError } from '../../../../src/adapters/device/ended-error.ts';
import { FakeSocket } from '../../../support/fake-socket.ts';

const SERIES = { temperature: {} } as const;

/** A device on a gateway of which the test says what it does. */
function connected() {
  const socket = new FakeSocket();
  const openWebSocket = () => socket;
  const device = connectDevice({ url: 'ws://gateway/v1', series: SERIES, openWebSocket });
  return { device, socket };
}

test('ready tells why a device has stopped, to who waits and to who comes later', async () => {
  const { device, socket } = connected();
  device.write({ temperature: 1 });
  const flushing = device.flush();
  flushing.catch(() => undefined);
  await socket.isAsked;
  socket.opens();
  socket.closes(4003, 'this is no token');
  expect(device.write({ temperature: 2 })).toBe(false);
  const why = 'the device has ended: it was stopped, 4003 this is no token';
  for (const promise of [flushing, device.ready(), device.flush()]) {
    await expect(promise).rejects.toThrow(why);
    await expect(promise).rejects.toThrow(DeviceEndedError);
    await expect(promise).rejects.toMatchObject({ code: 4003 });
  }
});

test('the loop that waits for room ends with the device', async () => {
  const { device, socket } = connected();
  const written = (async () => {
    for (;;) {
      // A loop that never leaves the microtasks would keep the test from ending.
      let refusals = 0;
      while (!device.write({ temperature: 1 })) {
        refusals += 1;
        if (refusals > 100) return 'hangs';
        await device.ready();
      }
      await new Promise(setImmediate);
    }
  })();
  written.catch(() => undefined);
  await socket.isAsked;
  socket.opens();
  socket.closes(4004, 'not yours');
  await expect(written).rejects.toThrow('4004 not yours');
});

test('a closed device says that it was closed', async () => {
  const { device } = connected();
  await device.close(0);
  expect(device.write({ temperature: 1 })).toBe(false);
  await expect(device.ready()).rejects.toThrow('the device has ended: it was closed');
  await expect(device.ready()).rejects.toMatchObject({ code: 0 });
  await device.flush();
});

test('a connection that cannot be opened says what to check', async () => {
  const { device, socket } = connected();
  const messages: string[] = [];
  device.on((event) => event.kind === 'waiting' && messages.push(event.message));
  await socket.isAsked;
  socket.closes(1006, '');
  expect(messages).toEqual([
    'cannot connect: check host and port, the path /v1, and that the gateway runs',
  ]);
  await device.close(0);
});

test('what waits for company when the device stops is told as dropped', async () => {
  const { device, socket } = connected();
  const dropped: number[] = [];
  device.on((event) => event.kind === 'dropped' && dropped.push(event.readings));
  await socket.isAsked;
  socket.opens();
  device.write({ temperature: 1 });
  device.write({ temperature: 2 });
  socket.closes(4003, 'this is no token');
  expect(dropped).toEqual([2]);
  await expect(device.flush()).rejects.toThrow('4003');
});
