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
const PARTS = ['src', 'test/sim', 'test/support'];
const NODE = join(import.meta.dirname, '..', '..', 'node_modules', 'node', 'bin', 'node');

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const run = promisify(execFile);

/** Without a bug nothing must be found, or what is found with one says nothing. */
const CONTROL: Mutant = { what: 'no bug', patches: [] };
const CONTROL_SEEDS = 25;

async function hunt(mutant: Mutant, seedsMax: number): Promise<Catch | null> {
  const { root, remove } = mutantSources(mutant, PARTS);
  try {
    const argv = [join(root, 'test/sim/hunt.ts'), String(seedsMax)];
    const { stdout } = await run(NODE, argv, { maxBuffer: 1 << 26 });
    return JSON.parse(stdout) as Catch | null;
  } finally {
    remove();
  }
}

/** What the random histories of the allocator find of a failure mode of CREDIT §9. */
async function huntCredit(mutant: Mutant): Promise<Catch | null> {
  const { root, remove } = mutantSources(mutant, PARTS);
  try {
    const { stdout } = await run(NODE, [join(root, 'test/support/credit/hunt.ts')]);
    const found = JSON.parse(stdout) as { readonly seed: number; readonly fault: string } | null;
    if (!found) return null;
    return { seeds: found.seed, checker: found.fault, headline: found.fault };
  } finally {
    remove();
  }
}

const rowOf = (name: string, found: Catch | null): string => {
  const seeds = found ? `${found.seeds}` : `> ${SEEDS_MAX}`;
  return `${name.padEnd(46)} ${(found?.checker ?? 'NOT CAUGHT').slice(0, 42).padEnd(42)} ${seeds.padStart(5)}`;
};

function find(name: string): Promise<Catch | null> {
  const ofCredit = CREDIT_MUTANTS[name];
  if (ofCredit) return huntCredit(ofCredit);
  const mutant = MUTANTS[name];
  if (!mutant) throw new Error(`no mutant ${name}`);
  return hunt(mutant, SEEDS_MAX);
}

/** Those that the random histories find; the others are found by scenarios. */
const creditNames = Object.keys(CREDIT_MUTANTS).filter(
  (name) => CREDIT_MUTANTS[name]?.by === 'histories',
);

/** Runs the mutants of `names`, and tells how many were caught. */
async function runMutants(names: readonly string[]): Promise<number> {
  const waiting = [...names];
  let caught = 0;
  print(`${'mutant'.padEnd(46)} ${'caught by'.padEnd(42)} seeds`);
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

const control = await hunt(CONTROL, CONTROL_SEEDS);
print(`without a bug: ${control ? control.headline : `${CONTROL_SEEDS} seeds are good`}`);
const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : [...Object.keys(MUTANTS), ...creditNames];
const caught = await runMutants(names);
print(`${names.length} mutants, ${caught} caught`);
process.exitCode = caught === names.length && control === null ? 0 : 1;
