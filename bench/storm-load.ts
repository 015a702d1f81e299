import { createInterface } from 'node:readline';
import { Latency } from '../simulators/latency.ts';
import type { Told } from './credit-device.ts';
import { StallWatch } from './stalls.ts';
import { StormDevice, type StormTerms } from './storm-device.ts';

/**
 * The devices of a storm. Argument: JSON `StormLoad`. Prints `ready` when all are connected. A line on
 * stdin: `watch` and `cut` begin a storm (`cut` breaks all connections at once); `welcomed` follows
 * when all have their connection again, and a line of JSON (`Storm`) when all have caught up;
 * `finish` stops the frames and prints `StormEnd` when all are acked.
 */
export interface StormLoad {
  readonly url: string;
  readonly devices: number;
  /** Frames of lane 1 per second, of one device. */
  readonly rate: number;
}

/** How a storm went. Units: ms from the first broken connection, for the last device. */
export interface Storm {
  readonly welcomedMs: number;
  /** An alarm that was raised after the welcome is acked. */
  readonly alarmMs: number;
  /** A frame of lane 1 that was due after the welcome is acked. */
  readonly liveMs: number;
  /** Everything is acked that was due when the last one was live. */
  readonly caughtUpMs: number;
  /** Attempts that ended, by close code or HTTP status. */
  readonly ends: Readonly<Record<string, number>>;
  /** Answers 429, 503 and 4100, and those of them that did not say when to come again. */
  readonly refused: number;
  readonly untold: number;
  /** Frames of lane 1 that were held when the last one was welcomed. */
  readonly held: number;
  /** From sending to the ack, by lane. Units: ms. */
  readonly ackP99Ms: readonly (number | null)[];
  readonly loopP99Ms: number;
}

/** The account at the end. */
export interface StormEnd {
  /** Acks that were taken back, or came for what was not sent. */
  readonly faults: number;
  /** Of each device: path, epoch, and by lane (0, 1) how many frames it formed and how many are acked. */
  readonly devices: readonly (readonly [string, number, Formed, Formed])[];
}

type Formed = readonly [number, number];

const { url, devices: count, rate }: StormLoad = JSON.parse(process.argv[2] ?? '{}');
const TURN_MS = 20;
const CONNECTS_PER_TURN = 20;
const SETTLE_MS_MAX = 60_000;
const REFUSALS: ReadonlySet<number> = new Set([429, 503, 4100]);

const watch = new StallWatch();
let isOver = false;
let stormAtMs = Number.NaN;
let ends: Record<string, number> = {};
let [refused, untold] = [0, 0];
let ackMs = [new Latency(), new Latency()];

const terms: StormTerms = {
  url,
  rate,
  sinceMs: Number.NaN,
  untilMs: Number.POSITIVE_INFINITY,
  onAcked: (lane, ms) => ackMs[lane]?.record(ms),
  onEnd: (_device, code, told) => ended(code, told),
};
const devices = Array.from({ length: count }, (_, i) => new StormDevice(`storm/${i}`, terms));

function ended(code: number, { retryAfter, waitMs }: Told): void {
  if (Number.isNaN(stormAtMs)) stormAtMs = performance.now();
  ends[code] = (ends[code] ?? 0) + 1;
  if (!REFUSALS.has(code)) return;
  refused += 1;
  if (retryAfter === undefined && waitMs === undefined) untold += 1;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const say = (line: object | string): void => {
  process.stdout.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
};

async function connectAll(): Promise<void> {
  for (const [i, { io }] of devices.entries()) {
    io.connect();
    if (i % CONNECTS_PER_TURN === 0) await sleep(TURN_MS);
  }
  while (devices.some(({ io }) => !io.isLive)) await sleep(TURN_MS);
}

/** Waits until this is known of all devices; returns when it was for the last. Units: ms. */
async function all(of: (device: StormDevice) => number): Promise<number> {
  while (devices.some((device) => Number.isNaN(of(device)))) await sleep(TURN_MS);
  return Math.max(...devices.map(of)) - stormAtMs;
}

async function storm(order: string): Promise<void> {
  stormAtMs = Number.NaN;
  ends = {};
  [refused, untold] = [0, 0];
  ackMs = [new Latency(), new Latency()];
  watch.report();
  for (const device of devices) device.begin();
  if (order === 'cut') for (const { io } of devices) io.cut();
  await all(({ welcomedMs }) => welcomedMs);
  say('welcomed');
  const welcomedAtMs = performance.now();
  const { p99: loopP99Ms } = watch.report().loop;
  const held = devices.reduce((sum, one) => sum + one.dueAt(welcomedAtMs) - one.bulk.acked, 0);
  const alarmMs = await all((device) => device.alarmMs);
  const liveMs = await all((device) => device.liveMs);
  const goals = devices.map((device) => device.dueAt(performance.now()));
  while (devices.some((device, i) => !device.isAckedTo(goals[i] as number))) await sleep(TURN_MS);
  const said: Storm = {
    welcomedMs: await all(({ welcomedMs }) => welcomedMs),
    alarmMs,
    liveMs,
    caughtUpMs: performance.now() - stormAtMs,
    ends,
    refused,
    untold,
    held,
    ackP99Ms: ackMs.map((lane) => lane.quantile(0.99)),
    loopP99Ms,
  };
  say(said);
}

async function finish(): Promise<void> {
  terms.untilMs = performance.now();
  const untilMs = terms.untilMs + SETTLE_MS_MAX;
  const isDone = (): boolean => devices.every((one) => one.isAckedTo(one.dueAt(terms.untilMs)));
  while (!isDone() && performance.now() < untilMs) await sleep(TURN_MS);
  const end: StormEnd = {
    faults: devices.reduce((sum, { alarm, bulk }) => sum + alarm.faults + bulk.faults, 0),
    devices: devices.map(({ io, alarm, bulk }) => [
      io.name,
      io.epoch,
      [alarm.n, alarm.acked],
      [bulk.n, bulk.acked],
    ]),
  };
  isOver = true;
  for (const { io } of devices) io.leave();
  say(end);
  await sleep(1000);
  process.exit(0);
}

await connectAll();
terms.sinceMs = performance.now();
setInterval(() => {
  if (isOver) return;
  const now = performance.now();
  for (const device of devices) device.pump(now);
}, TURN_MS);
say('ready');
for await (const order of createInterface(process.stdin)) {
  if (order === 'finish') await finish();
  else await storm(order);
}
