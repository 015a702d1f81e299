import { SETS_MAX } from '../model/limits.ts';
import type { Schema } from '../model/reading.ts';
import type { ClassState } from './class-state.ts';
import type { WindowStore } from './window-store.ts';

/** A column of a set, and where its readings go. */
export interface BoundColumn {
  /** The series' topic below the device path. */
  readonly name: string;
  readonly unit: string;
  readonly scale: number;
  readonly offset: number;
  /** Null until a reading of this column is aggregated. */
  store: WindowStore | null;
}

/** A set as one class of a device uses it. */
export interface BoundSet {
  /** Shape: 16 bytes. */
  readonly hash: Uint8Array;
  readonly columns: readonly BoundColumn[];
}

/** Length of a schema hash. Units: bytes. */
const HASH_BYTES = 16;

/** Set ids begin anew with each epoch: what is remembered of past ones has to end somewhere. */
const BOUND_SETS_MAX = 4 * SETS_MAX;

/** Remembers that a class uses this schema under this set id. */
export function bindSet(target: ClassState, id: number, schema: Schema): BoundSet {
  const columns = schema.columns.map(({ name, unit, scale, offset }) => ({
    name: schema.of === '' ? name : `${schema.of}/${name}`,
    unit,
    scale,
    offset,
    store: null,
  }));
  const bound = { hash: schema.hash, columns };
  if (target.sets.size >= BOUND_SETS_MAX) target.sets.clear();
  target.sets.set(id, bound);
  return bound;
}

/** The k-th hash of a record, as a view. */
export const hashOf = (hashes: Uint8Array, k: number): Uint8Array =>
  hashes.subarray(k * HASH_BYTES, (k + 1) * HASH_BYTES);

/** True if a set was bound to the k-th hash of a record. Allocates nothing. */
export function isBoundTo({ hash }: BoundSet, hashes: Uint8Array, k: number): boolean {
  for (let i = 0; i < HASH_BYTES; i += 1) if (hash[i] !== hashes[k * HASH_BYTES + i]) return false;
  return true;
}
