import { headlineOf } from './report.ts';
import { runSeed } from './run-seed.ts';

/** What a hunt through seeds found; printed as JSON, for whoever started it. */
export interface Catch {
  /** How many seeds it took. */
  readonly seeds: number;
  readonly checker: string;
  readonly headline: string;
}

/** Runs seeds, beginning with 1, until one fails; null if none does. */
function hunt(seedsMax: number): Catch | null {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const { violation } = runSeed(seed);
    if (!violation) continue;
    return { seeds: seed, checker: violation.checker, headline: headlineOf(seed, violation) };
  }
  return null;
}

process.stdout.write(JSON.stringify(hunt(Number(process.argv[2]))));
