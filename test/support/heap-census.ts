import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[]];
    };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/**
 * Counts the objects of a child process by class, after a garbage collection: what is still there
 * is held by somebody. The child has to be started with `environment`.
 */
export class HeapCensus {
  readonly #directory = mkdtempSync(join(tmpdir(), 'tidegate-heap-'));
  /** Makes a child write a heap snapshot at SIGUSR2. */
  readonly environment = {
    NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${this.#directory}`,
  };

  /** How many objects of these classes the process holds. */
  async take(pid: number, classes: readonly string[]): Promise<Record<string, number>> {
    const before = new Set(this.#files());
    process.kill(pid, 'SIGUSR2');
    for (;;) {
      await sleep(100);
      const file = this.#files().find((name) => !before.has(name));
      const counts = file === undefined ? null : countsIn(join(this.#directory, file), classes);
      if (counts) return counts;
    }
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #files(): string[] {
    return readdirSync(this.#directory);
  }
}

/** Null while the snapshot is being written. */
function countsIn(path: string, classes: readonly string[]): Record<string, number> | null {
  const text = readFileSync(path, 'utf8');
  if (!text.trimEnd().endsWith('}')) return null;
  const { snapshot, nodes, strings } = JSON.parse(text) as Snapshot;
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [type, name] = [fields.indexOf('type'), fields.indexOf('name')];
  const object = types[0].indexOf('object');
  const counts: Record<string, number> = Object.fromEntries(classes.map((one) => [one, 0]));
  for (let at = 0; at < nodes.length; at += fields.length) {
    if (nodes[at + type] !== object) continue;
    const of = strings[nodes[at + name] as number] as string;
    if (of in counts) counts[of] = (counts[of] as number) + 1;
  }
  return counts;
}
