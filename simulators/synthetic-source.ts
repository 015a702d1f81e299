import type { DeviceSet } from '../src/client/device-io.ts';
import type { ColumnEntry, ColumnValues } from '../src/wire/messages.ts';
import { type Quantity, quantityOf } from './quantities.ts';
import { seeded } from './random.ts';
import { SHAPES, type Shape, type ShapeName, type SignalName, shaking } from './signals.ts';
import type { Emit, Source } from './source.ts';
import { Ticker } from './ticker.ts';

/** What a synthetic device is like. */
export interface SyntheticOptions {
  readonly device: string;
  readonly series: number;
  /** Readings per second and series. */
  readonly rate: number;
  /** Rows per frame. */
  readonly batch: number;
  readonly signal: SignalName;
  /** Lane 0 frames per second; 0: none. */
  readonly alarmRate: number;
  readonly seed: number;
  /** When the device begins. Units: µs. */
  readonly startUs: number;
}

const BULK_SET = 1;
const ALARM_SET = 2;
/** A source that is farther behind than this leaves readings out, as a sensor would. Units: µs. */
const LAG_US_MAX = 2_000_000;
/** A 3-axis accelerometer of ±2 g with 16 bits: raw 16384 is 1 g. */
const RAW_PER_G = 16_384;
const METRES_PER_S2 = 9.80665 / RAW_PER_G;
/** How loud the machine is. Units: g. */
const LOUDEST_G = 0.8;
const AXES = ['acc/x', 'acc/y', 'acc/z'] as const;
/** Axes of the vibration signal. */
export const AXES_MAX = AXES.length;

/** A column being measured: fills itself with rows from a time on. */
interface Sensor {
  readonly column: ColumnEntry;
  measure(fromRow: number, rows: number, periodS: number): ColumnValues;
}

/** A device that makes its readings up: seeded signals on lane 1, alarms on lane 0. */
export class SyntheticSource implements Source {
  readonly device: string;
  readonly sets: readonly DeviceSet[];
  readonly lanes: readonly number[];
  readonly newest = new Map<number, number>();
  skipped = 0;
  readonly #sensors: readonly Sensor[];
  readonly #bulk: Ticker;
  readonly #alarms: Ticker | null;

  constructor(options: SyntheticOptions) {
    const { device, rate, batch, alarmRate, startUs } = options;
    const random = seeded(options.seed, `${device} phase`);
    const framePeriodUs = (batch * 1e6) / rate;
    this.device = device;
    this.#sensors = sensorsOf(options);
    // Every device starts somewhere else in its period: real ones do not send in step either.
    this.#bulk = new Ticker(startUs + Math.floor(random() * framePeriodUs), rate, batch);
    const alarmStartUs = startUs + Math.floor((random() * 1e6) / (alarmRate || 1));
    this.#alarms = alarmRate > 0 ? new Ticker(alarmStartUs, alarmRate, 1) : null;
    // Lane 2 takes what an outage held back.
    this.lanes = this.#alarms ? [0, 1, 2] : [1, 2];
    this.sets = [
      { s: BULK_SET, lane: 1, cols: this.#sensors.map((sensor) => sensor.column) },
      { s: ALARM_SET, lane: 0, cols: [['alarm'] as const] },
    ].filter((set) => this.lanes.includes(set.lane));
  }

  get dueUs(): number {
    return Math.min(this.#bulk.dueUs, this.#alarms?.dueUs ?? Number.POSITIVE_INFINITY);
  }

  take(nowUs: number, emit: Emit): void {
    this.#takeAlarms(nowUs, emit);
    const bulk = this.#bulk;
    this.skipped += bulk.skip(nowUs, LAG_US_MAX) * this.#sensors.length;
    while (bulk.dueUs <= nowUs) this.#emitRows(bulk.rowsPerBatch, emit);
  }

  stop(nowUs: number, emit: Emit): void {
    this.take(nowUs, emit);
    const rows = this.#bulk.waiting(nowUs);
    if (rows > 0) this.#emitRows(rows, emit);
  }

  #takeAlarms(nowUs: number, emit: Emit): void {
    const alarms = this.#alarms;
    if (!alarms) return;
    this.skipped += alarms.skip(nowUs, LAG_US_MAX);
    while (alarms.dueUs <= nowUs) {
      const t = alarms.dueUs;
      emit(0, [{ s: ALARM_SET, t, v: [(alarms.next + 1) % 2] }]);
      this.newest.set(0, t);
      alarms.next += 1;
    }
  }

  #emitRows(rows: number, emit: Emit): void {
    const { next, periodUs } = this.#bulk;
    const t = this.#bulk.timeOf(next);
    const dt = rows > 1 ? periodUs : undefined;
    const v = this.#sensors.map((sensor) => sensor.measure(next, rows, periodUs / 1e6));
    emit(1, [{ s: BULK_SET, t, dt, v }]);
    this.newest.set(1, t + Math.floor((rows - 1) * periodUs));
    this.#bulk.next += rows;
  }
}

function sensorsOf(options: SyntheticOptions): readonly Sensor[] {
  const { device, series, signal, seed } = options;
  return Array.from({ length: series }, (_, index) => {
    const random = seeded(seed, `${device} ${index}`);
    if (signal === 'vibration') return new Accelerometer(AXES[index] as string, shaking(random));
    const names = Object.keys(SHAPES) as ShapeName[];
    const name = signal === 'mix' ? (names[index % names.length] as ShapeName) : signal;
    return new Gauge(quantityOf(index), SHAPES[name](random));
  });
}

/** A slow sensor that gives float64 with the digits such a sensor has. */
class Gauge implements Sensor {
  readonly column: ColumnEntry;
  readonly #quantity: Quantity;
  readonly #shape: Shape;
  readonly #perUnit: number;

  constructor(quantity: Quantity, shape: Shape) {
    this.column = [quantity.name, quantity.unit];
    this.#quantity = quantity;
    this.#shape = shape;
    this.#perUnit = 10 ** quantity.digits;
  }

  measure(fromRow: number, rows: number, periodS: number): Float64Array {
    const { middle, swing } = this.#quantity;
    const values = new Float64Array(rows);
    for (let i = 0; i < rows; i += 1) {
      const physical = middle + swing * this.#shape((fromRow + i) * periodS);
      values[i] = Math.round(physical * this.#perUnit) / this.#perUnit;
    }
    return values;
  }
}

/** One axis of an accelerometer: int16 and a scale, as the hardware gives it. */
class Accelerometer implements Sensor {
  readonly column: ColumnEntry;
  readonly #shape: Shape;
  /** The z axis points up and feels 1 g at rest. */
  readonly #rest: number;

  constructor(axis: string, shape: Shape) {
    this.column = [axis, 'm/s2', METRES_PER_S2];
    this.#shape = shape;
    this.#rest = axis === 'acc/z' ? RAW_PER_G : 0;
  }

  measure(fromRow: number, rows: number, periodS: number): Int16Array {
    const values = new Int16Array(rows);
    for (let i = 0; i < rows; i += 1) {
      const g = LOUDEST_G * this.#shape((fromRow + i) * periodS);
      values[i] = Math.round(this.#rest + g * RAW_PER_G);
    }
    return values;
  }
}
