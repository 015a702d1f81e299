import { planOf } from './plan.ts';
import { Trace } from './trace.ts';
import { type Outcome, World } from './world.ts';

/** Runs one seed. */
export const runSeed = (seed: number): Outcome => new World(planOf(seed)).run();

/** Runs a seed once more, for the last things that happened to the party concerned, or another. */
export function linesOf(
  { seed, violation }: Outcome,
  keep: number,
  party: string | null = violation?.party ?? null,
): readonly string[] {
  const trace = new Trace(party, keep);
  const world: World = new World(planOf(seed), undefined, (fact) => {
    trace.see(fact, world.timeline.ms);
  });
  world.run();
  return trace.lines;
}
