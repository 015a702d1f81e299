import type { Fact } from './facts.ts';
import type { World } from './world.ts';

/** Says that a rule was broken; `device` is the party whose last events are worth printing. */
export type Blame = (sentence: string, device?: string) => void;

/** One rule of the protocol, or a few that belong together. It sees everything and changes nothing. */
export interface Checker {
  /** As PROTOCOL §16 names it, where it does. */
  readonly name: string;
  /** The facts that it wants to see. */
  readonly kinds: readonly Fact['kind'][];
  see(fact: Fact): void;
}

/** Makes a checker for one world. */
export type MakeChecker = (world: World, blame: Blame) => Checker;
