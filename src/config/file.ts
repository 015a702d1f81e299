import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { didYouMean } from '../model/nearest.ts';
import type { Fault } from './faults.ts';
import { SETTINGS } from './settings.ts';

/** A value of the file, as text, and the line it stands in. */
export interface FileValue {
  readonly text: string;
  readonly where: string;
}

/** What a configuration file says. */
export interface ConfigFile {
  /** By path, such as `listen.address`. */
  readonly values: ReadonlyMap<string, FileValue>;
  /** Where each section begins that stands in the file, empty or not: `auth`, `kafka.ssl`. */
  readonly sections: ReadonlyMap<string, string>;
  readonly faults: readonly Fault[];
}

/** The section of credentials: faults show nothing of what stands in it, names of keys neither. */
const AUTH = 'auth';

const PATHS: ReadonlySet<string> = new Set(
  Object.values(SETTINGS).flatMap(({ path }) => (path === null ? [] : [path])),
);
const SECTIONS: ReadonlySet<string> = new Set(
  [...PATHS].flatMap((path) => [...path.matchAll(/\./g)].map(({ index }) => path.slice(0, index))),
);

/** A configuration file that says nothing. */
export const EMPTY_FILE: ConfigFile = { values: new Map(), sections: new Map(), faults: [] };

/**
 * Reads a configuration file: YAML, and so JSON. Unknown keys, sections that are values and values
 * that are sections are faults; whether a value fits its setting is judged by the caller.
 */
export function parseConfigFile(name: string, text: string): ConfigFile {
  return new FileReader(name).read(text);
}

class FileReader {
  readonly #name: string;
  readonly #lines = new LineCounter();
  readonly #values = new Map<string, FileValue>();
  readonly #sections = new Map<string, string>();
  readonly #faults: Fault[] = [];
  #resolve: (node: unknown) => unknown = (node) => node;

  constructor(name: string) {
    this.#name = name;
  }

  read(text: string): ConfigFile {
    const document = parseDocument(text, { lineCounter: this.#lines });
    this.#resolve = (node) => (isAlias(node) ? node.resolve(document) : node);
    // Only the first line of a message: the others quote the file, and with it its secrets.
    for (const { message, pos } of [...document.errors, ...document.warnings]) {
      this.#fault(
        this.#line(pos[0]),
        (message.split('\n')[0] as string).replace(/ at line .*$/, ''),
      );
    }
    if (this.#faults.length === 0) this.#section(document.contents, '');
    return { values: this.#values, sections: this.#sections, faults: this.#faults };
  }

  #section(node: unknown, path: string): void {
    if (isNothing(node)) return;
    if (!isMap(node)) {
      const what = path === '' ? 'the file' : path;
      this.#fault(this.#place(node as Node, path), `${what} is a section of keys, not a value`);
      return;
    }
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '?';
      const inner = path === '' ? name : `${path}.${name}`;
      this.#entry(inner, key as Node, this.#resolve(value));
    }
  }

  #entry(path: string, key: Node, value: unknown): void {
    const where = this.#place(key, path);
    // `kafka.ssl` is both: `true`, or a section of keys.
    const isValue = PATHS.has(path) && isScalar(value) && !isNothing(value);
    if (SECTIONS.has(path) && !isValue) {
      this.#sections.set(path, where);
      this.#section(value, path);
    } else if (PATHS.has(path)) this.#leaf(path, where, value);
    else if (path.startsWith(`${AUTH}.`)) this.#unknownInAuth(path, key);
    else this.#fault(where, `unknown key${didYouMean(path, othersThan(path))}`);
  }

  #unknownInAuth(path: string, key: Node): void {
    const section = path.slice(0, path.lastIndexOf('.'));
    const known = [...PATHS].find((one) => one.startsWith(AUTH)) as string;
    this.#fault(this.#place(key, section), `holds an unknown key; what there is is ${known}`);
  }

  #leaf(path: string, where: string, value: unknown): void {
    const text = this.#text(value);
    if (text === null)
      this.#fault(where, `expected one value${path === 'kafka.brokers' ? ' or a list' : ''}`);
    else this.#values.set(path, { text, where });
  }

  #text(node: unknown): string | null {
    if (isScalar(node)) return node.value === null ? null : String(node.value);
    if (!isSeq(node) || node.items.length === 0) return null;
    const items = node.items.map((item) => this.#text(this.#resolve(item)));
    return items.includes(null) ? null : items.join(',');
  }

  #line(position: number): string {
    return `${this.#name}:${this.#lines.linePos(position).line}`;
  }

  #place(node: Node, path: string): string {
    const line = this.#line(node.range?.[0] ?? 0);
    return path === '' ? line : `${line} ${path}`;
  }

  #fault(where: string, message: string): void {
    this.#faults.push({ where, message });
  }
}

const isNothing = (node: unknown): boolean =>
  node === null || (isScalar(node) && node.value === null);

/** What an unknown key may have been meant to be: not a section that it stands in. */
const othersThan = (path: string): string[] =>
  [...PATHS, ...SECTIONS].filter((known) => !path.startsWith(`${known}.`));
