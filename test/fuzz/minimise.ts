import type { Target } from './targets/target.ts';

/** So long is worth it for what a person looks at: a long input takes its time. Units: ms. */
const PATIENCE_MS = 10_000;

type Fails = (bytes: Uint8Array) => boolean;

/** The shortest input found that still `fails`: whole parts go first, then bytes of each part. */
export function smallestOf({ parts }: Target, bytes: Uint8Array, fails: Fails): Uint8Array {
  const endMs = performance.now() + PATIENCE_MS;
  if (parts === undefined) return shorterBytes(bytes, fails, endMs);
  const { split, join } = parts;
  let best = shorter(split(bytes), (list) => fails(join(list)), endMs);
  for (let at = 0; at < best.length; at += 1) {
    const others = (part: Uint8Array): readonly Uint8Array[] => best.with(at, part);
    const part = shorterBytes(best[at] as Uint8Array, (some) => fails(join(others(some))), endMs);
    best = others(part);
  }
  const joined = join(best);
  return fails(joined) ? joined : bytes;
}

const shorterBytes = (bytes: Uint8Array, fails: Fails, endMs: number): Uint8Array =>
  Uint8Array.from(shorter([...bytes], (list) => fails(Uint8Array.from(list)), endMs));

/** Leaves elements out: halves first, then ever smaller pieces, as long as that helps. */
function shorter<T>(
  list: readonly T[],
  fails: (list: readonly T[]) => boolean,
  endMs: number,
): readonly T[] {
  let best = list;
  for (let piece = Math.max(1, best.length >> 1); piece >= 1; ) {
    const before = best.length;
    for (let at = 0; at < best.length && performance.now() < endMs; ) {
      const rest = [...best.slice(0, at), ...best.slice(at + piece)];
      if (fails(rest)) best = rest;
      else at += piece;
    }
    if (performance.now() >= endMs) break;
    if (piece > 1 || best.length === before) piece >>= 1;
  }
  return best;
}
