import { posix } from 'node:path';
import {
  isNode,
  lineOf,
  type Node,
  type Parsed,
  parse,
  type Source,
  type Violation,
  walk,
} from './syntax.ts';

/**
 * The layers of docs/STYLE.md §2, leftmost first. An import points to a layer further left or stays
 * in its own folder; folders of one layer never import each other.
 */
const LAYERS: readonly (readonly string[])[] = [
  ['model'],
  ['wire'],
  ['ingest', 'delivery', 'aggregation', 'fanout', 'client', 'consumer'],
  ['gateway'],
  ['adapters'],
  ['config', 'simulators'],
  ['cli'],
  ['main'],
];

/** From this layer on, code may wait, do I/O and read clocks. */
const FIRST_IMPURE = LAYERS.findIndex((layer) => layer.includes('adapters'));

/** Globals that stand for a clock, a timer, randomness, the host or the network. */
const HOST_GLOBALS: ReadonlySet<string> = new Set([
  'Date',
  'Temporal',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'crypto',
  'process',
  'console',
  'fetch',
  'WebSocket',
  'require',
  // The back doors to all of the above.
  'globalThis',
  'global',
]);

const WAITING_TYPES: ReadonlySet<string> = new Set(['Promise', 'PromiseLike']);

type Import = { readonly specifier: string | null; readonly node: Node };
type Folder = { readonly name: string; readonly rank: number };

/** What was looked at, and what was wrong there. */
export type ImportReport = { readonly seen: number; readonly violations: readonly Violation[] };

/** Checks the import rule over all sources. */
export function checkImports(sources: readonly Source[]): ImportReport {
  const violations = sources.flatMap((source) => checkFile(parse(source)));
  return { seen: sources.length, violations };
}

function checkFile(file: Parsed): Violation[] {
  const folder = folderOf(file.path);
  const at = (node: Node, what: string): Violation => ({
    path: file.path,
    line: lineOf(file.text, node.start),
    what,
  });
  if (folder === null) return [at(file.program, 'belongs to no layer of docs/STYLE.md §2')];
  const found: Violation[] = [];
  walk(file.program, (node, parent, key) => {
    const imported = importOf(node);
    const wrongImport = imported && importFault(file.path, folder, imported);
    if (wrongImport) found.push(at(node, wrongImport));
    if (folder.rank >= FIRST_IMPURE) return;
    const impurity = impurityOf(node, parent, key);
    if (impurity) found.push(at(node, `${impurity}, left of adapters`));
  });
  return found;
}

/** The folder a path counts to: `src/gateway.ts` and `src/gateway/arrows.ts` are both `gateway`. */
function folderOf(path: string): Folder | null {
  const [top, second] = path.split('/');
  const name = top === 'simulators' ? top : top === 'src' ? second?.replace(/\.ts$/, '') : null;
  if (name === null || name === undefined) return null;
  const rank = LAYERS.findIndex((layer) => layer.includes(name));
  if (rank === -1 || (name === 'simulators') !== (top === 'simulators')) return null;
  return { name, rank };
}

/** The import a node makes; a specifier that is not a plain text is null. */
function importOf(node: Node): Import | null {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return { specifier: textOf(node['source']), node };
    case 'ExportNamedDeclaration':
      return isNode(node['source']) ? { specifier: textOf(node['source']), node } : null;
    case 'TSExternalModuleReference':
      return { specifier: textOf(node['expression']), node };
    default:
      return null;
  }
}

function importFault(path: string, from: Folder, { specifier }: Import): string | null {
  if (specifier === null) return 'imports something computed, which cannot be checked';
  const isPure = from.rank < FIRST_IMPURE;
  if (!specifier.startsWith('.')) {
    return isPure ? `imports ${specifier}, left of adapters` : null;
  }
  const target = posix.join(posix.dirname(path), specifier);
  if (target === 'package.json') return isPure ? 'imports package.json, left of adapters' : null;
  const to = folderOf(target);
  if (to === null) return `imports ${specifier}, which belongs to no layer`;
  if (to.name === from.name || to.rank < from.rank) return null;
  const arrow = to.rank === from.rank ? 'a sibling' : 'to the right';
  return `${from.name} imports ${to.name}, ${arrow}`;
}

/** Why a node may not stand in the pure part, or null. */
function impurityOf(node: Node, parent: Node | null, key: string): string | null {
  if (node['async'] === true) return 'async function';
  if (node.type === 'AwaitExpression') return 'await';
  if (node.type === 'ForOfStatement' && node['await'] === true) return 'for await';
  if (node.type === 'VariableDeclaration' && node['kind'] === 'await using') return 'await using';
  if (node.type !== 'Identifier' || isOnlyAName(parent, key)) return null;
  const name = String(node['name']);
  if (HOST_GLOBALS.has(name)) return name;
  if (WAITING_TYPES.has(name)) return name;
  if (name === 'Math' && !isHarmlessMath(parent, key)) return 'Math.random, or Math taken apart';
  return null;
}

/** `x.process`, `{ process: 1 }` and `process: string` in a type are names of our own. */
function isOnlyAName(parent: Node | null, key: string): boolean {
  if (parent === null || parent['computed'] === true) return false;
  if (parent.type === 'MemberExpression') return key === 'property';
  if (parent.type === 'TSQualifiedName') return key === 'right';
  return key === 'key';
}

/** `Math.floor`, but not `Math.random`, `Math['random']` or `const { random } = Math`. */
function isHarmlessMath(parent: Node | null, key: string): boolean {
  if (parent?.type !== 'MemberExpression' || key !== 'object') return false;
  if (parent['computed'] === true) return false;
  return isNode(parent['property']) && parent['property']['name'] !== 'random';
}

function textOf(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === 'TSLiteralType') return textOf(node['literal']);
  return node.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : null;
}
