/**
 * A generation is a term and a number within it. Only the fence by which a gateway takes the readings
 * log begins a term; its alarms fence, and every fence by which it makes one of its logs its own
 * again, stay in that term. So whoever takes a shard later is above all that an earlier owner may
 * still write, in both logs. Source: DESIGN §5.
 * Bounds: a term holds so many tries of one gateway to make a log its own again, twelve days of them
 * at one a second. Past that its fences may depose a newer owner, and nothing worse.
 */
const GENS_PER_TERM = 2 ** 20;

/** The term of a generation; 0 where nobody has fenced yet. */
export const termOf = (gen: number): number => Math.floor(gen / GENS_PER_TERM);

/** The first generation of a term. */
export const firstGenOf = (term: number): number => term * GENS_PER_TERM;
