import { expect, test } from 'vitest';
import { murmur2, shardOf } from '../../../src/model/murmur2.ts';

/** Vectors of Kafka's own UtilsTest. */
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2(%s) is what Kafka computes', (text, hash) => {
  expect(murmur2(new TextEncoder().encode(text))).toBe(hash);
});

test('a shard lies within the shards, and depends on the path alone', () => {
  const shards = Array.from({ length: 1000 }, (_, i) =>
    shardOf(new TextEncoder().encode(`d/${i}`), 24),
  );
  expect(Math.min(...shards)).toBe(0);
  expect(Math.max(...shards)).toBe(23);
  expect(new Set(shards).size).toBe(24);
});
