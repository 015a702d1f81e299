import { describe, expect, test } from 'vitest';
import { isPath, matches, overlaps, parsePattern } from '../../../src/model/pattern.ts';

describe('a pattern', () => {
  test.each<[string, string, boolean]>([
    ['a/b', 'a/b', true],
    ['a/b', 'a/b/c', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/b/c', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', 'a', true],
    ['+/b/#', 'a/b', true],
    ['+/b/#', 'a/c/b', false],
  ])('%s and %s: %s', (pattern, topic, expected) => {
    expect(matches(parsePattern(pattern) ?? [], topic.split('/'))).toBe(expected);
  });

  test.each(['', 'a//b', 'a/#/b', 'a+', '#a', '/a', 'a/', 'ä', '..'])('%j is none', (pattern) => {
    expect(parsePattern(pattern)).toBeNull();
  });
});

describe('a path', () => {
  test.each(['a', 'a/b', '~._-/A9', 'x'.repeat(64)])('%s is one', (path) => {
    expect(isPath(path, 128)).toBe(true);
  });

  test.each([
    '',
    '/',
    'a/',
    'a//b',
    '.',
    'a/..',
    'a b',
    'a+',
    'x'.repeat(65),
    `${'a/'.repeat(16)}a`,
  ])('%j is none', (path) => {
    expect(isPath(path, 128)).toBe(false);
  });
});

describe('patterns that overlap', () => {
  const LEVELS = ['a', 'b', '+'];
  const words = (alphabet: readonly string[], length: number): string[][] =>
    length === 0
      ? [[]]
      : words(alphabet, length - 1).flatMap((word) => alphabet.map((level) => [...word, level]));
  const plain = [1, 2, 3].flatMap((length) => words(LEVELS, length));
  const patterns = [...plain, ['#'], ...plain.map((pattern) => [...pattern, '#'])];
  // One level more than the longest pattern has, and a level that none of them names.
  const topics = [1, 2, 3, 4].flatMap((length) => words(['a', 'b', 'c'], length));

  test('are those that some topic matches both of, whichever they are', () => {
    const matched = patterns.map((pattern) => topics.map((topic) => matches(pattern, topic)));
    const wrong: string[] = [];
    for (const [i, a] of patterns.entries()) {
      for (const [j, b] of patterns.entries()) {
        const isShared = topics.some((_, t) => matched[i]?.[t] && matched[j]?.[t]);
        if (overlaps(a, b) !== isShared) wrong.push(`${a.join('/')} and ${b.join('/')}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
