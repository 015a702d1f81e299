import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, test } from 'vitest';
import { isNode, type Node, parse, ROOT, walk } from './syntax.ts';

const ENTRY = 'src/adapters/device/device-client.ts';
/** What only Node has. */
const NODE_ONLY: ReadonlySet<string> = new Set(['Buffer', 'process', 'require', 'setImmediate']);

/** What a source needs at run time, and which names of Node it uses. */
function needsOf(path: string): { imports: readonly string[]; names: readonly string[] } {
  const { program } = parse({ path, text: readFileSync(join(ROOT, path), 'utf8') });
  const imports: string[] = [];
  const names: string[] = [];
  walk(program, (node, parent, key) => {
    const source = node['source'];
    const isImport = /^(Import|Export)\w*Declaration$/.test(node.type) && isNode(source);
    const isType = node['importKind'] === 'type' || node['exportKind'] === 'type';
    if (isImport && !isType) imports.push(String((source as Node)['value']));
    const isName =
      node.type === 'Identifier' && !(parent?.type === 'MemberExpression' && key === 'property');
    if (isName && NODE_ONLY.has(String(node['name']))) names.push(String(node['name']));
  });
  return { imports, names };
}

/** A file and everything that it imports, types aside. */
function closureOf(entry: string): ReadonlyMap<string, ReturnType<typeof needsOf>> {
  const files = new Map<string, ReturnType<typeof needsOf>>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (files.has(path)) continue;
    const needs = needsOf(path);
    files.set(path, needs);
    for (const specifier of needs.imports) {
      if (specifier.startsWith('.')) waiting.push(posix.join(posix.dirname(path), specifier));
    }
  }
  return files;
}

test('the device client needs nothing that a browser has not', () => {
  const files = closureOf(ENTRY);
  expect(files.size).toBeGreaterThan(30);
  for (const [path, { imports, names }] of files) {
    expect(
      imports.filter((specifier) => !specifier.startsWith('.')),
      path,
    ).toEqual([]);
    expect(names, path).toEqual([]);
  }
});

test('a file that needs Node is seen as one', () => {
  const { imports, names } = needsOf('src/cli/child.ts');
  expect(imports).toContain('node:child_process');
  expect(names).toContain('process');
});
