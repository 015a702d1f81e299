import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './syntax.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const dependencies = { ...manifest.dependencies, ...manifest.devDependencies };

test('docs/dependencies.md has a line for every package of package.json and no other', () => {
  const rows =
    read('docs/dependencies.md')
      .split('\n## ')[0]
      ?.match(/^\| `.*$/gm) ?? [];
  const explained = rows.flatMap((row) => row.split('|')[1]?.match(/(?<=`)[^`, ]+(?=`)/g) ?? []);
  expect(explained.sort()).toEqual(Object.keys(dependencies).sort());
});

test('every version is pinned exactly', () => {
  const loose = Object.entries(dependencies).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
  );
  expect(loose).toEqual([]);
});

const lockText = read('package-lock.json');
const lock = JSON.parse(lockText) as {
  packages: Record<string, { optionalDependencies?: Record<string, string> }>;
};

test('the lock file names no registry', () => {
  expect(lockText).not.toMatch(/"resolved": "http/);
});

/**
 * npm leaves out the packages of other machines when its registry does not know them, and then
 * `npm ci` refuses the lock file everywhere (npm/cli#9846).
 */
test('the lock file holds the optional packages of every platform', () => {
  const named = Object.values(lock.packages).flatMap((entry) =>
    Object.keys(entry.optionalDependencies ?? {}),
  );
  const held = Object.keys(lock.packages).map((path) => path.split('node_modules/').at(-1));
  expect(named.filter((name) => !held.includes(name))).toEqual([]);
});
