import type { Credit, CreditOptions } from './credit-port.ts';
import { CreditWorld } from './credit-world.ts';
import { smallAppendMs } from './log-model.ts';
import { jainOf, type Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/all.ts';

/** The figures of the page were made with it. */
export const PAGE_SEED = 11;
/** The pacing of `flow`. Units: ms. */
const FLOW_MS = 20;

/** What a scenario is judged by: the columns of CREDIT §10, NaN where there is nothing. */
export interface Figures {
  readonly goodput: number;
  readonly jain: number;
  readonly sojourn50: number;
  readonly sojourn99: number;
  readonly ack99: number;
  readonly bound: number;
  readonly lane0: number;
  /** Of the budget, in percent. */
  readonly exposed: number;
}

/** A scenario to be run. */
export interface ScenarioTask {
  readonly name: string;
  readonly seed: number;
}

/** What came of a scenario. */
export interface ScenarioOutcome {
  readonly name: string;
  readonly figures: Figures;
  readonly notes: Readonly<Record<string, number>>;
  /** What must never be. */
  readonly faults: readonly string[];
}

type MakeCredit = (options: CreditOptions) => Credit;

/** Runs one scenario. The same seed, the same figures. */
export function runScenario(
  name: string,
  makeCredit: MakeCredit,
  seed = PAGE_SEED,
): ScenarioOutcome {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`no scenario ${name}; there are ${Object.keys(SCENARIOS)}`);
  const world = new CreditWorld(scenario, { seed, makeCredit });
  const notes = scenario.plan(world);
  world.run();
  const figures = figuresOf(scenario, world);
  const { faults } = world.measures;
  const isLate = figures.ack99 > figures.bound;
  const late = `C17: ack p99 ${Math.round(figures.ack99)} ms, bound ${Math.round(figures.bound)}`;
  return { name, figures, notes: notes(), faults: isLate ? [...faults, late] : faults };
}

function figuresOf(scenario: Scenario, world: CreditWorld): Figures {
  const { sojourn, ack, exposedPeak } = world.measures;
  return {
    goodput: scenario.goodput(world),
    jain: fairnessOf(scenario, world),
    sojourn50: sojourn[1].quantile(0.5),
    sojourn99: sojourn[1].quantile(0.99),
    ack99: ack[1].quantile(0.99),
    bound: boundOf(scenario, world),
    lane0: sojourn[0].quantile(0.99),
    exposed: (100 * exposedPeak) / world.gateway.budgetBytes,
  };
}

/** Jain's index over what devices of equal means got on lane 1, by weight. */
function fairnessOf({ fair }: Scenario, { devices }: CreditWorld): number {
  if (fair === null) return Number.NaN;
  const compared = devices.filter(
    ({ group, laneNumbers }) => laneNumbers.includes(1) && (fair === undefined || group === fair),
  );
  return jainOf(compared.map(({ measuredCost, spec }) => measuredCost[1] / (spec.weight ?? 1)));
}

/** RTT + 2·T + A + 20 ms with the longest T that there was, CREDIT §8. */
function boundOf(scenario: Scenario, world: CreditWorld): number {
  const trips = world.devices.map(({ spec }) => spec.rttMs * (1 + 2 * (spec.jitter ?? 0.1)));
  const farthest = trips.reduce((most, ms) => Math.max(most, ms), 0);
  const { targetMs } = world.measures;
  const smallMs = smallAppendMs(scenario.log);
  return farthest + 2 * targetMs + smallMs + FLOW_MS + (scenario.plusMs?.(world) ?? 0);
}
