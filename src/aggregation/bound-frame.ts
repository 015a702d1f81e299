import type { Schema } from '../model/reading.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { type BoundSet, bindSet, hashOf, isBoundTo } from './bound-set.ts';
import type { ClassState } from './class-state.ts';

/** What finds the definition that a hash stands for. */
type Schemas = (hash: Uint8Array) => Schema | undefined;

/**
 * The frame that is being aggregated: its blocks, and the set of each as its class uses it. One
 * object reads one frame after the other.
 */
export class BoundFrame {
  readonly reader = new FrameReader();
  /** Sets of the blocks. */
  readonly sets: BoundSet[] = [];
  /** All of it is known: the bytes are good, and so are the definitions. */
  isKnown = false;
  readonly #schemas: Schemas;
  /** Set ids in order of first appearance: the order of the hashes. */
  readonly #setIds: number[] = [];
  #target: ClassState | null = null;

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /** Whose readings it holds. */
  get target(): ClassState {
    return this.#target as ClassState;
  }

  /**
   * Reads a frame and finds its sets, in the order of its blocks. If something of it is not known
   * nothing of it is aggregated: it stays in the log, and sessions need its header only.
   */
  read(target: ClassState, value: Uint8Array, hashes: Uint8Array): void {
    this.#target = target;
    this.#setIds.length = 0;
    this.sets.length = 0;
    this.isKnown = this.reader.read(value) === null && this.#bind(target, hashes);
  }

  #bind(target: ClassState, hashes: Uint8Array): boolean {
    const { reader } = this;
    for (let b = 0; b < reader.blockCount; b += 1) {
      const set = this.#setOf(target, reader.set(b), hashes);
      if (set === null || reader.shape(b, set.columns.length) !== null) return false;
      this.sets.push(set);
    }
    return true;
  }

  /** Null: the definition of the set is not known. */
  #setOf(target: ClassState, id: number, hashes: Uint8Array): BoundSet | null {
    let k = this.#setIds.indexOf(id);
    if (k < 0) k = this.#setIds.push(id) - 1;
    const bound = target.sets.get(id);
    if (bound !== undefined && isBoundTo(bound, hashes, k)) return bound;
    const schema = this.#schemas(hashOf(hashes, k));
    return schema === undefined ? null : bindSet(target, id, schema);
  }
}
