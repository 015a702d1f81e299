import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './child.ts';

/** Replaces one text, which has to stand in the file exactly once. */
interface Patch {
  readonly file: string;
  readonly text: string;
  readonly by: string;
}

/** A bug that somebody might make, and that the checker has to find. */
export interface Mutant {
  readonly what: string;
  readonly patches: readonly Patch[];
}

/** The bugs, by name. None of them is in `src`: they are put into a copy of it. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'no-offset': {
    what: 'rows that come back at another offset than expected are acknowledged all the same',
    patches: [
      {
        file: 'src/delivery/owned-log.ts',
        text: 'if (gaps.length > 0) this.#port.read',
        by: 'if (gaps.length > 0 && this.#fence) this.#port.read',
      },
    ],
  },
  'empty-is-success': {
    what: 'a partition that is left out of the answer counts as written',
    patches: [
      {
        file: 'src/adapters/log/kafka-sender.ts',
        text: 'if (results.length !== this.#offsets.size) {',
        by: 'if (results.length > this.#offsets.size) {',
      },
      {
        file: 'src/adapters/log/kafka-appender.ts',
        text: 'const base = bases.of(topic, shard);',
        by: `
          const ends = (globalThis.ends ??= new Map());
          const told = bases.of(topic, shard);
          const base = told < 0 ? (ends.get(topic + shard) ?? 0) : told;
          ends.set(topic + shard, base + rows.length);`,
      },
    ],
  },
  'no-fence': {
    what: 'a second owner takes over without a fence: every owner writes as the first one did',
    patches: [
      {
        file: 'src/delivery/owned-log.ts',
        text: 'const gen = Math.max(this.tails.gen(shard), genFloor(shard)) + this.#attempts;',
        by: 'const gen = genFloor(shard) > Number.POSITIVE_INFINITY ? this.#attempts : 1;',
      },
      {
        file: 'src/cli/serve.ts',
        text: 'own: randomBytes(8),',
        by: 'own: randomBytes(8).fill(1),',
      },
    ],
  },
};

/** A changed copy of the sources, and how to get rid of it. */
export interface MutantSources {
  readonly root: string;
  remove(): void;
}

/** Makes a copy of the sources with a bug. Rejects: throws if a text to be replaced is not there. */
export function mutantSources(name: string): MutantSources {
  const mutant = MUTANTS[name];
  if (!mutant) throw new Error(`no mutant ${name}; there are ${Object.keys(MUTANTS).join(', ')}`);
  const root = mkdtempSync(join(tmpdir(), 'tidegate-mutant-'));
  for (const part of ['src', 'simulators', 'package.json']) {
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  for (const { file, text, by } of mutant.patches) {
    const path = join(root, file);
    const parts = readFileSync(path, 'utf8').split(text);
    if (parts.length !== 2) {
      throw new Error(`${name}: ${file} has ${parts.length - 1} times, not once: ${text}`);
    }
    writeFileSync(path, parts.join(by));
  }
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}
