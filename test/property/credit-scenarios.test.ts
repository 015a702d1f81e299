import { expect, test } from 'vitest';
import { makeCredit } from '../sim/credit/allocator-credit.ts';
import { compareAll, textOf } from '../sim/credit/compare.ts';
import { readPage } from '../sim/credit/page.ts';
import { runScenario } from '../sim/credit/run-scenario.ts';
import { SCENARIOS } from '../sim/credit/scenarios/all.ts';

/** Those that take no second each; `npm run sim -- --scenarios credit` runs all. */
const QUICK = [
  'greedy',
  'ramp300',
  'steady',
  'stall',
  'kafka150',
  'worse',
  'shards',
  'lanes',
  'tight',
  'tiny',
  'sat600',
];

test.each(QUICK)(
  'the credit in the scenario %s is as CREDIT §10 says, and breaks no rule',
  (name) => {
    const outcome = runScenario(name, makeCredit);
    const off = compareAll(outcome, readPage().get(name)).filter(({ isOff }) => isOff);
    const told = off.map(({ name: figure, measured, page }) => {
      return `${figure} ${textOf(figure, measured)}, not ${textOf(figure, page)}`;
    });
    expect(told).toEqual([]);
    expect(outcome.faults).toEqual([]);
  },
);

test('CREDIT §10 has a row for every scenario, and a scenario for every row', () => {
  expect([...readPage().keys()].sort()).toEqual(Object.keys(SCENARIOS).sort());
});

test('a scenario gives the same figures whatever ran before it, and others with other dice', () => {
  const first = runScenario('greedy', makeCredit);
  runScenario('steady', makeCredit);
  expect(runScenario('greedy', makeCredit)).toEqual(first);
  expect(runScenario('greedy', makeCredit, 12).figures).not.toEqual(first.figures);
});

test('a limit that goes down, and exposure beyond the budget, are faults', () => {
  const { faults } = runScenario('greedy', (options) => {
    let calls = 0;
    const raised = (row: number, limit: number): void => {
      calls += 1;
      if (calls === 1000) options.raised(row, options.budgetBytes * 2);
      options.raised(row, limit);
    };
    return makeCredit({ ...options, raised });
  });
  expect(faults.join()).toContain('C2: a limit goes from');
  expect(faults.join()).toContain('C4: exposed');
});
