/** Words farther apart than this share of their length are different words, not typing errors. */
const DISTANCE_PER_LETTER = 1 / 3;
/** Longer words are not compared: the table is quadratic, and the word may be anything. */
const LETTERS_MAX = 64;

/** Letters to insert, delete, replace or swap with their neighbour until one word is the other. */
function distance(a: string, b: string): number {
  // rows[i][j] is the distance of the first i letters of a from the first j of b.
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) rows.push(nextRow(rows, a, b));
  return rows[a.length]?.[b.length] as number;
}

function nextRow(rows: readonly (readonly number[])[], a: string, b: string): number[] {
  const i = rows.length;
  const above = rows[i - 1] as readonly number[];
  const row = [i];
  for (let j = 1; j <= b.length; j += 1) {
    const replaced = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
    const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
    const swapped = isSwapped ? (rows[i - 2]?.[j - 2] as number) + 1 : replaced;
    row.push(Math.min(replaced, swapped, (above[j] as number) + 1, (row[j - 1] as number) + 1));
  }
  return row;
}

/** The candidate that `word` was probably meant to be, or undefined if none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LETTERS_MAX) return undefined;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const apart = distance(word.toLowerCase(), candidate.toLowerCase());
    const allowed = Math.max(1, Math.floor(candidate.length * DISTANCE_PER_LETTER));
    if (apart <= allowed && apart < bestDistance) {
      best = candidate;
      bestDistance = apart;
    }
  }
  return best;
}

/** `, did you mean X?` where something is near, else nothing: the tail of a fault's sentence. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `, did you mean ${meant}?`;
}
