import type { Dice } from '../../sim/random.ts';

/** What an input led to. */
export interface Attempt {
  /** How long the code under test took, for each message that it was given. Units: ms. */
  readonly ms: readonly number[];
  /** What happened, in a word: an input that makes a new thing happen is worth changing further. */
  readonly sign: string;
}

/** A piece of code under test, with oracles, and with a way to make inputs for it. */
export interface Target {
  /** First word of its lines in the corpus. */
  readonly name: string;
  /** Of 1000 inputs it gets so many. */
  readonly share: number;
  /** A new input, good for the most part. */
  make(dice: Dice): Uint8Array;
  /** A changed input; `donor` is another one of this target. */
  mutate(dice: Dice, bytes: Uint8Array, donor: Uint8Array): Uint8Array;
  /** Where an input is a list of byte strings: taken apart, and put together again. */
  readonly parts?: {
    readonly split: (bytes: Uint8Array) => readonly Uint8Array[];
    readonly join: (parts: readonly Uint8Array[]) => Uint8Array;
  };
  /** Runs the code under test. Throws what it throws, or a `Finding`. */
  attempt(bytes: Uint8Array): Attempt;
}
