import { type Comparison, compareAll, textOf } from './compare.ts';
import type { PageRow } from './page.ts';
import type { ScenarioOutcome } from './run-scenario.ts';

/** The columns, and how wide a measured figure beside the page's may be. */
const COLUMNS: Readonly<Record<string, string>> = {
  goodput: 'goodput',
  jain: 'Jain',
  sojourn50: 'sojourn p50',
  sojourn99: 'sojourn p99',
  ack99: 'ack p99',
  bound: 'its bound',
  lane0: 'lane 0 p99',
  exposed: 'exposed %',
};
const NAME_WIDTH = 11;
const COLUMN_WIDTH = 18;

/** What the lines below it mean. */
export const TABLE_HEAD = [
  'measured|page deviation; ! beyond 10 % of the page (ms, s and % of small figures apart)',
  `${'scenario'.padEnd(NAME_WIDTH)}${Object.values(COLUMNS)
    .map((title) => title.padEnd(COLUMN_WIDTH))
    .join('')}notes`,
].join('\n');

/** One line: every figure of a scenario, beside the page's. */
export function lineOf(outcome: ScenarioOutcome, row: PageRow | undefined): string {
  const all = compareAll(outcome, row);
  const figures = all.filter(({ name }) => name in COLUMNS).map(figureText);
  const notes = all.filter(({ name }) => !(name in COLUMNS));
  const columns = figures.map((text) => text.padEnd(COLUMN_WIDTH)).join('');
  const told = notes.map((note) => `${note.name} ${figureText(note)}`).join(', ');
  return `${outcome.name.padEnd(NAME_WIDTH)}${columns}${told}`.trimEnd();
}

function figureText({ name, measured, page, deviation, isOff }: Comparison): string {
  const isPlain = Number.isNaN(deviation) || Math.abs(deviation) === Number.POSITIVE_INFINITY;
  const percent = Math.round(100 * deviation);
  const told = isPlain ? '' : ` ${percent > 0 ? '+' : ''}${percent}%`;
  return `${textOf(name, measured)}|${textOf(name, page)}${told}${isOff ? '!' : ''}`;
}

/** The row of CREDIT §10. */
export function pageRowOf({ name, figures, notes }: ScenarioOutcome, says: string): string {
  const text = (key: keyof typeof figures): string => textOf(key, figures[key]);
  const told = Object.entries(notes).map(([note, value]) => `${note} ${textOf(note, value)}`);
  return `| ${[
    `\`${name}\` ${says}`,
    text('goodput'),
    text('jain'),
    `${text('sojourn50')} / ${text('sojourn99')}`,
    `${text('ack99')} / ${text('bound')}`,
    text('lane0'),
    `${text('exposed')} %`,
    told.join(', '),
  ].join(' | ')} |`;
}
