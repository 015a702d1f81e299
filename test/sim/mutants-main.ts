import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Mutant, mutantSources } from '../support/mutant-sources.ts';
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

const rowOf = (name: string, found: Catch | null): string => {
  const seeds = found ? `${found.seeds}` : `> ${SEEDS_MAX}`;
  return `${name.padEnd(36)} ${(found?.checker ?? 'NOT CAUGHT').padEnd(42)} ${seeds.padStart(5)}`;
};

/** Runs the mutants of `names`, and tells how many were caught. */
async function runMutants(names: readonly string[]): Promise<number> {
  const waiting = [...names];
  let caught = 0;
  print(`${'mutant'.padEnd(36)} ${'caught by'.padEnd(42)} seeds`);
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const mutant = MUTANTS[name];
      if (!mutant) throw new Error(`no mutant ${name}`);
      const found = await hunt(mutant, SEEDS_MAX);
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
const names = asked.length > 0 ? asked : Object.keys(MUTANTS);
const caught = await runMutants(names);
print(`${names.length} mutants, ${caught} caught`);
process.exitCode = caught === names.length && control === null ? 0 : 1;
