import { describe, expect, test } from 'vitest';
import { isPath, matches, parsePattern } from '../../../src/model/pattern.ts';

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
