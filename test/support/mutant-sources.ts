import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The repository. */
const ROOT = join(import.meta.dirname, '..', '..');

/** Replaces one text, which has to stand in the file exactly once. */
export interface Patch {
  readonly file: string;
  readonly text: string;
  readonly by: string;
}

/** A bug that somebody might make, and that the tests have to find. */
export interface Mutant {
  readonly what: string;
  readonly patches: readonly Patch[];
}

/** A changed copy of the sources, and how to get rid of it. */
export interface MutantSources {
  readonly root: string;
  remove(): void;
}

/**
 * Makes a copy of these folders and files with a bug in it: none is ever in `src` itself.
 * Rejects: throws if a text to be replaced is not there, or there twice.
 */
export function mutantSources(mutant: Mutant, parts: readonly string[]): MutantSources {
  const root = mkdtempSync(join(tmpdir(), 'tidegate-mutant-'));
  for (const part of [...parts, 'package.json']) {
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  for (const { file, text, by } of mutant.patches) {
    const path = join(root, file);
    const pieces = readFileSync(path, 'utf8').split(text);
    if (pieces.length !== 2) {
      throw new Error(`${file} has ${pieces.length - 1} times, not once: ${text}`);
    }
    writeFileSync(path, pieces.join(by));
  }
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}
