import {
  type Mutant,
  type MutantSources,
  mutantSources as sourcesOf,
} from '../support/mutant-sources.ts';

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
        text: 'this.#wasOwned ? this.tails.gen(shard) + 1 : firstGen(shard),',
        by: 'firstGen(shard) > Number.POSITIVE_INFINITY ? 0 : 1,',
      },
      {
        file: 'src/cli/serve.ts',
        text: 'own: randomBytes(8),',
        by: 'own: randomBytes(8).fill(1),',
      },
    ],
  },
};

/** Makes a copy of the sources with a bug. Rejects: throws if a text to be replaced is not there. */
export function mutantSources(name: string): MutantSources {
  const mutant = MUTANTS[name];
  if (!mutant) throw new Error(`no mutant ${name}; there are ${Object.keys(MUTANTS).join(', ')}`);
  return sourcesOf(mutant, ['src', 'simulators']);
}
