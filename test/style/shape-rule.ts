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

/** The sizes of docs/STYLE.md §4. */
const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 50;

const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)+$/;

const FUNCTIONS: ReadonlySet<string> = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
]);

/** Checks size, name, exports and doc comments of every source. */
export function checkShapes(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) => {
    const file = parse(source);
    return [...fileFaults(file), ...functionFaults(file), ...exportFaults(file)];
  });
}

function fileFaults({ path, text }: Parsed): Violation[] {
  const found: Violation[] = [];
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines > FILE_LINES_MAX) {
    found.push({ path, line: lines, what: `file of ${lines} lines, at most ${FILE_LINES_MAX}` });
  }
  if (!path.split('/').slice(1).every(isKebabCase)) {
    found.push({ path, line: 1, what: 'name is not kebab-case' });
  }
  return found;
}

function isKebabCase(part: string, at: number, parts: readonly string[]): boolean {
  return KEBAB_CASE.test(at === parts.length - 1 ? part : `${part}.folder`);
}

function functionFaults({ path, text, program }: Parsed): Violation[] {
  const found: Violation[] = [];
  walk(program, (node, parent) => {
    if (!FUNCTIONS.has(node.type)) return;
    const line = lineOf(text, node.start);
    const lines = lineOf(text, node.end) - line + 1;
    if (lines <= FUNCTION_LINES_MAX) return;
    const what = `function ${nameOf(node, parent)} of ${lines} lines, at most ${FUNCTION_LINES_MAX}`;
    found.push({ path, line, what });
  });
  return found;
}

/** A function's own name, or that of the variable, property or method it is the value of. */
function nameOf(node: Node, parent: Node | null): string {
  for (const named of [node['id'], parent?.['id'], parent?.['key']]) {
    if (isNode(named) && typeof named['name'] === 'string') return named['name'];
  }
  return 'without a name';
}

function exportFaults(file: Parsed): Violation[] {
  const statements = (file.program['body'] as readonly Node[]) ?? [];
  const documented = documentedNames(file, statements);
  const found: Violation[] = [];
  const fault = (node: Node, what: string) =>
    found.push({ path: file.path, line: lineOf(file.text, node.start), what });
  for (const node of statements) {
    if (isDefaultExport(node)) fault(node, 'default export');
    if (node.type !== 'ExportNamedDeclaration' || isNode(node['source'])) continue;
    for (const name of exportedNames(node)) {
      if (!documented.has(name)) fault(node, `export ${name} has no doc comment`);
    }
  }
  return found;
}

function isDefaultExport(node: Node): boolean {
  if (node.type === 'ExportDefaultDeclaration') return true;
  const specifiers = node.type === 'ExportNamedDeclaration' ? (node['specifiers'] as Node[]) : [];
  return specifiers.some(({ exported }) => isNode(exported) && exported['name'] === 'default');
}

/** The local names an export statement gives away. */
function exportedNames(node: Node): string[] {
  if (isNode(node['declaration'])) return declaredNames(node['declaration']);
  return (node['specifiers'] as readonly Node[]).flatMap(({ local }) => identifier(local));
}

/**
 * Names with a doc comment directly above one of their declarations. One is enough for overloads
 * and for a constant and its type of the same name.
 */
function documentedNames(file: Parsed, statements: readonly Node[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const node of statements) {
    if (!hasDocComment(file, node)) continue;
    const declaration = isNode(node['declaration']) ? node['declaration'] : node;
    for (const name of declaredNames(declaration)) names.add(name);
  }
  return names;
}

function hasDocComment({ text, comments }: Parsed, node: Node): boolean {
  const above = comments.findLast((comment) => comment.end <= node.start);
  if (above === undefined || above.type !== 'Block' || !above.value.startsWith('*')) return false;
  return text.slice(above.end, node.start).trim() === '';
}

function declaredNames(node: Node): string[] {
  if (node.type !== 'VariableDeclaration') return identifier(node['id']);
  return (node['declarations'] as readonly Node[]).flatMap(({ id }) => identifier(id));
}

function identifier(node: unknown): string[] {
  return isNode(node) && typeof node['name'] === 'string' ? [node['name']] : [];
}
