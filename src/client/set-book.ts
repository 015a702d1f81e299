import { LANE } from '../model/reading.ts';
import type { DeviceSet } from './device-io.ts';

/** A set without its number. */
export type SetShape = Omit<DeviceSet, 's'>;

const isSame = (a: SetShape, b: SetShape): boolean =>
  a.lane === b.lane && (a.of ?? '') === (b.of ?? '') && isSameColumns(a, b);

function isSameColumns({ cols: a }: SetShape, { cols: b }: SetShape): boolean {
  return (
    a.length === b.length &&
    a.every((column, i) => [0, 1, 2, 3].every((k) => column[k] === b[i]?.[k]))
  );
}

/**
 * The sets of a device. A set belongs to one lane, so each set of lane 1 has a twin on lane 2 with
 * the same columns: what was measured during an outage is sent with the twin, and is the same series.
 * Guarantee: a number never gets another meaning. Source: PROTOCOL §5.1, §5.3.
 */
export class SetBook {
  readonly #sets = new Map<number, DeviceSet>();
  readonly #hasTwins: boolean;
  /** Both ways: the number of the set with the same columns on the other one of lanes 1 and 2. */
  readonly #twins = new Map<number, number>();

  /** `hasTwins`: lane 2 is asked for. */
  constructor(sets: readonly DeviceSet[], hasTwins: boolean) {
    this.#hasTwins = hasTwins;
    for (const set of sets) this.#sets.set(set.s, set);
    for (const set of sets) this.#pair(set);
  }

  get all(): readonly DeviceSet[] {
    return [...this.#sets.values()];
  }

  get(s: number): DeviceSet | undefined {
    return this.#sets.get(s);
  }

  /** The set on the other one of lanes 1 and 2; undefined if there is none. */
  twinOf(s: number): number | undefined {
    return this.#twins.get(s);
  }

  /** The number of this set, which is new if nothing like it was defined before. */
  define(shape: SetShape): number {
    const known = this.all.find((set) => isSame(set, shape));
    if (known) return known.s;
    const set = { ...shape, s: this.#nextNumber };
    this.#sets.set(set.s, set);
    this.#pair(set);
    return set.s;
  }

  get #nextNumber(): number {
    return 1 + Math.max(0, ...this.#sets.keys());
  }

  #pair({ s, ...shape }: DeviceSet): void {
    if (!this.#hasTwins || shape.lane !== LANE.live) return;
    const late = { ...shape, lane: LANE.backfill };
    const twin = this.all.find((set) => isSame(set, late)) ?? { ...late, s: this.#nextNumber };
    this.#sets.set(twin.s, twin);
    this.#twins.set(s, twin.s);
    if (!this.#twins.has(twin.s)) this.#twins.set(twin.s, s);
  }
}
