/** Uniform in [0, 1). */
export type Random = () => number;

/** The golden ratio in 32 bits: neighbouring seeds and streams end up far apart. */
const SPREAD = 0x9e3779b9;

/** FNV-1a: a stream has a name, the generator wants a number. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash;
}

/**
 * A seeded generator (mulberry32), one independent stream per name: what one device draws does not
 * change what another one gets. Guarantee: the same seed and name give the same numbers.
 */
export function seeded(seed: number, name: string): Random {
  let state = (Math.imul(seed, SPREAD) ^ hashOf(name)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Uniform in [low, high). */
export const between = (random: Random, low: number, high: number): number =>
  low + (high - low) * random();

/** Nearly normal, mean 0 and standard deviation 1: the sum of four uniform numbers is enough here. */
export const nearlyNormal = (random: Random): number =>
  (random() + random() + random() + random() - 2) * Math.sqrt(3);
