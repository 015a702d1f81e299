import { readFileSync } from 'node:fs';

/**
 * Inputs that failed once, and some that show what the format can do: one a line, as target, hex
 * and, behind a `#`, why.
 */
const FILE = new URL('./corpus/inputs.txt', import.meta.url);

/** An input that is kept. */
export interface Kept {
  readonly target: string;
  readonly bytes: Uint8Array;
  readonly why: string;
}

export function readCorpus(): readonly Kept[] {
  return readFileSync(FILE, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(keptOf);
}

function keptOf(line: string): Kept {
  const match = /^(\w+) ((?:[0-9a-f]{2})*) # (.+)$/.exec(line);
  if (match === null) throw new Error(`corpus: not "target hex # why": ${line.slice(0, 60)}`);
  const [, target = '', hex = '', why = ''] = match;
  return { target, bytes: new Uint8Array(Buffer.from(hex, 'hex')), why };
}

/** The line under which an input is kept. */
export const lineOf = ({ target, bytes, why }: Kept): string =>
  `${target} ${Buffer.from(bytes).toString('hex')} # ${why}`;
