import type { DecodedBlock } from '../consumer/frame-decoder.ts';
import { matches } from '../model/pattern.ts';
import type { WindowResult } from '../model/window.ts';

/** Answers are kept for so many topics; then they are worked out anew. */
const TOPICS_MAX = 100_000;

/** Picks the series whose topic matches a pattern. Source: [R11.1-2]. */
export class SeriesFilter {
  readonly #pattern: readonly string[];
  readonly #answers = new Map<string, boolean>();

  /** @param pattern The levels, as `parsePattern` gives them. */
  constructor(pattern: readonly string[]) {
    this.#pattern = pattern;
  }

  /** The blocks with the columns that match; blocks without any are left out. */
  blocks(blocks: readonly DecodedBlock[]): readonly DecodedBlock[] {
    return blocks
      .map((block) => ({ ...block, cols: block.cols.filter(({ topic }) => this.#has(topic)) }))
      .filter(({ cols }) => cols.length > 0);
  }

  /** The result with the series that match, or null if there are none. Both are JSON. */
  result(json: string): string | null {
    const result = JSON.parse(json) as WindowResult;
    const { device, series } = result;
    const left = Object.entries(series).filter(([name]) => this.#has(`${device}/${name}`));
    return left.length === 0
      ? null
      : JSON.stringify({ ...result, series: Object.fromEntries(left) });
  }

  #has(topic: string): boolean {
    const known = this.#answers.get(topic);
    if (known !== undefined) return known;
    const answer = matches(this.#pattern, topic.split('/'));
    if (this.#answers.size >= TOPICS_MAX) this.#answers.clear();
    this.#answers.set(topic, answer);
    return answer;
  }
}
