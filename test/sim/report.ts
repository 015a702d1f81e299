import { FAULTS } from './plan.ts';
import { linesOf } from './run-seed.ts';
import type { Outcome, Violation } from './world.ts';

/** Of the last things that happened to whom it concerns, so many are printed. */
const LINES = 40;
const MS_PER_HOUR = 3_600_000;

/** Where and what, in one line. */
export const headlineOf = (seed: number, { checker, sentence, party, ms }: Violation): string =>
  `seed ${seed}, ${(ms / 1000).toFixed(3)} s, ${party ?? 'everybody'}: ${checker}: ${sentence}`;

/** What is to be said of a seed that failed. */
export function violationText(outcome: Outcome): string {
  const { seed, violation } = outcome;
  if (!violation) return '';
  const again = `again: npm run sim -- --seed ${seed} --trace`;
  return [headlineOf(seed, violation), ...linesOf(outcome, LINES), again, ''].join('\n');
}

/** How many seeds each kind of fault struck, and how often. */
export function faultTable(outcomes: readonly Outcome[]): string {
  const rows = FAULTS.map((name) => {
    const struck = outcomes.filter(({ strikes }) => (strikes[name] ?? 0) > 0).length;
    const strikes = outcomes.reduce((sum, each) => sum + (each.strikes[name] ?? 0), 0);
    const share = Math.round((100 * struck) / Math.max(1, outcomes.length));
    return `${name.padEnd(32)} ${`${share} %`.padStart(8)} ${String(strikes).padStart(9)}`;
  });
  return [`${'fault'.padEnd(32)} ${'of seeds'.padStart(8)} ${'struck'.padStart(9)}`, ...rows].join(
    '\n',
  );
}

/** The last line. */
export function summaryOf(outcomes: readonly Outcome[]): string {
  const hours = outcomes.reduce((sum, { virtualMs }) => sum + virtualMs, 0) / MS_PER_HOUR;
  const strikes = outcomes.flatMap((outcome) => Object.values(outcome.strikes));
  const faults = strikes.reduce((sum, count) => sum + count, 0);
  const violations = outcomes.filter(({ violation }) => violation).length;
  const counts = `${outcomes.length} seeds, ${hours.toFixed(1)} virtual hours, ${faults} faults`;
  return `${counts}, ${violations} violations`;
}
