import type { PageRow } from './page.ts';
import type { Figures, ScenarioOutcome } from './run-scenario.ts';

/** A figure may differ from the page by this part of it. */
const DEVIATION_MAX = 0.1;

/** A figure that was measured, and what the page says of it. */
export interface Comparison {
  readonly name: string;
  readonly measured: number;
  readonly page: number;
  /** As part of the page's figure; NaN where there is none. */
  readonly deviation: number;
  /** Beyond what is allowed. */
  readonly isOff: boolean;
}

/** How a figure is written, and below which difference it is the same whatever its size. */
interface Form {
  readonly digits: number;
  readonly same: number;
}

const PART: Form = { digits: 2, same: 0.02 };
/** One spike of the log among few frames moves a p99 by this much. */
const MS: Form = { digits: 0, same: 10 };
/** Two samples of a tenth of a second. */
const SECONDS: Form = { digits: 2, same: 0.25 };
const PERCENT: Form = { digits: 0, same: 1 };

const FORMS: Readonly<Record<keyof Figures, Form>> = {
  goodput: PART,
  jain: { digits: 3, same: 0.01 },
  sojourn50: MS,
  sojourn99: MS,
  ack99: MS,
  bound: MS,
  // Alarms are few, and the p99 lies where the spikes of the log begin.
  lane0: { digits: 0, same: 20 },
  exposed: PERCENT,
};

/** Notes that are a time after something. */
const TIMES: ReadonlySet<string> = new Set([
  't95',
  'rec95',
  'back95',
  'after',
  'over400',
  'settle',
  'drained',
]);

const NAMES = Object.keys(FORMS) as (keyof Figures)[];

/** Below ten a note is written with two digits, as on the page. */
const formOfNote = (name: string, value: number): Form => {
  if (TIMES.has(name)) return SECONDS;
  if (name.includes('Ms')) return { ...MS, digits: Math.abs(value) < 10 ? 2 : 0 };
  return Math.abs(value) < 10 ? PART : { digits: 0, same: 1 };
};

function compare(name: string, measured: number, page: number, { same }: Form): Comparison {
  const deviation = page === measured ? 0 : measured / page - 1;
  const isNear = Math.abs(measured - page) <= Math.max(same, DEVIATION_MAX * Math.abs(page));
  const areNone = Number.isNaN(measured) && Number.isNaN(page);
  return { name, measured, page, deviation, isOff: !(isNear || areNone) };
}

/** Every figure and note of an outcome beside the page's; a row that is missing is off. */
export function compareAll(outcome: ScenarioOutcome, row: PageRow | undefined): Comparison[] {
  const figures = NAMES.map((name) => {
    const page = row?.figures[name] ?? Number.NaN;
    return compare(name, outcome.figures[name], page, FORMS[name]);
  });
  const notes = Object.entries(outcome.notes).map(([name, value]) => {
    return compare(name, value, row?.notes[name] ?? Number.NaN, formOfNote(name, value));
  });
  return [...figures, ...notes];
}

/** A figure as the page writes it. */
export function textOf(name: string, value: number): string {
  if (Number.isNaN(value)) return '–';
  if (value === Number.POSITIVE_INFINITY) return '∞';
  const form = name in FORMS ? FORMS[name as keyof Figures] : undefined;
  const digits = form?.digits ?? (Math.abs(value) < 10 ? 2 : 0);
  return value.toFixed(digits);
}
