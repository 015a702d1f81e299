import { say } from './peers.ts';

/** A figure that has a bound. */
export interface Line {
  readonly what: string;
  readonly figure: string;
  readonly bound: string;
  /** Null: it is only shown. */
  readonly isMet: boolean | null;
}

/** Figures with their bounds, printed as a table; a miss is told and is no fault of the program. */
export class Verdict {
  misses = 0;
  judged = 0;

  print(title: string, lines: readonly Line[]): void {
    say(`\n${title}`);
    for (const { what, figure, bound, isMet } of lines) {
      const mark = isMet === null ? '' : isMet ? 'ok' : 'MISS';
      say(`  ${what.padEnd(34)} ${figure.padEnd(26)} ${bound.padEnd(34)} ${mark}`.trimEnd());
      if (isMet === null) continue;
      this.judged += 1;
      if (!isMet) this.misses += 1;
    }
  }

  /** The last line, for scripts. */
  end(): void {
    say(`\n${this.judged} bounds, ${this.misses} missed`);
  }
}
