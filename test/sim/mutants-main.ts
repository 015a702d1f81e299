import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Mutant, mutantSources } from '../support/mutant-sources.ts';
import { CREDIT_MUTANTS } from './credit-mutants.ts';
import type { Catch } from './hunt.ts';
import { MUTANTS } from './mutants.ts';

/** A bug that is not found within so many seeds is not found. */
const SEEDS_MAX = 100;
const AT_ONCE = 2;
/** Of what caught a mutant. Units: characters. */
const WIDTH = 56;
const PARTS = ['src', 'test/sim', 'test/support', 'docs/CREDIT.md'];
const NODE = join(import.meta.dirname, '..', '..', 'node_modules', 'node', 'bin', 'node');

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const run = promisify(execFile);

/** Without a bug nothing must be found, or what is found with one says nothing. */
const CONTROL: Mutant = { what: 'no bug', patches: [] };
const CONTROL_SEEDS = 25;

/** Runs a program of a copy with a bug, which prints what it found as JSON. */
async function runIn(mutant: Mutant, script: string, ...argv: string[]): Promise<unknown> {
  const { root, remove } = mutantSources(mutant, PARTS);
  try {
    const { stdout } = await run(NODE, [join(root, script), ...argv], { maxBuffer: 1 << 26 });
    return JSON.parse(stdout);
  } finally {
    remove();
  }
}

/** What the simulated world finds. */
const hunt = async (mutant: Mutant, seedsMax: number): Promise<Catch | null> =>
  (await runIn(mutant, 'test/sim/hunt.ts', String(seedsMax))) as Catch | null;

/** What the random histories of the allocator find. */
async function huntHistories(mutant: Mutant): Promise<Catch | null> {
  const printed = await runIn(mutant, 'test/support/credit/hunt.ts');
  const found = printed as { readonly seed: number; readonly fault: string } | null;
  return found && { seeds: found.seed, checker: found.fault, headline: found.fault };
}

/** What a scenario of CREDIT §10 finds. */
const huntScenario = async (mutant: Mutant, scenario: string): Promise<Catch | null> =>
  (await runIn(mutant, 'test/sim/credit/hunt-scenario.ts', scenario)) as Catch | null;

const rowOf = (name: string, found: Catch | null): string => {
  const seeds = found ? `${found.seeds}` : `> ${SEEDS_MAX}`;
  return `${name.padEnd(46)} ${(found?.checker ?? 'NOT CAUGHT').slice(0, WIDTH).padEnd(WIDTH)} ${seeds.padStart(5)}`;
};

function find(name: string): Promise<Catch | null> {
  const ofCredit = CREDIT_MUTANTS[name];
  if (ofCredit?.by === 'histories') return huntHistories(ofCredit);
  if (ofCredit) return huntScenario(ofCredit, ofCredit.by.scenario);
  const mutant = MUTANTS[name];
  if (!mutant) throw new Error(`no mutant ${name}`);
  return hunt(mutant, SEEDS_MAX);
}

/** Runs the mutants of `names`, and tells how many were caught. */
async function runMutants(names: readonly string[]): Promise<number> {
  const waiting = [...names];
  let caught = 0;
  print(`${'mutant'.padEnd(46)} ${'caught by'.padEnd(WIDTH)} after`);
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const found = await find(name);
      if (found) caught += 1;
      print(rowOf(name, found));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return caught;
}

/** What is found without a bug: by the world, the histories, and every scenario used here. */
async function control(): Promise<string[]> {
  const scenarios = new Set<string>();
  for (const { by } of Object.values(CREDIT_MUTANTS)) {
    if (by !== 'histories') scenarios.add(by.scenario);
  }
  const waiting = [...scenarios].map((scenario) => () => huntScenario(CONTROL, scenario));
  waiting.push(() => huntHistories(CONTROL));
  waiting.push(() => hunt(CONTROL, CONTROL_SEEDS));
  const found: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const caught = await next();
      if (caught) found.push(caught.headline);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}

const wrong = await control();
for (const line of wrong) print(`without a bug: ${line}`);
if (wrong.length === 0)
  print(`without a bug: ${CONTROL_SEEDS} seeds, histories and scenarios are good`);
const asked = process.argv.slice(2);
const all = [...Object.keys(MUTANTS), ...Object.keys(CREDIT_MUTANTS)];
const names = asked.length > 0 ? asked : all;
const caught = await runMutants(names);
print(`${names.length} mutants, ${caught} caught`);
process.exitCode = caught === names.length && wrong.length === 0 ? 0 : 1;
