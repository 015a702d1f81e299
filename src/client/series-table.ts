import { COLUMNS_MAX } from '../model/limits.ts';
import type { LANE } from '../model/reading.ts';
import type { ColumnEntry, Scalar } from '../wire/messages.ts';
import type { SetShape } from './set-book.ts';

/** The lanes that a series of a device may be on. */
export type SeriesLane = (typeof LANE)['critical' | 'live' | 'backfill'];

/** A series as the device declares it. */
export interface SeriesSpec {
  readonly name: string;
  readonly lane: SeriesLane;
  readonly column: ColumnEntry;
}

/** Values that belong together: one row of one set. */
export interface Row {
  readonly lane: SeriesLane;
  readonly shape: SetShape;
  readonly values: readonly Scalar[];
}

/** Combinations that get a set of their own: with their twins they stay within 64 sets. */
const COMBINATIONS_MAX = 16;
/** Series that a device may declare: as many sets of all of them, with twins, fit besides. */
export const SERIES_MAX = 8 * COLUMNS_MAX;

/**
 * Which series share a set. What is written together, again and again, is a set of its own, so that
 * no column is filled with "no value"; beyond 16 such combinations a row goes into a set of all
 * series of its lane.
 * Bounds: 64 sets with their twins.
 */
export class SeriesTable {
  readonly #series: ReadonlyMap<string, SeriesSpec>;
  readonly #combinations = new Set<string>();

  constructor(series: readonly SeriesSpec[]) {
    this.#series = new Map(series.map((one) => [one.name, one]));
  }

  get lanes(): readonly SeriesLane[] {
    return [...new Set([...this.#series.values()].map(({ lane }) => lane))];
  }

  get(name: string): SeriesSpec | undefined {
    return this.#series.get(name);
  }

  /** The rows that these values make, by lane, alarms first. Names are those of series. */
  rowsOf(values: Readonly<Record<string, Scalar>>): readonly Row[] {
    const written = [...this.#series.values()].filter(({ name }) => Object.hasOwn(values, name));
    const lanes = [...new Set(written.map(({ lane }) => lane))].toSorted((a, b) => a - b);
    return lanes.flatMap((lane) => {
      const those = written.filter((one) => one.lane === lane);
      return this.#groups(lane, those).map((group) => ({
        lane,
        shape: { lane, cols: group.map(({ column }) => column) },
        values: group.map(({ name }) => values[name] ?? null),
      }));
    });
  }

  #groups(lane: SeriesLane, those: readonly SeriesSpec[]): readonly (readonly SeriesSpec[])[] {
    const key = `${lane} ${those.map(({ name }) => name).join()}`;
    const isKnown = this.#combinations.has(key);
    if (those.length <= COLUMNS_MAX && (isKnown || this.#combinations.size < COMBINATIONS_MAX)) {
      this.#combinations.add(key);
      return [those];
    }
    const all = [...this.#series.values()].filter((one) => one.lane === lane);
    const groups: SeriesSpec[][] = [];
    for (let at = 0; at < all.length; at += COLUMNS_MAX)
      groups.push(all.slice(at, at + COLUMNS_MAX));
    return groups.filter((group) => group.some((one) => those.includes(one)));
  }
}
