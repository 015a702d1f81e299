import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the repository. */
export const ROOT = join(import.meta.dirname, '../..');

/** The text of a page. */
export const pageOf = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** The block of code in a page that holds `mark`, to be run as readers would run it. */
export function codeIn(page: string, language: string, mark: string): string {
  const blocks = [...pageOf(page).matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const found = blocks.filter(([, lang, code]) => lang === language && code?.includes(mark));
  const [, , code] = found[0] ?? [];
  if (found.length !== 1 || code === undefined) {
    throw new Error(`${page} holds ${found.length} blocks of ${language} with ${mark}`);
  }
  return code;
}
