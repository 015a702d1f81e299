import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The rows of this suite, read from its sources: nothing has to run to know them. */

const ROW = /^rule\(\s*'([^']+)',\s*(['"])(.+?)\2,\s*(\w+),/gms;
const CALL = /^\s*rule\(/gm;
const TEMPLATE_ROW = /^ {2}rule\('([^']+)', `(.+?)`, (\w+),/gm;

/** A row as its source says it. */
export interface Row {
  readonly ids: readonly string[];
  readonly what: string;
  /** Name of the constant of `rule.ts` that says where it runs. */
  readonly where: string;
  readonly file: string;
}

/** All rows; throws at one that cannot be read, so that none is counted out by its spelling. */
export function rowsOfSuite(): Row[] {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));
  return files.flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8');
    const rows = [
      ...[...text.matchAll(ROW)].map(([, ids = '', , what = '', where = '']) => [ids, what, where]),
      ...[...text.matchAll(TEMPLATE_ROW)].map(([, ids = '', what = '', where = '']) => [
        ids,
        what,
        where,
      ]),
    ].map(([ids = '', what = '', where = '']) => ({ ids: ids.split(' '), what, where, file }));
    const calls = [...text.matchAll(CALL)].length;
    if (rows.length !== calls) throw new Error(`${file}: ${calls} rows, ${rows.length} readable`);
    return rows;
  });
}
