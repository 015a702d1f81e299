import { beforeEach, describe, expect, test } from 'vitest';
import { BadTokenLimit } from '../../../../src/adapters/auth/bad-token-limit.ts';
import {
  BAD_TOKEN_ADDRESSES_MAX,
  BAD_TOKENS_BURST,
  BAD_TOKENS_PER_SECOND,
} from '../../../../src/model/limits.ts';

let limit: BadTokenLimit;
beforeEach(() => {
  limit = new BadTokenLimit();
});

/** Counts until the address is slowed. */
function exhaust(address: string, nowMs = 0): void {
  for (let i = 0; i < BAD_TOKENS_BURST; i += 1) {
    expect(limit.isSlowed(address, nowMs)).toBe(false);
    limit.count(address, nowMs);
  }
}

test('a burst is looked at, then a few per second', () => {
  exhaust('192.0.2.1');
  expect(limit.isSlowed('192.0.2.1', 0)).toBe(true);
  const oneMs = 1000 / BAD_TOKENS_PER_SECOND;
  expect(limit.isSlowed('192.0.2.1', oneMs - 1)).toBe(true);
  expect(limit.isSlowed('192.0.2.1', oneMs)).toBe(false);
  limit.count('192.0.2.1', oneMs);
  expect(limit.isSlowed('192.0.2.1', oneMs)).toBe(true);
});

test('who waits long enough starts anew', () => {
  exhaust('192.0.2.1');
  exhaust('192.0.2.1', (BAD_TOKENS_BURST * 1000) / BAD_TOKENS_PER_SECOND);
});

describe('addresses', () => {
  test.each<[string, string, boolean]>([
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.1', '::ffff:192.0.2.1', true],
    ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8:0:0:9::', true],
    ['fe80::1%eth0', 'fe80::2%eth1', true],
    ['::5', '::6', true],
    ['', '', true],
  ])('%s and %s count together: %s', (one, other, isSame) => {
    exhaust(one);
    expect(limit.isSlowed(other, 0)).toBe(isSame);
  });

  test.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('%s never waits', (address) => {
    for (let i = 0; i < 10 * BAD_TOKENS_BURST; i += 1) limit.count(address, 0);
    expect(limit.isSlowed(address, 0)).toBe(false);
  });

  test('are forgotten when there are too many, the one heard of longest ago first', () => {
    exhaust('192.0.2.1');
    exhaust('192.0.2.2');
    limit.count('192.0.2.1', 0);
    for (let i = 2; i < BAD_TOKEN_ADDRESSES_MAX; i += 1) limit.count(`host-${i}`, 0);
    expect(limit.isSlowed('192.0.2.2', 0)).toBe(true);
    limit.count('one more', 0);
    expect(limit.isSlowed('192.0.2.2', 0)).toBe(false);
    expect(limit.isSlowed('192.0.2.1', 0)).toBe(true);
  });
});
