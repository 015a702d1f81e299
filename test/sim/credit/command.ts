import { Crew } from '../crew.ts';
import { compareAll } from './compare.ts';
import { type Page, readPage } from './page.ts';
import { PAGE_SEED, type ScenarioOutcome, type ScenarioTask } from './run-scenario.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { lineOf, pageRowOf, TABLE_HEAD } from './table.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** What was asked for. */
export interface ScenariosAsked {
  /** Their names; undefined: all. */
  readonly only: readonly string[] | undefined;
  /** In the form of CREDIT §10 instead of beside it. */
  readonly isForPage: boolean;
  readonly seed: number;
  readonly workers: number;
}

/**
 * Every scenario beside the page. Returns the exit code: 1 if a rule is broken, or if with the dice
 * of the page a figure is off.
 */
export async function runScenarios(asked: ScenariosAsked): Promise<number> {
  const { only, isForPage, seed, workers } = asked;
  const names = only ?? Object.keys(SCENARIOS);
  for (const name of names) if (!SCENARIOS[name]) throw new Error(`no scenario ${name}`);
  const page: Page = readPage();
  const outcomes = new Map<string, ScenarioOutcome>();
  let printed = 0;
  if (!isForPage) print(TABLE_HEAD);
  // They come in any order and are told in that of the table.
  const tell = (outcome: ScenarioOutcome): void => {
    outcomes.set(outcome.name, outcome);
    for (let next = nextOf(); next; next = nextOf()) {
      const { name, faults } = next;
      print(
        isForPage ? pageRowOf(next, SCENARIOS[name]?.says ?? '') : lineOf(next, page.get(name)),
      );
      for (const fault of faults) print(`  ${name} breaks a rule: ${fault}`);
      printed += 1;
    }
  };
  const nextOf = (): ScenarioOutcome | undefined => outcomes.get(names[printed] ?? '');
  const script = new URL('./scenario-worker.ts', import.meta.url);
  const tasks = names.map((name) => ({ name, seed }));
  await new Crew<ScenarioTask, ScenarioOutcome>(script, workers, tasks, tell).run();
  const { off, faults } = conclude([...outcomes.values()], page);
  return faults > 0 || (off > 0 && seed === PAGE_SEED) ? 1 : 0;
}

interface Conclusion {
  readonly off: number;
  readonly faults: number;
}

function conclude(outcomes: readonly ScenarioOutcome[], page: Page): Conclusion {
  const off = outcomes.flatMap((outcome) =>
    compareAll(outcome, page.get(outcome.name)).filter(({ isOff }) => isOff),
  ).length;
  const faults = outcomes.flatMap((outcome) => outcome.faults).length;
  print(`${outcomes.length} scenarios, ${off} figures off the page, ${faults} rules broken`);
  return { off, faults };
}
