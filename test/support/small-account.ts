import type { RingFrame } from '../../src/client/ring-frame.ts';
import { RECORD } from '../../src/model/record.ts';
import { contentOf, contentOfBlocks, type Truth } from '../sim/truth.ts';

/** Where everything is that a device was given: in its ring, in the log, or nowhere. */
export class SmallAccount {
  /** Contents that were formed and not dropped. */
  readonly given = new Set<number>();
  readonly #truth: Truth;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  isDurable(content: number): boolean {
    return this.#durable().has(content);
  }

  /** A content that is neither retained nor durable; null if there is none. */
  vanished(retained: readonly RingFrame[]): number | null {
    const durable = this.#durable();
    const held = new Set(retained.map(({ source }) => contentOfBlocks(source ?? [])));
    for (const content of this.given) {
      if (!durable.has(content) && !held.has(content)) return content;
    }
    return null;
  }

  #durable(): ReadonlySet<number> {
    const frames = this.#truth.entries.filter(
      ({ isValid, header }) => isValid && header.kind === RECORD.frame,
    );
    return new Set(frames.map(({ record }) => contentOf(record.value)));
  }
}
