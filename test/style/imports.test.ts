import { globSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkImports } from './import-rule.ts';
import { ROOT, readSources, report, type Source } from './syntax.ts';

const sources = ['src', 'simulators'].flatMap((folder) => readSources(folder, ['.ts']));

describe('the import rule of docs/STYLE.md §2', () => {
  const { seen, violations } = checkImports(sources);

  test('holds in every file', () => {
    expect(report(violations)).toBe('');
  });

  test('saw every file the folders hold', () => {
    const held = globSync('{src,simulators}/**/*.ts', { cwd: ROOT }).length;
    expect(held).toBeGreaterThan(0);
    expect(seen).toBe(held);
  });
});

/** One violation planted in a file, and the words that report it. */
type Planted = { readonly path: string; readonly text: string; readonly says: string };

const at = (path: string, text: string, says: string): Planted => ({ path, text, says });
const inModel = (text: string, says: string) => at('src/model/a.ts', text, says);

const ARROWS: readonly Planted[] = [
  inModel(`import { b } from '../wire/b.ts';`, 'model imports wire, to the right'),
  inModel(`import type { B } from '../wire/b.ts';`, 'model imports wire, to the right'),
  inModel(`export { b } from '../wire/b.ts';`, 'model imports wire, to the right'),
  inModel(`export * from '../wire/b.ts';`, 'model imports wire, to the right'),
  inModel(`export type { B } from '../wire/b.ts';`, 'model imports wire, to the right'),
  inModel(`import '../wire/b.ts';`, 'model imports wire, to the right'),
  inModel(`const b = import('../wire/b.ts');`, 'model imports wire, to the right'),
  inModel(`type B = import('../wire/b.ts').B;`, 'model imports wire, to the right'),
  inModel(`import b = require('../wire/b.ts');`, 'model imports wire, to the right'),
  at('src/wire/a.ts', `import { b } from '../ingest/b.ts';`, 'wire imports ingest, to the right'),
  at('src/ingest/a.ts', `import { b } from '../delivery/b.ts';`, 'imports delivery, a sibling'),
  at('src/client/a.ts', `import { b } from '../consumer/b.ts';`, 'imports consumer, a sibling'),
  at('src/fanout/a.ts', `import { b } from '../gateway.ts';`, 'fanout imports gateway'),
  at('src/gateway.ts', `import { b } from './adapters/log/b.ts';`, 'gateway imports adapters'),
  at('src/gateway/a.ts', `import { b } from '../adapters/b.ts';`, 'gateway imports adapters'),
  at('src/adapters/in/a.ts', `import { b } from '../../config.ts';`, 'adapters imports config'),
  at('src/config.ts', `import { b } from '../simulators/b.ts';`, 'imports simulators, a sibling'),
  at('src/config/a.ts', `import { b } from '../cli/b.ts';`, 'config imports cli, to the right'),
  at('simulators/a.ts', `import { b } from '../src/cli/b.ts';`, 'simulators imports cli'),
  at('simulators/a.ts', `import { b } from '../src/config.ts';`, 'imports config, a sibling'),
  at('src/cli/a.ts', `import { b } from '../main.ts';`, 'cli imports main, to the right'),
  at('src/cli/a.ts', `import { b } from '../../test/b.ts';`, 'which belongs to no layer'),
  at('src/cli/a.ts', `const b = await import(process.env['B'] ?? '');`, 'computed'),
  at('src/helpers/a.ts', `export {};`, 'belongs to no layer'),
];

const IMPURE: readonly Planted[] = [
  inModel(`import { readFileSync } from 'node:fs';`, 'imports node:fs'),
  inModel(`import type { Buffer } from 'node:buffer';`, 'imports node:buffer'),
  inModel(`import { WebSocket as Socket } from 'ws';`, 'imports ws'),
  inModel(`export * from 'zod';`, 'imports zod'),
  inModel(`async function f() {}`, 'async function'),
  inModel(`const f = async () => 1;`, 'async function'),
  inModel(`const o = { async f() {} };`, 'async function'),
  inModel(`class A { async *f() {} }`, 'async function'),
  inModel(`await undefined;`, 'await'),
  inModel(`for await (const a of []) {}`, 'for await'),
  inModel(`const p = Promise.resolve();`, 'Promise'),
  inModel(`type P = Promise<void>;`, 'Promise'),
  inModel(`const f = (p: PromiseLike<number>) => p;`, 'PromiseLike'),
  inModel(`const t = Date.now();`, 'Date'),
  inModel(`const t = new Date();`, 'Date'),
  inModel(`const t = performance.now();`, 'performance'),
  inModel(`setTimeout(() => {}, 1);`, 'setTimeout'),
  inModel(`setInterval(() => {}, 1);`, 'setInterval'),
  inModel(`setImmediate(() => {});`, 'setImmediate'),
  inModel(`queueMicrotask(() => {});`, 'queueMicrotask'),
  inModel(`const r = Math.random();`, 'Math.random'),
  inModel(`const r = Math['random']();`, 'Math.random'),
  inModel(`const { random } = Math;`, 'Math.random'),
  inModel(`const c = crypto.randomUUID();`, 'crypto'),
  inModel(`const e = process.env;`, 'process'),
  inModel(`console.log(1);`, 'console'),
  inModel(`const t = globalThis.Date.now();`, 'globalThis'),
  inModel(`const host = { process };`, 'process'),
  at('src/gateway.ts', `const t = Date.now();`, 'Date'),
  at('src/consumer/a.ts', `import 'node:fs';`, 'imports node:fs'),
];

const ALLOWED: readonly Source[] = [
  { path: 'src/wire/a.ts', text: `import { b } from '../model/b.ts'; import './c.ts';` },
  { path: 'src/gateway.ts', text: `import { b } from './gateway/b.ts'; import './ingest/c.ts';` },
  { path: 'src/model/a.ts', text: `// Date, process and await\nconst s = 'Math.random';` },
  { path: 'src/model/a.ts', text: `type A = { process: number }; const f = (a: A) => a.process;` },
  { path: 'src/model/a.ts', text: `const a = Math.floor(Math.max(1, 2.5));` },
  {
    path: 'src/adapters/a.ts',
    text: `import 'node:fs'; import 'ws'; await Promise.resolve(Date);`,
  },
  { path: 'src/cli/a.ts', text: `import p from '../../package.json' with { type: 'json' };` },
  { path: 'simulators/a.ts', text: `import { b } from '../src/client/b.ts'; import './c.ts';` },
  { path: 'src/main.ts', text: `import { b } from './cli/b.ts'; process.exit(0);` },
];

describe('the import rule fails on a planted', () => {
  test.each([...ARROWS, ...IMPURE])('$path: $text', ({ path, text, says }) => {
    const { violations } = checkImports([{ path, text }]);
    expect(report(violations)).toContain(says);
  });

  test('file that cannot be parsed', () => {
    expect(() => checkImports([{ path: 'src/model/a.ts', text: 'const = ;' }])).toThrow(
      'src/model/a.ts',
    );
  });
});

test.each(ALLOWED)('the import rule allows $path: $text', (source) => {
  expect(report(checkImports([source]).violations)).toBe('');
});
