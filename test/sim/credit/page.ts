import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figures } from './run-scenario.ts';

const PAGE = join(import.meta.dirname, '..', '..', '..', 'docs', 'CREDIT.md');
const BEGINS = '## 10. ';
const ENDS = '## 11. ';
const CELLS = 8;

/** What the page says of a scenario: no figure is NaN, a missing note too. */
export interface PageRow {
  readonly figures: Figures;
  readonly notes: Readonly<Record<string, number>>;
}

/** The page's rows, by the names of the scenarios. */
export type Page = ReadonlyMap<string, PageRow>;

/** The tables of CREDIT §10, by the names of the scenarios: the rows that have all columns. */
export function readPage(text = readFileSync(PAGE, 'utf8')): Page {
  const section = text.slice(text.indexOf(BEGINS), text.indexOf(ENDS));
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows
      .map(cellsOf)
      .filter((cells) => cells.length === CELLS)
      .map(rowOf),
  );
}

const cellsOf = (line: string): string[] => line.split('|').slice(1, -1);

function rowOf(cells: readonly string[]): [string, PageRow] {
  const name = /`(\w+)`/.exec(cells[0] ?? '')?.[1] ?? '';
  const [goodput, jain, sojourn, ack, lane0, exposed, notes] = cells.slice(1);
  const [sojourn50, sojourn99] = pairOf(sojourn);
  const [ack99, bound] = pairOf(ack);
  const figures = {
    goodput: numberOf(goodput),
    jain: numberOf(jain),
    sojourn50,
    sojourn99,
    ack99,
    bound,
    lane0: numberOf(lane0),
    exposed: numberOf(exposed),
  };
  return [name, { figures, notes: notesOf(notes ?? '') }];
}

/** A cell; a dash is no number. */
const numberOf = (cell = ''): number => Number.parseFloat(cell.trim());

function pairOf(cell = ''): [number, number] {
  const [first, second] = cell.split('/');
  return [numberOf(first), numberOf(second)];
}

/** `t95 2.40, peakMs 208`. */
function notesOf(cell: string): Record<string, number> {
  const words = cell
    .trim()
    .split(', ')
    .filter((note) => note !== '');
  return Object.fromEntries(
    words.map((note) => {
      const [name = '', value] = note.split(' ');
      return [name, numberOf(value)];
    }),
  );
}
