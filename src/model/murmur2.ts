const M = 0x5bd1e995;
const SEED = 0x9747b28c;

const mix = (h: number, k: number): number => {
  const a = Math.imul(k, M);
  return Math.imul(h, M) ^ Math.imul(a ^ (a >>> 24), M);
};

/** murmur2 as Kafka's default partitioner computes it. Source: Kafka's Utils.murmur2. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const whole = length & ~3;
  let h = SEED ^ length;
  for (let i = 0; i < whole; i += 4) {
    const k =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    h = mix(h, k);
  }
  const rest = length & 3;
  if (rest === 3) h ^= (bytes[whole + 2] as number) << 16;
  if (rest >= 2) h ^= (bytes[whole + 1] as number) << 8;
  if (rest >= 1) h = Math.imul(h ^ (bytes[whole] as number), M);
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}

/** The shard of a device: Kafka's partition of its path. Source: DESIGN §2.4. */
export const shardOf = (key: Uint8Array, shards: number): number =>
  (murmur2(key) & 0x7fffffff) % shards;
