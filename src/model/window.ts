import type { ClassId } from './reading.ts';
import type { EventUs } from './time.ts';

/** Window status on the wire (`st`) and, by index, in words. Source: PROTOCOL §3.4, §9.4. */
export const STATUS = { provisional: 0, final: 1, corrected: 2 } as const;
/** Number of a status. */
export type StatusId = (typeof STATUS)[keyof typeof STATUS];
/** Status names by number, as results spell them. */
export const STATUS_NAMES = ['provisional', 'final', 'corrected'] as const;

/** Aggregates that are computed today, in the order in which results list them. */
export const AGGREGATES = [
  'n',
  'min',
  'max',
  'sum',
  'mean',
  'first',
  'last',
  'tfirst',
  'tlast',
] as const;
/** Name of an aggregate. */
export type Aggregate = (typeof AGGREGATES)[number];
/** Value of an aggregate; null where a result does not have it (text has no mean). */
export type AggregateValue = number | string | null;

/**
 * One measured quantity of one device, as aggregation keeps it and fan-out reads it.
 * Guarantee: `id` is a small integer, given once and never again in this process.
 */
export interface Series {
  readonly id: number;
  readonly topic: string;
  /** `topic` split at `/`. */
  readonly levels: readonly string[];
  readonly device: string;
  /** The topic below the device path. */
  readonly name: string;
  unit: string;
  /** By class; undefined until the class has a reading. */
  readonly windows: readonly (WindowSeries | undefined)[];
}

/**
 * The kept windows of one (series, class, length), sorted by start, read-only. Aggregation writes
 * them; fan-out reads them: one truth, no copy.
 * Bounds: the newest 300, and all that can still change.
 */
export interface WindowSeries {
  readonly series: Series;
  readonly classId: ClassId;
  readonly lengthMs: number;
  readonly count: number;
  /** How many older windows were kept once and are not any more. */
  readonly dropped: number;
  /** Start of the i-th kept window, oldest first. */
  startAt(i: number): EventUs;
  /** Index of the first kept window that starts at or after `start`; `count` if there is none. */
  indexFrom(start: EventUs): number;
  statusAt(i: number): StatusId;
  valueAt(i: number, aggregate: Aggregate): AggregateValue;
}

/** The figures of one series in a window result. Text has n, first, last and their times only. */
export type SeriesResult = { readonly unit: string } & {
  readonly [name in Aggregate]?: AggregateValue;
};

/** A window result, the same in the aggregates log, on dashboards and in the API. DESIGN §7. */
export interface WindowResult {
  readonly device: string;
  readonly class: 'live' | 'backfill' | 'critical';
  /** Units: µs. */
  readonly start: EventUs;
  /** Units: ms. */
  readonly len: number;
  readonly status: 'provisional' | 'final' | 'corrected';
  /** By series name (the topic below the device path). */
  readonly series: { readonly [name: string]: SeriesResult };
}
