import { JSON_GROWTH, LANE_0_SHARE, UNITS_PER_STEP } from '../../src/model/limits.ts';
import type { Wrongness } from './clock.ts';
import type { Firmware, Habits } from './habits.ts';
import { Dice } from './random.ts';

/** Faults that come at a moment and last for a while. */
export const TIMED_FAULTS = [
  'network slow',
  'connection reset',
  'client gone, data late',
  'connection half-open',
  'connection one way',
  'log slow',
  'log refuses',
  'log writes, then times out',
  'log request lands late',
  'log writes in part',
  'log read fails',
  'gateway crash',
  'gateway takeover',
  'gateway drain',
  'clock step',
  'device reboot',
  'device reboot with memory',
  'device reboot with stale memory',
  'dashboard stalls',
  'connection lost at welcome',
] as const;
/** The name of a timed fault. */
export type TimedFault = (typeof TIMED_FAULTS)[number];

/** Faults that lie in what somebody is like, or that follow from others. */
export const LASTING_FAULTS = [
  'crash with appends in flight',
  'gateway deposed',
  'clocks differ',
  'largest frame lowered',
  'frame refused',
  'poison frame',
  'qos 0 session',
  'qos changes in an epoch',
  'backfill',
  'ring overflow',
  'rows thinned',
  'readings refused to the device',
  'rude device',
] as const;

/** Every kind of fault. */
export const FAULTS = [...TIMED_FAULTS, ...LASTING_FAULTS] as const;
/** The name of a fault. */
export type FaultName = (typeof FAULTS)[number];

/** One fault that is to come. */
export interface PlannedFault {
  readonly name: TimedFault;
  readonly atMs: number;
  readonly forMs: number;
}

/** How a dashboard is. */
export interface DashboardHabits {
  readonly name: string;
  readonly codec: 'cbor' | 'json';
  /** Grants credit, or leaves it to the socket. */
  readonly hasCredit: boolean;
  readonly minimumIntervalMs: number;
}

/** Everything that a seed decides before the world begins. */
export interface Plan {
  readonly seed: number;
  /** How long faults come. Units: ms. */
  readonly faultyMs: number;
  readonly shards: number;
  /** The embedded file log: one gateway at a time, and a failed append ends it. */
  readonly isFile: boolean;
  readonly budgetBytes: number;
  /** So many sessions own a part of it; the rest is a pool, from which lane 2 lives. */
  readonly sessions: number;
  /** How much aggregation does in one step. */
  readonly unitsPerStep: number;
  readonly devices: readonly Habits[];
  readonly dashboards: readonly DashboardHabits[];
  readonly faults: readonly PlannedFault[];
}

/** What devices wish for as their heartbeat. Units: ms. */
export const HEARTBEATS_MS = [5000, 5000, 10_000, 20_000] as const;
/** Faults come for ten minutes, then everything has to heal. Units: ms. */
const FAULTY_MS = 600_000;
const DEVICES_LEAST = 20;
const DEVICES_MORE = 5;
const SHARDS_MOST = 4;
/** The initial windows of lanes 0 to 2 with the least `mf`. Units: bytes of cost. */
const WINDOWS = [4096, 16_512, 16_512] as const;
/** So many of the library's devices ask for lane 2. */
const BACKFILL_SHARE = 0.6;
/** Of those that have a policy of their own, so many have a ring that is soon full. */
const TIGHT_SHARE = 0.7;
/** The budget is up to so much more than all windows together. */
const BUDGET_SLACK = 0.4;
/** A kind of fault is drawn for this share of the seeds. */
const FAULT_SHARE = 0.6;
/** One that strikes only where there is something to read is drawn more often. */
const SHARES: Readonly<Partial<Record<TimedFault, number>>> = { 'log read fails': 0.9 };
const STRIKES_MOST = 4;
/** Of the gateways so many start with a lower `mf` on the bulk lanes. Units of it: bytes. */
const LOWERED_SHARE = 0.25;
const LOWERED_BYTES = [2000, 6000] as const;
const FAULT_MS = [2000, 40_000] as const;
/** Nothing of this happens on an embedded file log. */
const CLUSTER_ONLY: ReadonlySet<TimedFault> = new Set([
  'log request lands late',
  'log writes in part',
  'log read fails',
  'gateway takeover',
]);
/**
 * In these of every eight seeds uplinks flap, and no kept seed is among them: a fault more would
 * change what a kept seed stands for.
 */
const FLAPPING_SEEDS: readonly number[] = [5, 6, 7];
const FLAPPING_OF = 8;
/** Every so many seeds aggregation does this much in a step. */
const SLICED_SEEDS = 5;
const SLICES = [1, 5, 20] as const;
const DAYS_MS = 86_400_000;

/** What a seed stands for. */
export function planOf(seed: number): Plan {
  const dice = new Dice(seed, 'plan');
  const isFile = dice.chance(0.25);
  const count = DEVICES_LEAST + dice.below(DEVICES_MORE);
  const devices = devicesOf(dice, count, dice.chance(FAULT_SHARE)).map(withLibrary(seed));
  return {
    seed,
    faultyMs: FAULTY_MS,
    shards: 1 + dice.below(SHARDS_MOST),
    isFile,
    budgetBytes: budgetFor(devices) * (1 + dice.between(0, BUDGET_SLACK)),
    sessions: devices.reduce((sum, { codec }) => sum + (codec === 'json' ? JSON_GROWTH : 1), 0),
    unitsPerStep: unitsPerStepOf(seed),
    devices,
    dashboards: Array.from({ length: 2 }, (_, at) => dashboardOf(dice, at)),
    faults: [...faultsOf(dice, isFile), ...flapsOf(seed)],
  };
}

/** In some worlds results come in small slices; the others keep the timing that they always had. */
const unitsPerStepOf = (seed: number): number =>
  seed % SLICED_SEEDS === 0 ? new Dice(seed, 'slices').pick(SLICES) : UNITS_PER_STEP;

/** Room for every device at once, but not for much more. */
function budgetFor(devices: readonly Habits[]): number {
  const bytes = devices.map(({ lanes, codec }) => {
    const windows = lanes.reduce((sum, lane) => sum + (WINDOWS[lane] ?? 0), 0);
    return windows * (codec === 'json' ? JSON_GROWTH : 1);
  });
  return Math.ceil(bytes.reduce((sum, each) => sum + each, WINDOWS[0]) / (1 - LANE_0_SHARE));
}

/** What the operator has set the largest bulk frame to, when the next gateway starts. */
export const bulkBytesMaxOf = (dice: Dice): number =>
  dice.chance(LOWERED_SHARE)
    ? Math.floor(dice.between(...LOWERED_BYTES))
    : Number.POSITIVE_INFINITY;

/** How wrong the clock of the next gateway is. */
export function nodeClockOf(dice: Dice): Wrongness {
  if (dice.chance(0.3)) return { skewMs: 0, drift: 0 };
  return { skewMs: dice.between(-240_000, 240_000), drift: dice.between(-3e-4, 3e-4) };
}

function devicesOf(dice: Dice, count: number, areClocksWrong: boolean): Habits[] {
  const hasRefused = dice.chance(FAULT_SHARE);
  const hasPoison = dice.chance(FAULT_SHARE);
  return Array.from({ length: count }, (_, at) => {
    const firmware = firmwareOf(dice, at);
    const isBulky = dice.chance(0.3);
    const ringBytesMax = isBulky ? 150_000 : dice.pick([1500, 30_000, 30_000, 30_000]);
    const isJson = firmware === 'library' && dice.chance(0.15);
    return {
      path: `plant/d${at}`,
      firmware,
      codec: isJson ? ('json' as const) : ('cbor' as const),
      heartbeatMs: dice.pick(HEARTBEATS_MS),
      ringBytesMax,
      whenFull: 'drop-oldest' as const,
      lanes: lanesOf(dice, firmware),
      periodMs: { 0: dice.between(8000, 40_000), 1: dice.between(3000, 10_000) },
      rows: isBulky ? 50 + dice.below(600) : 1 + dice.below(3),
      clock: areClocksWrong ? deviceClockOf(dice) : { skewMs: 0, drift: 0 },
      refusedShare: hasRefused && dice.chance(0.5) ? 0.05 : 0,
      poisonShare: hasPoison && dice.chance(0.3) ? 0.02 : 0,
      qos0Share: firmware === 'minimal' && dice.chance(0.4) ? 0.4 : 0,
    };
  });
}

/** What only the library's devices do. Dice of their own: the rest of a seed stays as it was. */
const withLibrary =
  (seed: number) =>
  (habits: Habits): Habits => {
    if (habits.firmware !== 'library') return habits;
    const dice = new Dice(seed, `${habits.path} library`);
    const lanes = dice.chance(BACKFILL_SHARE) ? [...habits.lanes, 2] : habits.lanes;
    const whenFull = dice.pick(['drop-oldest', 'block', 'thin'] as const);
    if (whenFull === 'drop-oldest' || !dice.chance(TIGHT_SHARE))
      return { ...habits, lanes, whenFull };
    return { ...habits, lanes, whenFull, ringBytesMax: 1500, rows: 10 };
  };

function firmwareOf(dice: Dice, at: number): Firmware {
  if (at % 4 === 3) return 'minimal';
  return at === 1 && dice.chance(FAULT_SHARE) ? 'rude' : 'library';
}

function lanesOf(dice: Dice, firmware: Firmware): readonly number[] {
  if (firmware === 'rude') return [];
  if (firmware === 'minimal') return dice.chance(0.7) ? [0, 1, 2] : [0, 1];
  return dice.chance(0.85) ? [0, 1] : [1];
}

function deviceClockOf(dice: Dice): Wrongness {
  const drift = dice.between(-5e-4, 5e-4);
  if (dice.chance(0.1)) return { skewMs: dice.between(-DAYS_MS, DAYS_MS), drift };
  return { skewMs: dice.between(-5000, 5000), drift };
}

function dashboardOf(dice: Dice, at: number): DashboardHabits {
  return {
    name: `dashboard ${at}`,
    codec: dice.chance(0.5) ? 'json' : 'cbor',
    hasCredit: dice.chance(0.7),
    minimumIntervalMs: dice.pick([0, 500, 2000]),
  };
}

function faultsOf(dice: Dice, isFile: boolean): PlannedFault[] {
  const faults: PlannedFault[] = [];
  for (const name of TIMED_FAULTS) {
    if (name === 'connection lost at welcome') continue;
    const isDrawn = dice.chance(SHARES[name] ?? FAULT_SHARE);
    if (!isDrawn || (isFile && CLUSTER_ONLY.has(name))) continue;
    faults.push(...strikesOf(dice, name));
  }
  return faults;
}

/** Uplinks that flap. Dice of their own: the rest of a seed stays as it was. */
function flapsOf(seed: number): PlannedFault[] {
  if (!FLAPPING_SEEDS.includes(seed % FLAPPING_OF)) return [];
  return strikesOf(new Dice(seed, 'flaps'), 'connection lost at welcome');
}

function strikesOf(dice: Dice, name: TimedFault): PlannedFault[] {
  return Array.from({ length: 1 + dice.below(STRIKES_MOST) }, () => {
    const atMs = dice.between(5000, FAULTY_MS - 5000);
    return { name, atMs, forMs: dice.between(...FAULT_MS) };
  });
}
