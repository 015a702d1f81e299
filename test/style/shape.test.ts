import { describe, expect, test } from 'vitest';
import { checkShapes } from './shape-rule.ts';
import { readSources, report, type Violation } from './syntax.ts';

/**
 * Places where a rule and good sense part ways: `path: what` as reported, without the line and
 * without numbers, and the reason. Empty is the aim.
 */
const ALLOWLIST: Readonly<Record<string, string>> = {};

const keyOf = ({ path, what }: Violation) => `${path}: ${what.replace(/ of \d+ lines.*/, '')}`;

describe('sizes, names, exports and doc comments of docs/STYLE.md', () => {
  const violations = checkShapes(readSources('src', ['.ts', '.js']));

  test('hold in every file of src', () => {
    expect(report(violations.filter((v) => ALLOWLIST[keyOf(v)] === undefined))).toBe('');
  });

  test('need every entry of the allowlist', () => {
    const needed = new Set(violations.map(keyOf));
    expect(Object.keys(ALLOWLIST).filter((key) => !needed.has(key))).toEqual([]);
  });
});

const lines = (count: number) => '\n'.repeat(count - 1);

const PLANTED: readonly (readonly [path: string, text: string, says: string])[] = [
  ['src/model/a.ts', `${lines(301)};`, 'file of 301 lines'],
  ['src/model/a.ts', `function f() {${lines(51)}}`, 'function f of 51 lines'],
  ['src/model/a.ts', `const f = () => {${lines(51)}};`, 'function f of 51 lines'],
  ['src/model/a.ts', `class A { f() {${lines(51)}} }`, 'function f of 51 lines'],
  ['src/model/tokenBucket.ts', '', 'name is not kebab-case'],
  ['src/Model/a.ts', '', 'name is not kebab-case'],
  ['src/model/a.ts', '/** A. */\nexport default 1;', 'default export'],
  ['src/model/a.ts', 'const a = 1;\nexport { a as default };', 'default export'],
  ['src/model/a.ts', 'export const a = 1;', 'export a has no doc comment'],
  ['src/model/a.ts', '// A.\nexport type A = 1;', 'export A has no doc comment'],
  ['src/model/a.ts', '/** B. */\nconst b = 1;\nexport class A {}', 'export A has no doc'],
  ['src/model/a.ts', 'function f() {}\nexport { f };', 'export f has no doc comment'],
];

test.each(PLANTED)('%s: %j is reported', (path, text, says) => {
  expect(report(checkShapes([{ path, text }]))).toContain(says);
});

const FINE: readonly string[] = [
  `${lines(300)};\n`,
  `function f() {${lines(50)}}`,
  '/** A. */\nexport const a = 1;',
  '/** A. */\nexport const A = { b: 1 } as const;\nexport type A = (typeof A)[keyof typeof A];',
  '/** F. */\nexport function f(a: 1): 1;\nexport function f(a: 2): 2;\nexport function f(a: 1 | 2) { return a; }',
  '/** F. */\nfunction f() {}\nexport { f };',
];

test.each(FINE)('%j is fine', (text) => {
  expect(report(checkShapes([{ path: 'src/model/token-bucket.ts', text }]))).toBe('');
});
