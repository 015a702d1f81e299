import type { Schema } from '../model/reading.ts';
import type { LogKind } from '../model/record.ts';

/** Bytes as text, one character each: a key for maps. */
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** A definition, and the logs whose batches carry it or need not: a bit each. */
interface Entry {
  readonly schema: Schema;
  logs: number;
}

const EVERY_LOG = -1;

/** The set definitions of this deployment, by hash: those in the schema log and on their way. */
export class SchemaTable {
  readonly #byHash = new Map<string, Entry>();
  /** Objects already looked up, so that a frame costs no text. */
  readonly #seen = new WeakMap<Schema, Entry>();

  get size(): number {
    return this.#byHash.size;
  }

  /** The definition with this hash. */
  find(hash: Uint8Array): Schema | undefined {
    return this.#byHash.get(textOf(hash))?.schema;
  }

  /** Takes a definition that was read in the schema log: nobody has to write it again. */
  read(schema: Schema): void {
    this.#entry(schema).logs = EVERY_LOG;
  }

  /**
   * Adds a definition; true if the batch of this log has to carry it. The appends of the logs
   * overtake each other, so each log carries a definition before its own first use of it.
   */
  carry(schema: Schema, log: LogKind): boolean {
    const entry = this.#entry(schema);
    const bit = 1 << log;
    if ((entry.logs & bit) !== 0) return false;
    entry.logs |= bit;
    return true;
  }

  #entry(schema: Schema): Entry {
    const seen = this.#seen.get(schema);
    if (seen) return seen;
    const key = textOf(schema.hash);
    const entry = this.#byHash.get(key) ?? { schema, logs: 0 };
    this.#byHash.set(key, entry);
    this.#seen.set(schema, entry);
    return entry;
  }
}
