import { expect, test } from 'vitest';
import { connectDevice, type DeviceEvent } from '../../../../src/adapters/device/device-client.ts';
import { FakeSocket } from '../../../support/fake-socket.ts';

const SERIES = { temperature: {}, overheated: { lane: 'critical' } } as const;

/** A device on a gateway that never answers, and what it told. */
function blocking() {
  const device = connectDevice({
    url: 'ws://gateway/v1',
    series: SERIES,
    openWebSocket: () => new FakeSocket(),
    whenFull: 'block',
    ringBytes: 32 * 1024,
  });
  const events: DeviceEvent[] = [];
  device.on((event) => events.push(event));
  return { device, events };
}

/** Writes until it is refused. */
function fill(write: () => boolean): number {
  for (let taken = 0; taken < 100_000; taken += 1) if (!write()) return taken;
  return Number.POSITIVE_INFINITY;
}

test.each(['temperature', 'overheated'] as const)(
  'while there is no room for %s, ready waits, and the end ends that',
  async (name) => {
    const { device, events } = blocking();
    expect(fill(() => device.write({ [name]: Math.PI }))).toBeGreaterThan(100);
    expect(events.map(({ kind }) => kind)).toEqual(['connecting', 'full']);
    const waiting = device.ready();
    const turn = new Promise((resolve) => setImmediate(resolve, 'waits'));
    const first = await Promise.race([waiting.then(() => 'ready'), turn]);
    expect(first).toBe('waits');
    await Promise.all([
      device.close(0),
      expect(waiting).rejects.toThrow('the device has ended: it was closed'),
    ]);
  },
);

test('alarms have the last eighth of the ring, and what they took is kept from bulk', async () => {
  const { device, events } = blocking();
  fill(() => device.write({ temperature: Math.PI }));
  expect(fill(() => device.write({ overheated: true }))).toBeGreaterThan(10);
  expect(device.write({ temperature: 1 })).toBe(false);
  expect(events.filter(({ kind }) => kind === 'dropped')).toEqual([]);
  await device.close(0);
});
