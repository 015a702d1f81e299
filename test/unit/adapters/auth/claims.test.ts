import { describe, expect, test } from 'vitest';
import { type Claims, identityOf, scopeOf } from '../../../../src/adapters/auth/claims.ts';

const NOW_MS = 1_800_000_000_000;
const IN_AN_HOUR = NOW_MS / 1000 + 3600;

const claim = (claims: Partial<Record<keyof Claims, unknown>>) =>
  identityOf({ sub: 'plant1/pump-17', exp: IN_AN_HOUR, ...claims }, NOW_MS);

describe('the scopes of a token', () => {
  test.each<[string, object]>([
    ['', { isPublisher: false, reads: [], isMetricsReader: false }],
    ['publish', { isPublisher: true, reads: [], isMetricsReader: false }],
    ['metrics', { isPublisher: false, reads: [], isMetricsReader: true }],
    ['read:#', { isPublisher: false, reads: [['#']], isMetricsReader: false }],
    [
      'read:a/+/temp publish read:b/# metrics',
      {
        isPublisher: true,
        reads: [
          ['a', '+', 'temp'],
          ['b', '#'],
        ],
        isMetricsReader: true,
      },
    ],
    ['read:a read:a', { reads: [['a']] }],
    ['  publish  ', { isPublisher: true }],
  ])('%j', (scope, says) => {
    expect(claim({ scope })).toMatchObject({ subject: 'plant1/pump-17', ...says });
  });

  test.each([
    'Publish',
    'publish:a',
    'publishing',
    'read',
    'read:',
    'read:#/a',
    'read:a//b',
    'read:a\tread:b',
    'read:../x',
    `read:${'x'.repeat(257)}`,
    'openid profile',
    'METRICS',
    'write:#',
    '#',
  ])('%j allows nothing', (scope) => {
    expect(claim({ scope })).toMatchObject({
      isPublisher: false,
      reads: [],
      isMetricsReader: false,
    });
  });

  test('none allow nothing', () => {
    expect(claim({})).toMatchObject({ isPublisher: false, reads: [], isMetricsReader: false });
  });

  test('a publisher whose subject is no device path is none', () => {
    expect(claim({ sub: 'alice@example.com', scope: 'publish read:#' })).toMatchObject({
      isPublisher: false,
      reads: [['#']],
    });
  });

  test('more than 64 read scopes are refused', () => {
    const reads = Array.from({ length: 65 }, (_, i) => `read:a/${i}`);
    expect(claim({ scope: reads.slice(1).join(' ') })).toHaveProperty('reads.length', 64);
    expect(claim({ scope: reads.join(' ') })).toMatchObject({ code: 4004 });
  });
});

describe('claims of the wrong form are refused with 4003', () => {
  test.each<[string, object]>([
    ['no exp', { exp: undefined }],
    ['exp in text', { exp: String(IN_AN_HOUR) }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject with spaces', { sub: 'a b' }],
    ['a subject with control characters', { sub: 'a\nb' }],
    ['a subject that is not ASCII', { sub: 'plänt' }],
    ['a subject that is too long', { sub: 'x'.repeat(256) }],
    ['a subject that is no text', { sub: 7 }],
    ['a scope that is no text', { scope: ['publish'] }],
  ])('%s', (_, claims) => {
    expect(claim(claims)).toMatchObject({ code: 4003 });
  });
});

describe('exp', () => {
  test.each<[number, boolean]>([
    [1, true],
    [0.001, true],
    [0, false],
    [-1, false],
    [-60, false],
  ])('%d s from now: good is %s', (leftS, isGood) => {
    const identity = claim({ exp: NOW_MS / 1000 + leftS, scope: 'publish' });
    expect(!('code' in identity)).toBe(isGood);
  });

  test('becomes µs', () => {
    expect(claim({ exp: IN_AN_HOUR })).toMatchObject({ expiresUs: IN_AN_HOUR * 1e6 });
  });
});

test('what scopeOf writes identityOf reads', () => {
  const grant = { isPublisher: true, reads: ['a/+/b', '#'], isMetricsReader: true };
  const scope = scopeOf(grant);
  expect(scope).toBe('publish read:a/+/b read:# metrics');
  expect(claim({ scope })).toMatchObject({ ...grant, reads: [['a', '+', 'b'], ['#']] });
  expect(scopeOf({ isPublisher: false, reads: [], isMetricsReader: false })).toBe('');
});
