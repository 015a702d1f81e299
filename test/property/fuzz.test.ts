import { describe, expect, it } from 'vitest';
import { lineOf, readCorpus } from '../fuzz/corpus.ts';
import { isCpuTime } from '../fuzz/cpu-clock.ts';
import { type Failure, Fuzzer } from '../fuzz/fuzzer.ts';
import { allTargets } from '../fuzz/targets/all.ts';
import type { Target } from '../fuzz/targets/target.ts';

const INPUTS = 2000;

/** A fuzzer, and what it found; how long an input takes is for `npm run fuzz` to say. */
function fuzzer(): { readonly fuzzer: Fuzzer; readonly crashes: string[] } {
  const crashes: string[] = [];
  const report = ({ kind, target, smallest, what }: Failure): void => {
    if (kind === 'crash') crashes.push(`${lineOf({ target, bytes: smallest, why: what })}`);
  };
  return { fuzzer: new Fuzzer(allTargets(), { seed: 1, report }), crashes };
}

/** How many of the inputs are slow if the attempts at one take so long, the last one for ever. */
function slowOf(...ms: readonly number[]): number {
  let attempts = 0;
  const target: Target = {
    name: 'clock',
    share: 1,
    make: () => new Uint8Array(1),
    mutate: (_dice, bytes) => bytes,
    attempt: () => {
      const at = Math.min(attempts, ms.length - 1);
      attempts += 1;
      return { ms: [0.1, ms[at] as number], sign: '' };
    },
  };
  const run = new Fuzzer([target], { seed: 1, report: () => {} });
  run.step();
  return run.slow;
}

describe('the fuzzer', () => {
  it('calls an input slow that takes more than 5 ms in each of five repetitions', () => {
    expect(slowOf(5.1)).toBe(1);
    expect(slowOf(9, 9, 9, 9, 9, 5.1, 1)).toBe(1);
  });

  it('calls no input slow that takes 5 ms in one of five repetitions', () => {
    expect(slowOf(9, 9, 9, 9, 9, 5)).toBe(0);
    expect(slowOf(9, 5, 9)).toBe(0);
  });

  it.runIf(process.platform === 'linux')('times by the CPU time of its thread', () => {
    expect(isCpuTime).toBe(true);
  });

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
