import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CREDIT_MUTANTS } from '../sim/credit-mutants.ts';
import { MUTANTS } from '../sim/mutants.ts';
import type { Mutant } from '../support/mutant-sources.ts';
import { MUTANTS as TORTURE_MUTANTS } from '../torture/mutants.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const mutants: readonly Mutant[] = [MUTANTS, CREDIT_MUTANTS, TORTURE_MUTANTS].flatMap((some) =>
  Object.values<Mutant>(some),
);

test('every bug that is put into a copy of the sources still has its place there, once', () => {
  expect(mutants.length).toBeGreaterThan(50);
  const misfits = mutants.flatMap(({ what, patches }) =>
    patches
      .filter(({ file, text }) => readFileSync(join(ROOT, file), 'utf8').split(text).length !== 2)
      .map(({ file }) => `${what}: ${file}`),
  );
  expect(misfits).toEqual([]);
});
