import type { Schema } from '../model/reading.ts';

/** Bytes as text, one character each: a key for maps. */
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** The set definitions of this deployment, by hash: those in the schema log and on their way. */
export class SchemaTable {
  readonly #byHash = new Map<string, Schema>();
  /** Objects already looked up, so that a frame costs no text. */
  readonly #seen = new WeakSet<Schema>();

  get size(): number {
    return this.#byHash.size;
  }

  /** The definition with this hash. */
  find(hash: Uint8Array): Schema | undefined {
    return this.#byHash.get(textOf(hash));
  }

  /** Adds a definition; true if it was not there. */
  add(schema: Schema): boolean {
    if (this.#seen.has(schema)) return false;
    this.#seen.add(schema);
    const key = textOf(schema.hash);
    if (this.#byHash.has(key)) return false;
    this.#byHash.set(key, schema);
    return true;
  }
}
