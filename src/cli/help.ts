import type { OptionSpecs } from './options.ts';

/** The help of one command. */
export interface HelpPage {
  /** What comes after `tidegate`. */
  readonly usage: string;
  readonly summary: string;
  readonly options: OptionSpecs;
  /** Paragraphs after the options: a title and its lines. */
  readonly sections?: readonly (readonly [title: string, ...lines: string[]])[];
}

const HELP_OPTION: OptionSpecs = { help: { kind: 'flag', help: 'this text' } };
/** Room for options, before the descriptions. Units: columns. */
const LEFT_COLUMNS = 26;

/** The text of a help page, without a newline at the end. */
export function formatHelp({ usage, summary, options, sections = [] }: HelpPage): string {
  const parts = [
    `Usage: tidegate ${usage}`,
    summary,
    ['Options:', ...optionLines({ ...options, ...HELP_OPTION })].join('\n'),
    ...sections.map(([title, ...lines]) => [title, ...lines.map((line) => `  ${line}`)].join('\n')),
  ];
  return parts.join('\n\n');
}

/** Prints a help page; returns the exit code of a command that only did that. */
export function printHelp(page: HelpPage): number {
  process.stdout.write(`${formatHelp(page)}\n`);
  return 0;
}

function optionLines(specs: OptionSpecs): string[] {
  return Object.entries(specs).map(([name, { shape, help, otherwise }]) => {
    const left = shape === undefined ? `--${name}` : `--${name} ${shape}`;
    const tail = otherwise === undefined ? '' : ` (default: ${otherwise})`;
    return aligned(left, `${help}${tail}`);
  });
}

/** Two columns of a help text; a left one that is too long has a line of its own. */
export const aligned = (left: string, right: string): string =>
  left.length > LEFT_COLUMNS
    ? `  ${left}\n  ${' '.repeat(LEFT_COLUMNS)} ${right}`
    : `  ${left.padEnd(LEFT_COLUMNS)} ${right}`;
