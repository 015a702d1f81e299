import { parseArgs } from 'node:util';
import { runScenarios } from './credit/command.ts';
import { PAGE_SEED } from './credit/run-scenario.ts';
import { Crew } from './crew.ts';
import { KEPT_SEEDS } from './kept-seeds.ts';
import { faultTable, headlineOf, summaryOf, violationText } from './report.ts';
import { linesOf, runSeed } from './run-seed.ts';
import type { Outcome } from './world.ts';

const USAGE = `usage: npm run sim -- [options]

  --seeds N      the seeds that were kept, and N others (default 200)
  --from S       the first of them (default 1)
  --seed S       only this one
  --trace        with --seed: everything that happened to the party concerned
  --party NAME   with --trace: to this device or dashboard instead
  --workers N    threads (default 2)

  --scenarios credit   the table of docs/CREDIT.md §10 instead, measured and beside the page
  --only NAME,NAME     with --scenarios: these alone; --seed S: with another seed than the page
  --page               with --scenarios: in the form of the page

Last line: N seeds, N virtual hours, N faults, N violations. Ends with 1 if there are violations.
`;

const OPTIONS = {
  seeds: { type: 'string', default: '200' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string' },
  trace: { type: 'boolean', default: false },
  party: { type: 'string' },
  workers: { type: 'string', default: '2' },
  scenarios: { type: 'string' },
  only: { type: 'string' },
  page: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const EXIT_USAGE = 78;
/** On a terminal a line tells after so many seeds how far it is. */
const PROGRESS_SEEDS = 10;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const numberOf = (name: string, text: string): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${name} takes a number`);
};

function runOne(seed: number, isTraced: boolean, party: string | undefined): Outcome {
  const outcome = runSeed(seed);
  const { violation } = outcome;
  if (isTraced) {
    for (const line of linesOf(outcome, Number.POSITIVE_INFINITY, party)) print(line);
    if (violation) print(headlineOf(seed, violation));
  } else if (violation) print(violationText(outcome));
  print(`digest ${outcome.digest}`);
  return outcome;
}

async function runMany(seeds: readonly number[], workers: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const begun = performance.now();
  const script = new URL('./worker.ts', import.meta.url);
  const crew = new Crew<number, Outcome>(script, workers, seeds, (outcome) => {
    outcomes.push(outcome);
    if (outcome.violation) print(violationText(outcome));
    if (!process.stdout.isTTY || outcomes.length % PROGRESS_SEEDS > 0) return;
    const seconds = Math.round((performance.now() - begun) / 1000);
    print(`${outcomes.length} of ${seeds.length} seeds, ${seconds} s`);
  });
  await crew.run();
  return outcomes;
}

async function run(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: OPTIONS });
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const { seed, trace, party, scenarios, only, page } = values;
  if (scenarios !== undefined) {
    if (scenarios !== 'credit') throw new Error('--scenarios takes: credit');
    return await runScenarios({
      only: only?.split(','),
      isForPage: page,
      seed: seed === undefined ? PAGE_SEED : numberOf('seed', seed),
      workers: numberOf('workers', values.workers),
    });
  }
  const outcomes: Outcome[] = [];
  if (seed === undefined) {
    const from = numberOf('from', values.from);
    const count = numberOf('seeds', values.seeds);
    const kept = KEPT_SEEDS.map((each) => each.seed);
    const others = Array.from({ length: count }, (_, at) => from + at);
    const seeds = [...new Set([...kept, ...others])];
    outcomes.push(...(await runMany(seeds, numberOf('workers', values.workers))));
    print(faultTable(outcomes));
  } else outcomes.push(runOne(numberOf('seed', seed), trace, party));
  print(summaryOf(outcomes));
  return outcomes.some(({ violation }) => violation) ? 1 : 0;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
