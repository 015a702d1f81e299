import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { parseSync } from 'oxc-parser';

/** One source file: its path from the repository's root, with `/`, and its text. */
export type Source = { readonly path: string; readonly text: string };

/** A node of the syntax tree, as far as the style tests look at it. */
export type Node = { readonly type: string; readonly start: number; readonly end: number } & {
  readonly [key: string]: unknown;
};

/** A source with its tree. */
export type Parsed = Source & {
  readonly program: Node;
  /** Doc comments and others, in order. */
  readonly comments: readonly { type: string; value: string; start: number; end: number }[];
};

/** A place where a rule is broken. */
export type Violation = { readonly path: string; readonly line: number; readonly what: string };

/** The repository's root. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** Reads every file below `folder` whose name ends with one of `endings`. */
export function readSources(folder: string, endings: readonly string[], root = ROOT): Source[] {
  return filesBelow(join(root, folder))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .sort()
    .map((path) => ({
      path: relative(root, path).split(sep).join('/'),
      text: readFileSync(path, 'utf8'),
    }));
}

function filesBelow(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
    return entries.filter((entry) => entry.isFile()).map((e) => join(e.parentPath, e.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Parses a source; a file that cannot be read as TypeScript is an error, never an empty tree. */
export function parse(source: Source): Parsed {
  const result = parseSync(source.path, source.text, {
    sourceType: 'module',
    preserveParens: false,
  });
  const fault = result.errors[0];
  if (fault !== undefined) throw new SyntaxError(`${source.path}: ${fault.message}`);
  const program = result.program as unknown as Node;
  return { ...source, program, comments: result.comments };
}

/** The line, from 1, of an offset. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
  }
  return line;
}

/** Calls `visit` for a node and everything below it. `key` is where the node hangs in `parent`. */
export function walk(
  node: Node,
  visit: (node: Node, parent: Node | null, key: string) => void,
  parent: Node | null = null,
  key = '',
): void {
  visit(node, parent, key);
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, visit, node, name);
    }
  }
}

/** Whether a value is a syntax node. */
export function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Node).type === 'string' &&
    typeof (value as Node).start === 'number'
  );
}

/** Violations as the text of a failed assertion, one a line. */
export function report(violations: readonly Violation[]): string {
  return violations.map(({ path, line, what }) => `${path}:${line} ${what}`).join('\n');
}
