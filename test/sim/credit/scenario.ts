import type { CreditWorld, WorldSpec } from './credit-world.ts';
import type { Device } from './device.ts';
import { costOf, type LaneSpec } from './lane.ts';
import { capacityOf, type LogSpec } from './log-model.ts';
import type { LaneNumber, Sample } from './measures.ts';

/** What is remarkable in one scenario only, by name. */
export type Notes = () => Readonly<Record<string, number>>;

/** A situation, and how it is judged. */
export interface Scenario extends WorldSpec {
  readonly says: string;
  /** Puts devices into the world and says what happens to them. */
  readonly plan: (world: CreditWorld) => Notes;
  /** What the log did, as part of what it could have done. */
  readonly goodput: (world: CreditWorld) => number;
  /** The group whose devices are compared (undefined: all); null: lane 1 is not to be compared. */
  readonly fair?: string | null | undefined;
  /** What the bound of CREDIT §8 has to allow for besides. Units: ms. */
  readonly plusMs?: (world: CreditWorld) => number;
}

/** A file log: 2 ms for an append, 20 MB/s. */
export const FILE_LOG: LogSpec = { baseMs: 2, bytesPerSecond: 20e6 };

/** An alarm in a second: what every ordinary device has on lane 0. */
export const ALARM: LaneSpec = { lane: 0, frameBytes: 120, bytesPerSecond: 120 };

/** An alarm in a hundred seconds, where there are very many devices. */
export const RARE_ALARM: LaneSpec = { lane: 0, frameBytes: 120, bytesPerSecond: 1.2 };

/** Lane 1 with frames of a size at a rate. Units: bytes of payload. */
export const live = (frameBytes: number, bytesPerSecond: number, held = 0): LaneSpec => ({
  lane: 1,
  frameBytes,
  bytesPerSecond,
  held,
});

/** Lane 2 with more than it can ever send. */
export const ENDLESS_BACKFILL: LaneSpec = { lane: 2, frameBytes: 2048, held: 1e12 };

/** No notes. */
export const NOTHING: Notes = () => ({});

/** The `index`-th of `count` values between two. */
export const spread = (index: number, count: number, from: number, to: number): number =>
  from + ((to - from) * index) / Math.max(1, count - 1);

/** Payload that a log takes with frames of this size. Units: bytes per s. */
export const payloadOf = (log: LogSpec, frameBytes: number, batchBytes?: number): number =>
  (capacityOf(log, batchBytes) * frameBytes) / costOf(frameBytes);

/** Payload of lane 1 per second, as part of what the log can do with such frames. */
export const goodputOf =
  (frameBytes: number) =>
  ({ measures, measuredS, spec }: CreditWorld): number =>
    measures.settledBytes[1] / measuredS / payloadOf(spec.log, frameBytes);

/** The same in cost and for both bulk lanes, where frames have many sizes. */
export const goodputInCost = ({ devices, measuredS, spec }: CreditWorld): number =>
  (costOn(devices, 1) + costOn(devices, 2)) / measuredS / capacityOf(spec.log);

/** Cost that devices got settled while it was measured. Units: bytes. */
export const costOn = (devices: readonly Device[], lane: LaneNumber): number =>
  devices.reduce((sum, { measuredCost }) => sum + measuredCost[lane], 0);

/** Payload that devices got settled while it was measured. Units: bytes. */
export const payloadOn = (devices: readonly Device[], lane: LaneNumber): number =>
  devices.reduce((sum, { measuredBytes }) => sum + measuredBytes[lane], 0);

/** Payload that devices got settled since the beginning. Units: bytes. */
export const settledOn = (devices: readonly Device[], lane: LaneNumber): number =>
  devices.reduce((sum, { settledBytes }) => sum + settledBytes[lane], 0);

/** Jain's index: 1 if all are equal, 1/n if one has all. */
export function jainOf(values: readonly number[]): number {
  const sum = values.reduce((all, value) => all + value, 0);
  const squares = values.reduce((all, value) => all + value * value, 0);
  return squares === 0 ? Number.NaN : (sum * sum) / (values.length * squares);
}

/** A column of the samples. */
export type Quantity = Exclude<keyof Sample, 'atS'>;

const between = ({ measures }: CreditWorld, fromS: number, untilS: number): Sample[] =>
  measures.samples.filter(({ atS }) => atS > fromS + 1e-6 && atS <= untilS + 1e-6);

/** The mean of a quantity in a time. */
export function meanOf(
  world: CreditWorld,
  quantity: Quantity,
  [fromS, untilS]: readonly [number, number],
): number {
  const values = between(world, fromS, untilS)
    .map((sample) => sample[quantity])
    .filter((value) => !Number.isNaN(value));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The greatest value of a quantity in a time. */
export const peakOf = (
  world: CreditWorld,
  quantity: Quantity,
  [fromS, untilS]: readonly [number, number],
): number => Math.max(0, ...between(world, fromS, untilS).map((sample) => sample[quantity]));

/** Half a second has to have the rate that is waited for. */
const STEADY_SAMPLES = 5;

/** How long after `fromS` so much payload a second is reached, and kept for half a second. */
export function secondsUntilRate(world: CreditWorld, fromS: number, rate: number): number {
  const { samples } = world.measures;
  const first = samples.findIndex(({ atS }, index) => {
    if (atS <= fromS + 1e-6) return false;
    const next = samples.slice(index, index + STEADY_SAMPLES);
    if (next.length < STEADY_SAMPLES) return false;
    return next.reduce((sum, sample) => sum + sample.rate, 0) / STEADY_SAMPLES >= rate;
  });
  return (samples[first]?.atS ?? Number.POSITIVE_INFINITY) - fromS;
}

/** How long after `fromS` a quantity was last above a level. */
export function secondsAbove(
  world: CreditWorld,
  fromS: number,
  [quantity, level]: readonly [Quantity, number],
): number {
  const last = world.measures.samples.findLast(
    (sample) => sample.atS > fromS && sample[quantity] > level,
  );
  return (last?.atS ?? fromS) - fromS;
}
