import { Latency } from '../simulators/latency.ts';
import { CreditDevice } from './credit-device.ts';
import type { CreditLane } from './credit-lane.ts';
import { alarmLane, waveLane } from './lane-shapes.ts';
import { StallWatch } from './stalls.ts';

/**
 * Devices that offer a known rate, whatever is taken of it. Argument: JSON `PacedLoad`. Prints
 * `ready` when all are connected, a line of JSON (`Slice`) for each slice, and at last `LoadEnd`.
 */
export interface PacedLoad {
  readonly url: string;
  readonly prefix: string;
  readonly devices: number;
  /** Rows of one int16 column in a frame of lane 1. */
  readonly rows: number;
  /** Frames per second of lane 0, of one device. */
  readonly alarms: number;
  readonly phases: readonly Phase[];
  /** How long the acks of what was sent are waited for at the end. Units: s. */
  readonly settleS: number;
}

/** A time of constant rates. */
export interface Phase {
  readonly name: string;
  /** Frames of lane 1 per second that one device offers; the first may be another kind of device. */
  readonly rate: number;
  readonly firstRate: number;
  /** Before the first slice. Units: s. */
  readonly warmS: number;
  readonly sliceS: number;
  readonly slices: number;
}

/** Durations. Units: ms; null: there was none. */
export interface Quantiles {
  readonly p50: number | null;
  readonly p99: number | null;
}

/** What happened in a slice. */
export interface Slice {
  readonly phase: string;
  readonly seconds: number;
  /** Frames of lane 1 that were acked, by device. */
  readonly frames: readonly number[];
  /** From sending a frame to the flow that covers it. */
  readonly ackMs: Quantiles;
  readonly lane0Ms: Quantiles;
  readonly lane0Frames: number;
  /** Without credit, with something to send. */
  readonly blockedMs: Quantiles;
  /** Of the time of all devices. */
  readonly blockedShare: number;
  /** CPU of the load itself: it must not be the bottleneck. Units: cores. */
  readonly cores: number;
  readonly loopP99Ms: number;
}

/** What was seen in all. */
export interface LoadEnd {
  readonly sent: number;
  readonly acked: number;
  readonly disconnects: number;
  /** Close codes, or HTTP statuses. */
  readonly codes: readonly number[];
  /** Acks beyond what was sent, limits that fell. */
  readonly faults: number;
  readonly frameBytes: number;
}

const CONNECTS_PER_TURN = 10;
const CONNECT_TURN_MS = 10;

/** A device with what it offers. */
interface Offer {
  readonly device: CreditDevice;
  readonly bulk: CreditLane;
  readonly alarm: CreditLane;
  /** Frames of lane 1 per second. */
  rate: number;
  /** Frames offered before `sinceMs`. */
  offered: number;
  alarmAtMs: number;
  blockedSinceMs: number;
}

const load: PacedLoad = JSON.parse(process.argv[2] ?? '{}');
const fastest = Math.max(...load.phases.map(({ rate }) => rate));
const BULK = waveLane(load.rows, 1e6 / fastest / load.rows);
const ALARM = alarmLane('alarm');

const watch = new StallWatch();
let [ackMs, lane0Ms, blockedMs] = [new Latency(), new Latency(), new Latency()];
let lane0Frames = 0;
let blockedSumMs = 0;
let sliceFrames = new Uint32Array(load.devices);
let phaseSinceMs = 0;
let isOffering = false;
let isOver = false;
let live = 0;
let disconnects = 0;
const codes = new Set<number>();

const listener = {
  onWelcome: () => {
    live += 1;
  },
  onFlow: (device: CreditDevice) => pump(offerOf(device), performance.now()),
  onAcked: (device: CreditDevice, lane: number, ms: number) => {
    if (lane === 0) {
      lane0Ms.record(ms);
      lane0Frames += 1;
      return;
    }
    ackMs.record(ms);
    sliceFrames[indexOf(device)] = (sliceFrames[indexOf(device)] as number) + 1;
  },
  onEnd: (_device: CreditDevice, code: number) => {
    if (isOver) return;
    disconnects += 1;
    codes.add(code);
  },
};
const index = new Map<CreditDevice, number>();
const offers: Offer[] = Array.from({ length: load.devices }, (_, i) => {
  const device = new CreditDevice(`${load.prefix}/${i}`, load.url, [ALARM, BULK], listener);
  index.set(device, i);
  const [alarm, bulk] = device.lanes as [CreditLane, CreditLane];
  return { device, alarm, bulk, rate: 0, offered: 0, alarmAtMs: 0, blockedSinceMs: Number.NaN };
});
const indexOf = (device: CreditDevice): number => index.get(device) as number;
const offerOf = (device: CreditDevice): Offer => offers[indexOf(device)] as Offer;

/** Sends what is offered and allowed. */
function pump(offer: Offer, nowMs: number): void {
  const { device, bulk, alarm } = offer;
  if (!isOffering || !device.isLive) return;
  while (nowMs >= offer.alarmAtMs && alarm.hasCredit) {
    device.send(alarm, nowMs, 1000);
    offer.alarmAtMs = nowMs + (500 + 1000 * Math.random()) / load.alarms;
  }
  const offered = offer.offered + (offer.rate * (nowMs - phaseSinceMs)) / 1000;
  const stepUs = 1e6 / offer.rate;
  while (bulk.n + 1 <= offered && bulk.hasCredit && device.isFlushed) {
    if (!Number.isNaN(offer.blockedSinceMs)) unblock(offer, nowMs);
    device.send(bulk, nowMs, stepUs);
  }
  if (bulk.n + 1 > offered || bulk.hasCredit) return;
  if (Number.isNaN(offer.blockedSinceMs)) offer.blockedSinceMs = nowMs;
  const bytes = Math.floor((offered - bulk.n) * bulk.cost);
  device.tellBacklog(bulk, bytes, offer.blockedSinceMs, nowMs);
}

function unblock(offer: Offer, nowMs: number): void {
  const ms = nowMs - offer.blockedSinceMs;
  blockedMs.record(ms);
  blockedSumMs += ms;
  offer.blockedSinceMs = Number.NaN;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

async function connectAll(): Promise<void> {
  for (const [i, { device }] of offers.entries()) {
    device.connect();
    if (i % CONNECTS_PER_TURN === 0) await sleep(CONNECT_TURN_MS);
  }
  while (live < offers.length) await sleep(CONNECT_TURN_MS);
}

async function runPhase(phase: Phase): Promise<void> {
  const now = performance.now();
  for (const [i, offer] of offers.entries()) {
    offer.rate = i === 0 ? phase.firstRate : phase.rate;
    // What was offered and not taken before is forgotten; the devices are out of step.
    offer.offered = offer.bulk.n + Math.random();
    if (phaseSinceMs === 0) offer.alarmAtMs = now + (1000 * Math.random()) / load.alarms;
  }
  phaseSinceMs = now;
  isOffering = true;
  await sleep(1000 * phase.warmS);
  reset();
  for (let slice = 0; slice < phase.slices; slice += 1) {
    const [from, cpuMs] = [performance.now(), watch.report().cpuMs];
    await sleep(1000 * phase.sliceS);
    closeSlice(phase.name, from, cpuMs);
  }
}

function reset(): void {
  [ackMs, lane0Ms, blockedMs] = [new Latency(), new Latency(), new Latency()];
  lane0Frames = 0;
  blockedSumMs = 0;
  sliceFrames = new Uint32Array(load.devices);
}

function closeSlice(phase: string, fromMs: number, cpuMs: number): void {
  const now = performance.now();
  const ms = now - fromMs;
  const vitals = watch.report();
  const of = (latency: Latency): Quantiles => ({
    p50: latency.quantile(0.5),
    p99: latency.quantile(0.99),
  });
  const slice: Slice = {
    phase,
    seconds: ms / 1000,
    frames: [...sliceFrames],
    ackMs: of(ackMs),
    lane0Ms: of(lane0Ms),
    lane0Frames,
    blockedMs: of(blockedMs),
    blockedShare: blockedSumMs / ms / load.devices,
    cores: (vitals.cpuMs - cpuMs) / ms,
    loopP99Ms: vitals.loop.p99,
  };
  reset();
  say(slice);
}

const total = (of: (lane: CreditLane) => number): number =>
  offers.reduce((sum, { bulk, alarm }) => sum + of(bulk) + of(alarm), 0);

async function finish(): Promise<void> {
  isOffering = false;
  const untilMs = performance.now() + 1000 * load.settleS;
  const unacked = (): boolean => total(({ n, acked }) => n - acked) > 0;
  while (unacked() && performance.now() < untilMs) await sleep(50);
  const end: LoadEnd = {
    sent: total(({ n }) => n),
    acked: total(({ acked }) => acked),
    disconnects,
    codes: [...codes],
    faults: total(({ faults }) => faults),
    frameBytes: BULK.template.bytes.length,
  };
  isOver = true;
  for (const { device } of offers) device.leave();
  say(end);
}

await connectAll();
process.stdout.write('ready\n');
const turnMs = load.devices > 500 ? 20 : 5;
const turns = setInterval(() => {
  const now = performance.now();
  for (const offer of offers) pump(offer, now);
}, turnMs);
for (const phase of load.phases) await runPhase(phase);
await finish();
clearInterval(turns);
process.exit(0);
