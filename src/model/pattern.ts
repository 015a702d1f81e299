import { LEVEL_CHARS_MAX, LEVELS_MAX, PATTERN_BYTES_MAX } from './limits.ts';

const LEVEL = new RegExp(`^[A-Za-z0-9._~-]{1,${LEVEL_CHARS_MAX}}$`);

/** True for a level of a path. Source: [R2.2-1]. */
export const isLevel = (level: string): boolean =>
  LEVEL.test(level) && level !== '.' && level !== '..';

/** True for a path of at most `bytesMax` bytes. Source: [R2.2-1], [R2.2-2]. */
export function isPath(path: string, bytesMax: number): boolean {
  if (path.length === 0 || path.length > bytesMax) return false;
  const levels = path.split('/');
  return levels.length <= LEVELS_MAX && levels.every(isLevel);
}

/** The levels of a topic pattern (`+` one level, `#` zero or more, last only), or null if bad. */
export function parsePattern(pattern: string): readonly string[] | null {
  if (pattern.length === 0 || pattern.length > PATTERN_BYTES_MAX) return null;
  const levels = pattern.split('/');
  const isGood = (level: string, i: number): boolean =>
    level === '+' || (level === '#' && i === levels.length - 1) || isLevel(level);
  return levels.every(isGood) ? levels : null;
}

/** True if the levels of a topic match the levels of a pattern. Source: [R11.1-2]. */
export function matches(pattern: readonly string[], topic: readonly string[]): boolean {
  for (let i = 0; i < pattern.length; i += 1) {
    const level = pattern[i];
    if (level === '#') return true;
    if (i >= topic.length) return false;
    if (level !== '+' && level !== topic[i]) return false;
  }
  return pattern.length === topic.length;
}

/** True if one of the patterns matches the levels of a topic. */
export const matchesAny = (
  patterns: readonly (readonly string[])[],
  topic: readonly string[],
): boolean => patterns.some((pattern) => matches(pattern, topic));

/** True if some topic matches both patterns. */
export function overlaps(a: readonly string[], b: readonly string[]): boolean {
  for (let i = 0; ; i += 1) {
    const [levelA, levelB] = [a[i], b[i]];
    if (levelA === '#' || levelB === '#') return true;
    if (levelA === undefined || levelB === undefined) return levelA === levelB;
    if (levelA !== '+' && levelB !== '+' && levelA !== levelB) return false;
  }
}
