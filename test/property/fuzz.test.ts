import { describe, expect, it } from 'vitest';
import { lineOf, readCorpus } from '../fuzz/corpus.ts';
import { type Failure, Fuzzer } from '../fuzz/fuzzer.ts';
import { allTargets } from '../fuzz/targets/all.ts';

const INPUTS = 2000;

/** A fuzzer, and what it found; how long an input takes is for `npm run fuzz` to say. */
function fuzzer(): { readonly fuzzer: Fuzzer; readonly crashes: string[] } {
  const crashes: string[] = [];
  const report = ({ kind, target, smallest, what }: Failure): void => {
    if (kind === 'crash') crashes.push(`${lineOf({ target, bytes: smallest, why: what })}`);
  };
  return { fuzzer: new Fuzzer(allTargets(), { seed: 1, report }), crashes };
}

describe('the fuzzer', () => {
  it('finds that what failed once is good now', () => {
    const { fuzzer: run, crashes } = fuzzer();
    expect(run.runKept(readCorpus())).toBeGreaterThan(0);
    expect(crashes).toEqual([]);
  });

  it(`finds nothing in ${INPUTS} inputs`, () => {
    const { fuzzer: run, crashes } = fuzzer();
    while (run.inputs < INPUTS) run.step();
    expect(crashes).toEqual([]);
  });

  it('gives the same inputs for the same seed', () => {
    const inputs = (): string[] => {
      const seen: string[] = [];
      const { fuzzer: run } = fuzzer();
      run.onInput = (target, bytes) =>
        seen.push(`${target} ${Buffer.from(bytes).toString('base64')}`);
      while (run.inputs < 100) run.step();
      return seen;
    };
    expect(inputs()).toEqual(inputs());
  });
});
