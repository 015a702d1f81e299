import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { checkJournal } from './check-journal.ts';
import { PushingDevice } from './pushing-device.ts';
import { type LogLine, tailed } from './read-log.ts';
import type { WatchedGateway } from './watched-gateway.ts';

const GREEDY = 20;
/** Frames of devices that send whatever they may: 7 KiB. */
const GREEDY_ROWS = 900;
const STEADY_MS = 50;
const VISIT_MS = 20;
const VISITORS = 5;
const LOOK_MS = 500;
/**
 * What a process may need more while the log is away. Twenty devices that ignored their credit would
 * send it so much in a tenth of a second. Units: MB.
 */
const GROWTH_MB_MAX = 50;

/** Devices that go through an outage on one connection each. */
export interface OutageFleet {
  /** A small frame every 50 ms. */
  readonly steady: PushingDevice;
  /** The steady one, and those that send whatever they may. */
  readonly devices: readonly PushingDevice[];
}

/** Connects them; resolves when each has been acknowledged ten frames. */
export async function openFleet(url: string): Promise<OutageFleet> {
  const steady = await PushingDevice.open(url, { device: 'steady', everyMs: STEADY_MS });
  const greedy = await Promise.all(
    Array.from({ length: GREEDY }, (_, i) =>
      PushingDevice.open(url, { device: `greedy/${i}`, rows: GREEDY_ROWS }),
    ),
  );
  const devices = [steady, ...greedy];
  await Promise.all(devices.map((device) => device.until(() => device.acked >= 10)));
  return { steady, devices };
}

/** What was seen while the log took nothing. */
export interface OutageFigures {
  /** Units: MB. */
  readonly mostMemory: number;
  /** Connections of devices that came, sent what they might, and left. */
  readonly visits: number;
}

/**
 * Call it when every device knows why it waits: for so long no credit comes and nobody is sent away,
 * although all go on wanting to send and others come and go.
 */
export async function endure(
  gateway: WatchedGateway,
  { devices }: OutageFleet,
  awayMs: number,
): Promise<OutageFigures> {
  const greedy = devices.slice(1);
  const before = { acked: devices.map(ackedOf), sent: greedy.map(sentOf) };
  const memory = await gateway.residentMb();
  let visits = 0;
  let mostMemory = memory;
  let lookAtMs = 0;
  for (const end = performance.now() + awayMs; performance.now() < end; visits += 1) {
    const device = `visitor/${visits % VISITORS}`;
    const visitor = await PushingDevice.open(gateway.ws, { device, rows: GREEDY_ROWS });
    await sleep(VISIT_MS);
    await visitor.disconnect();
    if (performance.now() < lookAtMs) continue;
    lookAtMs = performance.now() + LOOK_MS;
    mostMemory = Math.max(mostMemory, await gateway.residentMb());
  }
  expect({ acked: devices.map(ackedOf), sent: greedy.map(sentOf) }).toEqual(before);
  expect(devices.map(({ closedWith }) => closedWith)).toEqual(devices.map(() => null));
  expect(mostMemory - memory).toBeLessThan(GROWTH_MB_MAX);
  return { mostMemory, visits };
}

const ackedOf = ({ acked }: PushingDevice): number => acked;
const sentOf = ({ sent }: PushingDevice): number => sent;

/** Every device is told that the log is down. */
export const toldWhy = ({ devices }: OutageFleet): Promise<unknown> =>
  Promise.all(devices.map((device) => device.until(() => device.whys.at(-1) === 2)));

/**
 * All stop to send, and everything sent is acknowledged: then it is in the log, once and in order,
 * nobody was sent away, nobody waits any more, and the counts of frames add up.
 */
export async function expectAllSafe(gateway: WatchedGateway, fleet: OutageFleet): Promise<void> {
  const { devices } = fleet;
  await Promise.all(devices.map((device) => device.finish()));
  await Promise.all(devices.map((device) => device.until(() => device.whys.at(-1) === 0)));
  const received = await gateway.metric('tidegate_ingest_frames_received_total');
  expect(await gateway.metric('tidegate_ingest_frames_in_flight')).toBe(0);
  const durable = 'tidegate_ingest_frames_settled_total{outcome="durable"}';
  expect(await gateway.metric(durable)).toBe(received);

  const journal = devices.map((device) => device.journal()).join('');
  const lines = await tailed<LogLine>(gateway.log, 'readings', '--all');
  const names = new Set(devices.map(({ device }) => device));
  const theirs = lines.filter(({ kind, device }) => kind !== 'frame' || names.has(device));
  const acked = devices.reduce((sum, device) => sum + device.acked, 0);
  expect(checkJournal(journal, theirs)).toEqual({ acked, missing: [], wrong: [] });
}

/** What an operator reads besides the warning that one replica is not much. */
export const sentences = (gateway: WatchedGateway): string[] =>
  gateway.lines.map(({ msg }) => msg).filter((msg) => !msg.includes('acks say dur 0'));
