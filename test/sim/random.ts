import { seeded } from '../support/random.ts';

/** Draws for one part of the world, so that a draw more in one part moves no other. */
export class Dice {
  readonly random: () => number;

  constructor(seed: number, part: string) {
    let hash = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b);
    for (const letter of part) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x0100_0193);
    this.random = seeded(hash ^ (hash >>> 15));
  }

  /** Uniform in [from, to). */
  between(from: number, to: number): number {
    return from + this.random() * (to - from);
  }

  /** An integer in [0, below). */
  below(below: number): number {
    return Math.floor(this.random() * below);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}
