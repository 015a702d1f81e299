import { expect, test } from 'vitest';
import { ANYBODY, openIdentity } from '../../../src/model/identity.ts';
import { matchesAny } from '../../../src/model/pattern.ts';

test('in open mode a path is a device that may read everything and never expires', () => {
  expect(openIdentity('plant1/pump-17')).toEqual({
    subject: 'plant1/pump-17',
    isPublisher: true,
    reads: [['#']],
    isMetricsReader: true,
    expiresUs: Number.POSITIVE_INFINITY,
  });
});

test.each(['', '/', 'a//b', 'a b', '..', 'x'.repeat(129)])('%j is no path and nobody', (token) => {
  expect(openIdentity(token)).toBeNull();
});

test('anybody may read everything and publish nothing', () => {
  expect(ANYBODY.isPublisher).toBe(false);
  expect(matchesAny(ANYBODY.reads, ['a', 'b', 'c'])).toBe(true);
});
