import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChaosProxy, type Cut } from '../support/chaos-proxy.ts';
import {
  metric,
  type RunningGateway,
  startGateway,
  temporaryDirectory,
} from '../support/gateway-process.ts';
import {
  auditHoles,
  declaredOn2,
  framesOf,
  readingsIn,
  withinHoles,
} from '../support/hole-audit.ts';
import { type LogLine, tailed } from '../support/read-log.ts';
import { type Sample, SamplingDevice, type SamplingOptions } from '../support/sampling-device.ts';
import {
  differences,
  mergedOf,
  type ResultLine,
  revisionsOf,
  upTo,
  type Windows,
  windowsOf,
} from '../support/window-figures.ts';

/** `OUTAGE=1`: the network is away for 60 s, and devices find out by themselves. */
const IS_LONG = process.env['OUTAGE'] === '1';
/** Of a short silence no client knows: it ends as a loud one. Units: ms. */
const RUN = IS_LONG
  ? { beforeMs: 5500, silentMs: 60_000, loudMs: 0, homeMs: 150_000, afterMs: 5000, besides: 10 }
  : { beforeMs: 2500, silentMs: 3000, loudMs: 4000, homeMs: 45_000, afterMs: 2000, besides: 1 };
/** What a device sends at most: an outage takes seconds to go home beside what is measured. */
const UPLINK_BYTES_PER_SECOND = 16 * 1024;
const SECOND_MS = 1000;
const TURN_MS = 10;
/**
 * A live reading is in the log so soon after it was taken, also while backfill goes home: before it
 * on the uplink is what lane 1 sends again (1 s), or at most what lane 2 has in flight, twice what
 * passes in the longest round trip that is believed (3 s, CREDIT §5.3), and a frame. Units: ms.
 */
const LIVE_MS_MAX = 4500;
/** Readings of a sample, in a device that makes a frame of each. */
const READINGS_EACH = 2;

type Kind = Omit<SamplingOptions, 'url' | 'path'>;
/** The devices of a run: two with room for the outage, two without. */
const DEVICES = {
  roomy: { everyMs: 20 },
  'roomy-json': { everyMs: 20, codec: 'json' },
  tight: { everyMs: 20, ringBytes: IS_LONG ? 30_000 : 6000 },
  'tight-each': { everyMs: 100, ringBytes: IS_LONG ? 25_000 : 4000, isFrameEach: true },
} as const satisfies Readonly<Record<string, Kind>>;
type Name = keyof typeof DEVICES;
const NAMES = Object.keys(DEVICES) as Name[];
const ROOMY: readonly Name[] = ['roomy', 'roomy-json'];
const TIGHT: readonly Name[] = ['tight', 'tight-each'];

/** A gateway with a device of each kind. */
interface Site {
  readonly gateway: RunningGateway;
  readonly devices: readonly SamplingDevice[];
}

const cleanUp: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of cleanUp.splice(0).toReversed()) await end();
});

async function openSite(startMs: number, urlOf: (port: number) => Promise<string>): Promise<Site> {
  const data = temporaryDirectory();
  const gateway = await startGateway({ data });
  cleanUp.push(async () => {
    await gateway.stop();
    rmSync(data, { recursive: true, force: true });
  });
  const url = await urlOf(gateway.port);
  const devices = NAMES.map((path) => new SamplingDevice({ ...DEVICES[path], path, url }, startMs));
  cleanUp.push(() => Promise.all(devices.map((device) => device.leave())));
  return { gateway, devices };
}

/** What is left of a site when its devices have ended. */
interface Remains extends Site {
  readonly readings: readonly LogLine[];
  readonly alarms: readonly LogLine[];
}

const remainsOf = async (site: Site): Promise<Remains> => ({
  ...site,
  readings: await tailed<LogLine>(site.gateway.data, 'readings', '--all'),
  alarms: await tailed<LogLine>(site.gateway.data, 'alarms', '--all'),
});

/** The results of a device as they stand now. */
async function revisions({ gateway }: Site, { path }: SamplingDevice) {
  const lines = await tailed<ResultLine>(gateway.data, 'aggregates', '--series', `${path}/#`);
  return revisionsOf(lines);
}

/** Devices of two sites take the same samples at the same times; one of them has an outage. */
interface Scene {
  readonly away: Remains;
  readonly calm: Remains;
  /** When the network went, and when it was back. Units: µs. */
  readonly cutUs: number;
  readonly backUs: number;
  /** Of which time the last sample is, which closes the windows before. Units: µs. */
  readonly endUs: number;
}

async function throughOutage(how: Cut): Promise<Scene> {
  const startMs = Math.ceil(Date.now() / SECOND_MS) * SECOND_MS + SECOND_MS;
  let proxy: ChaosProxy | undefined;
  const outside = await openSite(startMs, async (port) => {
    const opened = await ChaosProxy.open(port, UPLINK_BYTES_PER_SECOND);
    proxy = opened;
    cleanUp.push(() => opened.close());
    return `ws://127.0.0.1:${opened.port}/v1`;
  });
  const inside = await openSite(startMs, async (port) => `ws://127.0.0.1:${port}/v1`);
  const all = [...outside.devices, ...inside.devices];
  const sampleFor = async (ms: number, isEnough = () => false): Promise<boolean> => {
    for (const end = performance.now() + ms; performance.now() < end; await sleep(TURN_MS)) {
      for (const device of all) device.sample(Date.now());
      if (isEnough()) return true;
    }
    return false;
  };
  await sleep(startMs - Date.now());
  await sampleFor(RUN.beforeMs);
  const cutUs = Date.now() * 1000;
  proxy?.goAway(how);
  await sampleFor(RUN.silentMs);
  if (RUN.loudMs > 0) proxy?.goAway('reset');
  await sampleFor(RUN.loudMs);
  const backUs = Date.now() * 1000;
  proxy?.comeBack();
  const areHome = (): boolean => outside.devices.every(({ isHome }) => isHome);
  expect(await sampleFor(RUN.homeMs, areHome)).toBe(true);
  await sampleFor(RUN.afterMs);
  const endMs = Math.ceil(Date.now() / SECOND_MS) * SECOND_MS;
  await sampleFor(endMs - TURN_MS - Date.now());
  for (const device of all) device.sample(endMs - 1);
  await sleep(endMs - Date.now());
  await Promise.all(all.map((device) => device.finish(endMs)));
  const away = await remainsOf(outside);
  const calm = await remainsOf(inside);
  return { away, calm, cutUs, backUs, endUs: endMs * 1000 };
}

const deviceOf = ({ devices }: Site, name: Name): SamplingDevice =>
  devices[NAMES.indexOf(name)] as SamplingDevice;
const recordsOf = ({ readings, alarms }: Remains): readonly LogLine[] => [...readings, ...alarms];
const textOf = ({ topic, t, v }: Sample): string => `${topic} ${t} ${v}`;
const inOrder = (samples: readonly Sample[]): string[] => samples.map(textOf).toSorted();

/** The windows of a device before the end, as a reader merges them, once all of them are final. */
async function expectWindows(site: Site, device: SamplingDevice, wanted: Windows): Promise<void> {
  // The last watermarks become marks, one record per log and second.
  const differ = async (): Promise<string[]> =>
    differences(upTo(mergedOf(await revisions(site, device)), scene.endUs), wanted);
  await expect.poll(differ).toEqual([]);
}

let scene: Scene;

describe.each<Cut>(['reset', 'silent'])('an outage (%s)', (how) => {
  beforeAll(async () => {
    scene = await throughOutage(how);
  }, 400_000);

  test.each(NAMES)('%s: live readings come first, and backfill follows to its end', (name) => {
    const { readings } = scene.away;
    const device = deviceOf(scene.away, name);
    const { newestAtReturn } = device;
    const late = framesOf(readings, device, 2);
    const returned = framesOf(readings, device, 1).filter(({ recv }) => recv > scene.backUs);
    // Others of lane 1 were sent before the outage, and are sent again.
    const fresh = returned.filter(({ samples }) => (samples.at(-1) as number) >= newestAtReturn);
    const [first] = fresh;
    const waited = late.some(({ samples }) => samples.includes(newestAtReturn));
    // What was formed already by the time of the welcome is no live reading any more.
    if (late[0] && !waited) expect(first?.place).toBeLessThan(late[0].place);
    const delaysMs = fresh.map(
      ({ recv, samples }) => recv / 1000 - device.timeMs(samples[0] as number),
    );
    expect(Math.max(...delaysMs)).toBeLessThan(LIVE_MS_MAX);
    const during = fresh.filter(({ place }) => place < (late.at(-1)?.place as number));
    if ((ROOMY as readonly string[]).includes(name)) {
      expect(during.length).toBeGreaterThanOrEqual(RUN.besides);
    }
    if (!IS_LONG) return;
    const tookMs = ((late.at(-1)?.recv ?? 0) - (returned[0]?.recv ?? 0)) / 1000;
    const worstMs = Math.max(...delaysMs);
    const away = {
      awayMs: (device.timeMs(newestAtReturn) * 1000 - scene.cutUs) / 1000,
      tookMs,
      worstMs,
    };
    process.stdout.write(`${JSON.stringify({ how, name, ...away, late: late.length })}\n`);
  });

  test.each(ROOMY)('%s: every reading once, every window as without the outage', async (name) => {
    const { away, calm, endUs } = scene;
    const [device, twin] = [deviceOf(away, name), deviceOf(calm, name)];
    expect(device.sampled).toEqual(twin.sampled);
    expect(inOrder(readingsIn(recordsOf(away), device))).toEqual(inOrder(device.sampled));
    expect(inOrder(readingsIn(recordsOf(calm), twin))).toEqual(inOrder(device.sampled));
    expect(device.told('dropped')).toBe(0);
    const wanted = upTo(windowsOf(device.sampled), endUs);
    await expectWindows(away, device, wanted);
    await expectWindows(calm, twin, wanted);
    // Some of them the live readings had closed when their backfill came.
    const results = await revisions(away, device);
    const backfill = results.filter((result) => result.class === 'backfill');
    const completed = backfill.filter(({ topic, start, offset }) =>
      results.some(
        (live) =>
          live.class === 'live' &&
          live.topic === topic &&
          live.start === start &&
          live.offset < offset,
      ),
    );
    expect(completed.length).toBeGreaterThan(0);
  });

  test.each(TIGHT)('%s: every reading is in the log once, or in a declared hole', async (name) => {
    const { away, endUs } = scene;
    const device = deviceOf(away, name);
    const found = readingsIn(recordsOf(away), device);
    const { missing } = auditHoles(away.readings, device);
    expect(missing.size).toBeGreaterThan(0);
    expect(new Set(found.map(textOf)).size).toBe(found.length);
    expect(device.sampled.length - found.length).toBe(device.told('dropped'));
    const holes = [1, 2].map((lane) => withinHoles(framesOf(away.readings, device, lane)));
    expect([...missing].filter((k) => !holes.some((hole) => hole.has(k)))).toEqual([]);
    await expectWindows(away, device, upTo(windowsOf(found), endUs));
  });

  test('holes are counted to the number, by device, log and gateway alike', () => {
    const { away } = scene;
    const device = deviceOf(away, 'tight-each');
    const { logged, missing, lost } = auditHoles(away.readings, device);
    const late = declaredOn2(framesOf(away.readings, device, 2));
    expect(late.size).toBe(lost[1]);
    expect([...late].filter((k) => logged.has(k))).toEqual([]);
    // Lane 1 has the numbers that frames left behind when they went to lane 2, too.
    const deferred = device.told('deferred') / READINGS_EACH;
    const others = [...missing].filter((k) => !late.has(k));
    expect(lost[0]).toBe(deferred + others.length);
    expect(lost[0] + lost[1]).toBe(deferred + device.told('dropped') / READINGS_EACH);
    expect(missing.size * READINGS_EACH).toBe(device.told('dropped'));
  });

  test('the counters of the gateway say what its log says', async () => {
    const { away, calm } = scene;
    for (const site of [away, calm]) {
      const total = (name: string): Promise<number> =>
        metric(site.gateway.http, `tidegate_${name}`);
      const lostOn = (lane: number): number =>
        recordsOf(site).reduce((sum, line) => (line.lane === lane ? sum + line.lost : sum), 0);
      for (const [lane, word] of ['critical', 'live', 'backfill'].entries()) {
        const counted = await total(`ingest_frames_lost_total{lane="${word}"}`);
        expect({ word, counted }).toEqual({ word, counted: lostOn(lane) });
      }
      const readings = site.devices.flatMap((device) => readingsIn(recordsOf(site), device));
      expect(await total('delivery_readings_durable_total')).toBe(readings.length);
      expect(await total('aggregation_readings_total{outcome="aggregated"}')).toBe(readings.length);
      const epochs = recordsOf(site).filter(({ kind }) => kind === 'frame');
      expect(new Set(epochs.map(({ ep }) => ep)).size).toBe(NAMES.length);
    }
  });
});
