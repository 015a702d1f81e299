import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { fillBudget } from './full-budget.ts';
import type { Phase } from './paced-load.ts';
import { median, say } from './peers.ts';
import type { Floor } from './slow-floor.ts';
import {
  DISK,
  floorOf,
  framesPerSecond,
  jain,
  type Seen,
  type SeenSlice,
  type Spread,
  spreadOf,
  sumOf,
  textOf,
  tryOut,
} from './trial.ts';
import { type Line, Verdict } from './verdict.ts';

/**
 * A real gateway on a file log of known rate, offered ten times what that takes: goodput, fairness,
 * ack latency and memory, next to the bounds of docs/CREDIT.md. Every figure is the median of the
 * slices from 5 s after the load began, with the least and the greatest.
 */
const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    /** A network disk takes about 2. Units: ms. */
    'sync-ms': { type: 'string', default: String(DISK.baseMs) },
    slices: { type: 'string', default: '13' },
  },
});
const isQuick = flags.quick;
const SPEED = { ...DISK, baseMs: Number(flags['sync-ms']) } as const;
const OVER = 10;
const CALM = 0.3;
/** The greedy device offers so many times its share. */
const GREED = 100;
const ROWS = 300;
/** Frames of lane 0 per second, of all devices. */
const ALARMS = 200;
const WARM_S = isQuick ? 1 : 5;
const SLICE_S = isQuick ? 1 : 5;
const SLICES = { calm: isQuick ? 1 : 4, over: isQuick ? 2 : Number(flags.slices) } as const;
const SETTLE_S = 60;
const FLOOR_S = isQuick ? 1 : 5;
const MIB = 1024 * 1024;
/** Memory may move so much in a minute and is called flat: the collector's breath. */
const FLAT_BYTES = 8 * MIB;
const MINUTE = 60;
const EDGE = 15;

/** CREDIT §6 and §8. */
const [TARGET_MS, PER_APPEND, LEAST_BYTES, PACE_MS] = [150, 4, 64 * 1024 + 8256, 20] as const;

interface Scenario {
  readonly title: string;
  readonly devices: number;
  readonly hasGreedy?: boolean;
  readonly delayMs?: number;
  readonly goodputLeast: number;
}

const SCENARIOS: readonly Scenario[] = [
  {
    title: `a. 20 devices, one of them offers ${GREED} times its share`,
    devices: 20,
    hasGreedy: true,
    goodputLeast: 0.95,
  },
  { title: 'b. 2 000 devices', devices: isQuick ? 100 : 2000, goodputLeast: 0.95 },
  { title: 'c. 20 devices, 300 ms of round trip', devices: 20, delayMs: 150, goodputLeast: 0.9 },
];

/** The phases of a scenario: calm, then ten times too much. */
function phasesOf({ devices, hasGreedy }: Scenario, capacity: number): Phase[] {
  const share = capacity / devices;
  const warm = { warmS: WARM_S, sliceS: SLICE_S };
  const calm = { name: 'calm', rate: CALM * share, firstRate: CALM * share, ...warm };
  const firstRate = (hasGreedy ? GREED : OVER) * share;
  const rate = hasGreedy ? (OVER * capacity - firstRate) / (devices - 1) : firstRate;
  return [
    { ...calm, slices: SLICES.calm },
    { name: 'over', rate, firstRate, ...warm, slices: SLICES.over },
  ];
}

/** What an ack may take at the 99th percentile. Source: CREDIT §8. Units: ms. */
function ackBoundMs({ smallMs, bytesPerSecond }: Floor, roundTripMs: number, loopMs: number) {
  const least = (1000 * LEAST_BYTES) / bytesPerSecond;
  const target = Math.max(TARGET_MS, PER_APPEND * smallMs.p50, least);
  return roundTripMs + 2 * target + smallMs.p99 + PACE_MS + loopMs;
}

const text = (value: number, digits = 0): string => value.toFixed(digits);
const ms = (spread: Spread): string => `${textOf(spread, 0)} ms`;

function linesOf(scenario: Scenario, seen: Seen, floor: Floor): Line[] {
  const over = seen.slices.filter(({ phase }) => phase === 'over');
  const calm = seen.slices.filter(({ phase }) => phase === 'calm');
  const loop = spreadOf(over, ({ gatewayLoopP99Ms }) => gatewayLoopP99Ms);
  return [
    ...flowLines(scenario, over, floor),
    ...latencyLines(scenario, { calm, over }, floor),
    ...lossLines(seen),
    memoryLine(seen.rss),
    {
      what: 'CPU of gateway, of the load',
      figure: `${text(spreadOf(over, ({ gatewayCores }) => gatewayCores).middle, 2)}, ${text(spreadOf(over, ({ cores }) => cores).middle, 2)} cores`,
      bound: '',
      isMet: null,
    },
    {
      what: 'event loop p99, gateway; load',
      figure: `${textOf(loop, 1)} ms; ${text(spreadOf(over, ({ loopP99Ms }) => loopP99Ms).middle, 1)} ms`,
      bound: '',
      isMet: null,
    },
    {
      what: 'disk: syncs per second; idle',
      figure: `${text(spreadOf(over, ({ syncsPerSecond }) => syncsPerSecond).middle)}; ${text(100 * spreadOf(over, ({ diskIdle }) => diskIdle).middle, 1)} %`,
      bound: '',
      isMet: null,
    },
  ];
}

function flowLines(scenario: Scenario, over: readonly SeenSlice[], floor: Floor): Line[] {
  const { goodputLeast, hasGreedy, devices } = scenario;
  const goodput = spreadOf(over, (slice) => slice.diskBytesPerSecond / floor.bytesPerSecond);
  const frames = spreadOf(over, (slice) => framesPerSecond(slice) / floor.framesPerSecond);
  const others = spreadOf(over, ({ frames }) => jain(hasGreedy ? frames.slice(1) : frames));
  const lines: Line[] = [
    {
      what: 'goodput ÷ drain rate',
      figure: textOf(goodput, 3),
      bound: `≥ ${goodputLeast}`,
      isMet: goodput.middle >= goodputLeast,
    },
    { what: '  of it frames of lane 1', figure: textOf(frames, 3), bound: '', isMet: null },
    {
      what: hasGreedy ? "Jain's index of the others" : "Jain's index",
      figure: textOf(others, 3),
      bound: hasGreedy ? '≥ 0.95' : '',
      isMet: hasGreedy ? others.middle >= 0.95 : null,
    },
  ];
  if (!hasGreedy) return lines;
  const greedy = spreadOf(over, ({ frames }) => ((frames[0] as number) * devices) / sumOf(frames));
  lines.push({
    what: 'the greedy one ÷ its share',
    figure: textOf(greedy, 2),
    bound: '≤ 1.1',
    isMet: greedy.middle <= 1.1,
  });
  return lines;
}

function latencyLines(
  { delayMs = 0 }: Scenario,
  { calm, over }: Readonly<Record<'calm' | 'over', readonly SeenSlice[]>>,
  floor: Floor,
): Line[] {
  const loopMs = spreadOf(over, ({ gatewayLoopP99Ms }) => gatewayLoopP99Ms).middle;
  const boundMs = ackBoundMs(floor, 2 * delayMs, loopMs);
  const ack = spreadOf(over, ({ ackMs }) => ackMs.p99);
  const [calm0, over0] = [calm, over].map((of) => spreadOf(of, ({ lane0Ms }) => lane0Ms.p99));
  const calmMs = calm0?.middle ?? Number.NaN;
  const lane0BoundMs = Math.max(1.5 * calmMs, calmMs + 10);
  const lane0 = over0 as Spread;
  const blocked = spreadOf(over, ({ blockedShare }) => blockedShare);
  const longest = spreadOf(over, ({ blockedMs }) => blockedMs.p99);
  return [
    {
      what: 'ack p50',
      figure: ms(spreadOf(over, ({ ackMs }) => ackMs.p50)),
      bound: '',
      isMet: null,
    },
    {
      what: 'ack p99',
      figure: ms(ack),
      bound: `≤ ${text(boundMs)} ms (CREDIT §8)`,
      isMet: ack.middle <= boundMs,
    },
    {
      what: 'blocked without credit',
      figure: `${text(100 * blocked.middle)} % of the time`,
      bound: `a wait: p99 ${text(longest.middle)} ms`,
      isMet: null,
    },
    {
      what: 'lane 0 p99',
      figure: ms(lane0),
      bound: `≤ ${text(lane0BoundMs)} ms (calm: ${text(calmMs, 1)} ms)`,
      isMet: lane0.middle <= lane0BoundMs,
    },
  ];
}

function lossLines({ end }: Seen): Line[] {
  const lost = end.sent - end.acked + end.faults;
  return [
    {
      what: 'disconnects',
      figure: `${end.disconnects}${end.codes.length > 0 ? ` (${end.codes.join(', ')})` : ''}`,
      bound: '0',
      isMet: end.disconnects === 0,
    },
    { what: 'lost', figure: `${lost} of ${end.sent} frames`, bound: '0', isMet: lost === 0 },
  ];
}

function memoryLine(rss: readonly number[]): Line {
  const last = rss.slice(-MINUTE);
  const growth = median(last.slice(-EDGE)) - median(last.slice(0, EDGE));
  return {
    what: 'RSS, over the last minute',
    figure: `${text((rss.at(-1) ?? Number.NaN) / MIB)} MiB, ${growth < 0 ? '' : '+'}${text(growth / MIB, 1)}`,
    bound: `flat: ≤ +${text(FLAT_BYTES / MIB)} MiB`,
    isMet: growth <= FLAT_BYTES,
  };
}

const isWanted = (title: string): boolean => wanted.length === 0 || wanted.includes(title[0] ?? '');
const verdict = new Verdict();
const frameBytes = 2 * ROWS + 40;
const floor = await floorOf(SPEED, frameBytes, FLOOR_S);
say(
  `${availableParallelism()} cores, Node ${process.versions.node}; median (least–most) of slices`,
);
say(
  `the log: ${text(floor.bytesPerSecond / 1e6, 2)} MB/s in appends of 1 MiB (${text(floor.framesPerSecond)} frames/s), a small append ${text(floor.smallMs.p50, 1)} ms, p99 ${text(floor.smallMs.p99, 1)} ms`,
);
for (const scenario of SCENARIOS) {
  if (!isWanted(scenario.title)) continue;
  const { devices, delayMs = 0 } = scenario;
  const seen = await tryOut({
    disk: SPEED,
    delayMs,
    load: {
      devices,
      rows: ROWS,
      alarms: ALARMS / devices,
      phases: phasesOf(scenario, floor.framesPerSecond),
      settleS: SETTLE_S,
    },
  });
  verdict.print(scenario.title, linesOf(scenario, seen, floor));
}
if (isWanted('d'))
  verdict.print('d. a budget of 64 MiB full of 40-byte frames', await fillBudget(isQuick));
verdict.end();
