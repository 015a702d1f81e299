import type { Schema } from '../model/reading.ts';
import type { SchemaRecord } from '../model/record.ts';
import { decodeSchema } from '../wire/schema.ts';

/** Length of a schema hash. Source: PROTOCOL App. D. */
export const HASH_BYTES = 16;

/**
 * Set definitions by hash, as the schema log gives them. With them a record can be decoded without
 * the session that wrote it.
 * Bounds: one entry per definition of the deployment; what may be new is limited per device (§14).
 */
export class SchemaCache {
  readonly #byHash = new Map<string, Schema>();

  /** Adds a definition; false if its bytes are none. Its hash is taken as the log gives it. */
  add({ hash, bytes }: SchemaRecord): boolean {
    const schema = decodeSchema(bytes, hash);
    if (schema !== null) this.#byHash.set(keyOf(hash, 0), schema);
    return schema !== null;
  }

  /** The definition whose hash begins at `at` in `hashes`. */
  find(hashes: Uint8Array, at = 0): Schema | undefined {
    return this.#byHash.get(keyOf(hashes, at));
  }
}

/** A hash as text, one character per byte: a key for maps. */
function keyOf(hashes: Uint8Array, at: number): string {
  return String.fromCharCode(...hashes.subarray(at, at + HASH_BYTES));
}
