import { Dice } from '../random.ts';

const MS_PER_SECOND = 1000;
const CAPACITY_APPENDS = 2000;
const SMALL_APPENDS = 4000;
const SMALL_BYTES = 64;
/** The largest batch. Units: bytes. */
export const BATCH_BYTES_MAX = 1024 * 1024;

/** What a log is like. */
export interface LogSpec {
  /** An append costs so much by itself. */
  readonly baseMs: number;
  readonly bytesPerSecond: number;
  /** Of the lognormal noise on the base. */
  readonly sigma?: number;
  /** One append in a hundred takes the base so many times. */
  readonly spike?: number;
}

/** Alarms have a log of their own, and batches of their own. */
export type LogKind = 'alarms' | 'readings';

const SPIKE_CHANCE = 0.01;

/** How long a log takes: by itself for every append, and for its bytes. */
export class LogModel {
  bytesPerSecond: number;
  baseMs: number;
  /** Nothing comes back. */
  isDown = false;
  readonly #sigma: number;
  readonly #spike: number;
  readonly #dice: Readonly<Record<LogKind, Dice>>;

  constructor(spec: LogSpec, seed: number, part = 'log') {
    this.baseMs = spec.baseMs;
    this.bytesPerSecond = spec.bytesPerSecond;
    this.#sigma = spec.sigma ?? 0.25;
    this.#spike = spec.spike ?? 8;
    this.#dice = {
      alarms: new Dice(seed, `${part} alarms`),
      readings: new Dice(seed, `${part} readings`),
    };
  }

  /** An append, while one of the other kind writes `besideBytes` to the same disk (0: none). */
  appendMs(kind: LogKind, bytes: number, besideBytes = 0): number {
    const dice = this.#dice[kind];
    const base =
      this.baseMs * noise(dice, this.#sigma) * (dice.chance(SPIKE_CHANCE) ? this.#spike : 1);
    const shared = bytes + Math.min(bytes, besideBytes);
    const queued = besideBytes > 0 && kind === 'alarms' ? base / 2 : 0;
    return base + queued + (shared / this.bytesPerSecond) * MS_PER_SECOND;
  }
}

/** Lognormal: median 1. */
function noise(dice: Dice, sigma: number): number {
  const radius = Math.sqrt(-2 * Math.log(Math.max(1e-12, dice.random())));
  return Math.exp(sigma * radius * Math.cos(2 * Math.PI * dice.random()));
}

/** What a log takes with appends of this size, one after the other. Units: bytes of cost per s. */
export function capacityOf(spec: LogSpec, batchBytes = BATCH_BYTES_MAX): number {
  const log = new LogModel(spec, 7);
  let ms = 0;
  for (let i = 0; i < CAPACITY_APPENDS; i += 1) ms += log.appendMs('readings', batchBytes);
  return (CAPACITY_APPENDS * batchBytes * MS_PER_SECOND) / ms;
}

/** What a small append takes at most, in 99 of 100 cases. */
export function smallAppendMs(spec: LogSpec): number {
  const log = new LogModel(spec, 5);
  const all = Array.from({ length: SMALL_APPENDS }, () => log.appendMs('readings', SMALL_BYTES));
  return all.sort((a, b) => a - b)[Math.floor(0.99 * SMALL_APPENDS)] ?? 0;
}
