import { describe, expect, test } from 'vitest';
import { Session } from '../../../src/ingest/session.ts';
import { SWEEP_MS, Sweep } from '../../../src/ingest/sweep.ts';
import type { SessionId } from '../../../src/model/machine.ts';
import { monoMs } from '../../../src/model/time.ts';

const sessions = (count: number): Map<SessionId, Session> =>
  new Map(
    Array.from({ length: count }, (_, i) => {
      const newcomer = { session: i + 1, codec: 'cbor', identity: null } as const;
      return [i + 1, new Session(newcomer, monoMs(0))];
    }),
  );

/** Takes what is due whenever something is, for so long; returns the sizes of the parts. */
function run(sweep: Sweep, of: Map<SessionId, Session>, untilMs: number): number[] {
  const sizes: number[] = [];
  while (sweep.nextMs < untilMs) sizes.push(sweep.take(of, sweep.nextMs).length);
  return sizes;
}

describe('looking at sessions', () => {
  test('takes few at once', () => {
    expect(run(new Sweep(), sessions(100), 2 * SWEEP_MS)).toEqual([100, 100]);
  });

  test.each([129, 1000, 5000, 17_000])('takes %i in parts, each once a round', (count) => {
    const sweep = new Sweep();
    const of = sessions(count);
    const sizes = run(sweep, of, SWEEP_MS - 1e-3);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(Math.max(128, Math.ceil(count / 32)));
    expect(sizes.reduce((sum, size) => sum + size)).toBe(count);
    expect(sweep.isAtStart).toBe(true);
    expect(sweep.nextMs).toBe(SWEEP_MS);
  });

  test('makes up for parts that a late timer left out', () => {
    const sweep = new Sweep();
    const of = sessions(5000);
    const first = sweep.take(of, 0).length;
    const second = sweep.take(of, SWEEP_MS / 2).length;
    expect(second / first).toBeCloseTo(16, 0);
    expect(sweep.take(of, 3 * SWEEP_MS)).toHaveLength(5000 - first - second);
  });

  test('passes over who left, and finds who came', () => {
    const sweep = new Sweep();
    const of = sessions(1000);
    sweep.take(of, 0);
    of.delete(1000);
    const [late] = sessions(1).values();
    of.set(2000, late as Session);
    const rest = sweep.take(of, SWEEP_MS);
    expect(rest.at(-1)).toBe(late);
    expect(rest.some(({ id }) => id === 1000)).toBe(false);
  });
});
