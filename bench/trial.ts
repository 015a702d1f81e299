import type { LoadEnd, PacedLoad, Slice } from './paced-load.ts';
import { median, Peer } from './peers.ts';
import type { DiskSpeed } from './slow-disk.ts';
import type { Floor } from './slow-floor.ts';
import { WatchedGateway } from './watched.ts';

/** What a small SSD takes for a sync, and a rate at which the CPU is not the limit. */
export const DISK: DiskSpeed = { baseMs: 0.25, bytesPerSecond: 5_000_000 };

/** One load on one gateway. */
export interface Trial {
  readonly disk: DiskSpeed;
  readonly load: Omit<PacedLoad, 'url' | 'prefix'>;
  /** Delay of every byte in each direction. Units: ms. */
  readonly delayMs?: number;
}

/** A slice, and what the gateway said of itself meanwhile. */
export interface SeenSlice extends Slice {
  readonly gatewayLoopP99Ms: number;
  readonly gatewayCores: number;
  readonly syncsPerSecond: number;
  /** Bytes in a second, of all logs. */
  readonly diskBytesPerSecond: number;
  /** Of the time, the disk had nothing to do. */
  readonly diskIdle: number;
}

/** What a trial showed. */
export interface Seen {
  readonly slices: readonly SeenSlice[];
  readonly end: LoadEnd;
  /** Resident memory of the gateway, once a second. Units: bytes. */
  readonly rss: readonly number[];
}

const RSS_STEP_MS = 1000;

/** Lets a load run on a gateway of its own. */
export async function tryOut(trial: Trial): Promise<Seen> {
  const gateway = await WatchedGateway.start(trial.disk);
  const { delayMs = 0 } = trial;
  const proxy =
    delayMs > 0
      ? new Peer('bench/delay-proxy.ts', String(gateway.port), String(delayMs))
      : undefined;
  const url = proxy ? `ws://127.0.0.1:${await proxy.line()}/v1` : gateway.ws;
  const options: PacedLoad = { ...trial.load, url, prefix: 'bench' };
  const peer = new Peer('bench/paced-load.ts', JSON.stringify(options));
  await peer.line();
  const rss: number[] = [];
  const sampling = setInterval(() => rss.push(gateway.rss), RSS_STEP_MS);
  const slices = await readSlices(peer, gateway, trial.load.phases);
  clearInterval(sampling);
  const end: LoadEnd = JSON.parse(await peer.line());
  await proxy?.end();
  await gateway.end();
  return { slices, end, rss };
}

async function readSlices(
  peer: Peer,
  gateway: WatchedGateway,
  phases: PacedLoad['phases'],
): Promise<SeenSlice[]> {
  const seen: SeenSlice[] = [];
  const count = phases.reduce((sum, { slices }) => sum + slices, 0);
  let last = await gateway.vitals();
  let lastMs = performance.now();
  for (let i = 0; i < count; i += 1) {
    const slice: Slice = JSON.parse(await peer.line());
    const vitals = await gateway.vitals();
    const now = performance.now();
    seen.push({
      ...slice,
      gatewayLoopP99Ms: vitals.loop.p99,
      gatewayCores: (vitals.cpuMs - last.cpuMs) / (now - lastMs),
      syncsPerSecond: (1000 * vitals.disk.syncs) / (now - lastMs),
      diskBytesPerSecond: (1000 * vitals.disk.bytes) / (now - lastMs),
      diskIdle: 1 - vitals.disk.busyMs / (now - lastMs),
    });
    [last, lastMs] = [vitals, now];
  }
  return seen;
}

/** What the slowed log does by itself with such frames. */
export async function floorOf(disk: DiskSpeed, frameBytes: number, seconds: number) {
  const args = [JSON.stringify(disk), String(frameBytes), String(seconds)];
  const peer = new Peer('bench/slow-floor.ts', ...args);
  const floor: Floor = JSON.parse(await peer.line());
  return floor;
}

/** Median, least and greatest of a figure over slices. */
export interface Spread {
  readonly middle: number;
  readonly least: number;
  readonly most: number;
}

/** The spread of a figure; slices without it are left out. */
export function spreadOf<T>(slices: readonly T[], of: (slice: T) => number | null): Spread {
  const values = slices.map(of).filter((value) => value !== null);
  return { middle: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** Frames acked in a second, lane 1. */
export const framesPerSecond = ({ frames, seconds }: Slice): number => sumOf(frames) / seconds;

/** Jain's index: 1 if all are equal, 1/n if one has everything. */
export function jain(values: readonly number[]): number {
  const squares = values.reduce((sum, value) => sum + value * value, 0);
  return sumOf(values) ** 2 / (values.length * squares);
}

/** The sum. */
export const sumOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0);

/** `middle (least–most)`. */
export function textOf({ middle, least, most }: Spread, digits: number): string {
  return `${middle.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}
