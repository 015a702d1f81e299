import { createInterface } from 'node:readline';
import { ReconnectPolicy } from '../src/client/reconnect-policy.ts';
import { CreditDevice, type LaneShape } from './credit-device.ts';
import type { CreditLane } from './credit-lane.ts';
import { templateOf, waveOf } from './frame.ts';
import { StallWatch } from './stalls.ts';

/**
 * Devices that come back by the policy of PROTOCOL §10.3, whatever ends their connection. Argument:
 * JSON `StormLoad`. Prints `ready` when all are connected. A line on stdin: `watch` and `cut` begin a
 * storm (`cut` breaks all connections at once), and a line of JSON (`Storm`) follows when all are
 * live again; `finish` stops the frames and prints `StormEnd` when all are acked.
 */
export interface StormLoad {
  readonly url: string;
  readonly devices: number;
  /** Frames per second of one device. */
  readonly rate: number;
}

/** How a storm went. */
export interface Storm {
  /** From the first broken connection until the last device was welcomed again. */
  readonly liveMs: number;
  /** Until everything was acked that they held when the last one came back. */
  readonly caughtUpMs: number;
  /** Attempts that ended, by close code or HTTP status. */
  readonly ends: Readonly<Record<string, number>>;
  /** Answers 429 and 503, and those of them that came without Retry-After. */
  readonly refused: number;
  readonly withoutRetryAfter: number;
  /** Frames that were held when the last one came back. */
  readonly held: number;
  readonly loopP99Ms: number;
}

/** The account at the end. */
export interface StormEnd {
  readonly formed: number;
  readonly acked: number;
  /** Acks that were taken back, or came for what was not sent. */
  readonly faults: number;
}

const { url, devices: count, rate }: StormLoad = JSON.parse(process.argv[2] ?? '{}');
const ROWS = 300;
const TURN_MS = 20;
const CONNECTS_PER_TURN = 20;
const SETTLE_MS_MAX = 60_000;
/** The sizes of a storm do not depend on when a device formed its last frame. Units: µs. */
const STEP_US = 1e6 / rate;
const SHAPE: LaneShape = {
  lane: 1,
  set: 1,
  cols: [['wave', 'm/s2', 0.01, 0]],
  template: templateOf({
    lane: 1,
    set: 1,
    columns: [waveOf(ROWS)],
    dtUs: Math.floor(STEP_US / ROWS),
  }),
};

const watch = new StallWatch();
const begunMs = performance.now();
const policies = new Map<CreditDevice, ReconnectPolicy>();
let isForming = false;
let isOver = false;
let stormAtMs = Number.NaN;
let ends: Record<string, number> = {};
let refused = 0;
let withoutRetryAfter = 0;

const isStatus = (code: number): boolean => code >= 400 && code < 600;

const listener = {
  onWelcome: () => undefined,
  onFlow: (device: CreditDevice) => pump(device, device.lanes[0] as CreditLane, performance.now()),
  onAcked: () => undefined,
  onEnd: (device: CreditDevice, code: number, retryAfter: string | undefined) => {
    if (isOver) return;
    if (Number.isNaN(stormAtMs)) stormAtMs = performance.now();
    ends[code] = (ends[code] ?? 0) + 1;
    if (code === 429 || code === 503) {
      refused += 1;
      if (retryAfter === undefined) withoutRetryAfter += 1;
    }
    const waitMs = retryAfter === undefined ? undefined : 1000 * Number(retryAfter);
    const [closeCode, status] = isStatus(code) ? [0, code] : [code, 0];
    const ending = { code: closeCode, status, waitMs, message: '' };
    const verdict = policies.get(device)?.next(ending, performance.now(), true);
    if (verdict && Number.isFinite(verdict.waitMs)) {
      setTimeout(() => device.connect(), verdict.waitMs);
    }
  },
};

const devices = Array.from({ length: count }, (_, i) => {
  const device = new CreditDevice(`storm/${i}`, url, [SHAPE], listener);
  const options = { random: Math.random, isUnattended: true, canRenew: false };
  policies.set(device, new ReconnectPolicy(options));
  return device;
});

/** Forms what is due, and sends what may be sent: what was held first. */
function pump(device: CreditDevice, lane: CreditLane, nowMs: number): void {
  if (!device.isLive) return;
  while (lane.cursor < lane.n && lane.hasCredit) device.send(lane, nowMs, STEP_US);
  const due = dueOf(device, nowMs);
  while (lane.cursor === lane.n && lane.n < due && lane.hasCredit) {
    device.send(lane, nowMs, STEP_US);
  }
}

const phaseOf = new Map(devices.map((device) => [device, Math.random()]));
let formingUntilMs = Number.POSITIVE_INFINITY;

/** How many frames a device has formed by now; those that it cannot send wait. */
function dueOf(device: CreditDevice, nowMs: number): number {
  if (!isForming) return 0;
  const ms = Math.min(nowMs, formingUntilMs) - begunMs;
  return Math.floor((ms * rate) / 1000 + (phaseOf.get(device) ?? 0));
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const lanes = devices.map((device) => device.lanes[0] as CreditLane);
const sum = (of: (lane: CreditLane) => number): number =>
  lanes.reduce((total, lane) => total + of(lane), 0);

async function connectAll(): Promise<void> {
  for (const [i, device] of devices.entries()) {
    device.connect();
    if (i % CONNECTS_PER_TURN === 0) await sleep(TURN_MS);
  }
  while (devices.some(({ isLive }) => !isLive)) await sleep(TURN_MS);
}

async function storm(order: string): Promise<void> {
  stormAtMs = Number.NaN;
  ends = {};
  refused = 0;
  withoutRetryAfter = 0;
  watch.report();
  if (order === 'cut') for (const device of devices) device.cut();
  while (Number.isNaN(stormAtMs) || devices.some(({ isLive }) => !isLive)) await sleep(1);
  const now = performance.now();
  const liveMs = now - stormAtMs;
  const goals = devices.map((device) => dueOf(device, now));
  const held = lanes.reduce((total, { acked }, i) => total + (goals[i] as number) - acked, 0);
  while (lanes.some(({ acked }, i) => acked < (goals[i] as number))) await sleep(TURN_MS);
  const caughtUpMs = performance.now() - stormAtMs;
  const loopP99Ms = watch.report().loop.p99;
  const said: Storm = { liveMs, caughtUpMs, ends, refused, withoutRetryAfter, held, loopP99Ms };
  say(said);
}

async function finish(): Promise<void> {
  formingUntilMs = performance.now();
  const untilMs = formingUntilMs + SETTLE_MS_MAX;
  const isDone = (): boolean =>
    devices.every((device, i) => (lanes[i]?.acked ?? 0) >= dueOf(device, formingUntilMs));
  while (!isDone() && performance.now() < untilMs) await sleep(TURN_MS);
  const end: StormEnd = {
    formed: devices.reduce((total, device) => total + dueOf(device, formingUntilMs), 0),
    acked: sum(({ acked }) => acked),
    faults: sum(({ faults }) => faults),
  };
  isOver = true;
  for (const device of devices) device.leave();
  say(end);
  await sleep(1000);
  process.exit(0);
}

await connectAll();
isForming = true;
setInterval(() => {
  const now = performance.now();
  for (const [i, device] of devices.entries()) pump(device, lanes[i] as CreditLane, now);
}, TURN_MS);
process.stdout.write('ready\n');
for await (const order of createInterface(process.stdin)) {
  if (order === 'finish') await finish();
  else await storm(order);
}
