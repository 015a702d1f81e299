import type { Catch } from '../hunt.ts';
import { makeCredit } from './allocator-credit.ts';
import { type Comparison, compareAll, textOf } from './compare.ts';
import { readPage } from './page.ts';
import { runScenario } from './run-scenario.ts';

const sizeOf = ({ deviation }: Comparison): number => Math.abs(Math.log1p(deviation));

/** What a scenario says against the sources as they are: a rule that is broken, or a figure. */
function huntScenario(name: string): Catch | null {
  const outcome = runScenario(name, makeCredit);
  const off = compareAll(outcome, readPage().get(name)).filter(({ isOff }) => isOff);
  const worst =
    off.find(({ name: figure }) => figure === 'goodput') ??
    off.sort((a, b) => sizeOf(b) - sizeOf(a))[0];
  const figure =
    worst &&
    `${worst.name} ${textOf(worst.name, worst.measured)}, not ${textOf(worst.name, worst.page)}`;
  const found = outcome.faults[0] ?? figure;
  return found === undefined ? null : { seeds: 1, checker: `${name}: ${found}`, headline: found };
}

process.stdout.write(JSON.stringify(huntScenario(process.argv[2] ?? '')));
