import type { Reporter, TestModule } from 'vitest/node';
import { KNOWN_FAULTS } from './known-faults.ts';
import { PAGE_IDS } from './page.ts';
import { PARTS, REASONS } from './reasons.ts';

const ID = /\[(R[\dA-Z.]+-\d+)\]/g;
const PLACE = /\] (\w+): /;

/**
 * What a run of the suite came to: ids by place, by reason, and in all. An id counts as shown by a
 * row only if all its rows ran and passed.
 */
export class ConformanceReporter implements Reporter {
  #lines: string[] = [];

  onInit(): void {
    // Other reporters and vitest itself still write after `onTestRunEnd`.
    process.once('exit', () => process.stdout.write(`${this.#lines.join('\n')}\n`));
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const places = new Map<string, Set<string>>();
    const shown = new Set<string>();
    const failed = new Set<string>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const ids = [...test.name.matchAll(ID)].map(([, id]) => id as string);
        const isGood = test.result().state === 'passed' && !test.name.endsWith('(known fault)');
        const place = PLACE.exec(test.name)?.[1] ?? '';
        for (const id of ids) {
          (isGood ? shown : failed).add(id);
          if (isGood) places.set(place, (places.get(place) ?? new Set()).add(id));
        }
      }
    }
    for (const id of failed) shown.delete(id);
    this.#lines = linesOf(places, shown, failed);
  }
}

function linesOf(
  places: ReadonlyMap<string, ReadonlySet<string>>,
  shown: ReadonlySet<string>,
  failed: ReadonlySet<string>,
): string[] {
  const byReason = Object.values(REASONS).reduce((sum, ids) => sum + ids.length, 0);
  return [
    '',
    'ids by where their rows run (an id may have rows in several places):',
    ...[...places].map(([place, ids]) => `  ${place}: ${ids.size}`),
    'rules of which a row shows all but a part:',
    ...Object.entries(PARTS).map(([id, part]) => `  ${id}: not shown: ${part}`),
    'rows that are known to fail:',
    ...Object.entries(KNOWN_FAULTS).map(([what, seen]) => `  ${what}: ${seen}`),
    `ids with a row that failed: ${[...failed].join(' ') || 'none'}`,
    'ids by reason:',
    ...Object.entries(REASONS).map(
      ([reason, ids]) => `  ${ids.length} ${reason}: ${ids.join(' ')}`,
    ),
    `${PAGE_IDS.length} ids, ${shown.size} by row, ${byReason} by reason`,
  ];
}
