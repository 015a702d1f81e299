import { expect, test } from 'vitest';
import { search } from '../support/exhaustive.ts';

const CALM = { frames: 2, ringFrames: 2, cuts: 0, fails: 0, takeovers: 0, crashes: 0 };

test.each([
  ['a cut', { ...CALM, cuts: 1 }],
  ['two cuts', { ...CALM, frames: 1, cuts: 2 }],
  ['a cut and an append that fails', { ...CALM, frames: 1, cuts: 1, fails: 1 }],
  ['a crash', { ...CALM, crashes: 1 }],
  ['a takeover and an append that fails', { ...CALM, frames: 1, fails: 1, takeovers: 1 }],
  ['a takeover and a cut', { ...CALM, frames: 1, cuts: 1, takeovers: 1 }],
  ['a crash and an append that fails', { ...CALM, frames: 1, crashes: 1, fails: 1 }],
  ['a ring of one frame, and a cut', { ...CALM, frames: 3, ringFrames: 1, cuts: 1 }],
  ['a ring of two frames', { ...CALM, frames: 3 }],
])('every interleaving with %s keeps what was acked, in order, and leads home', (_what, bounds) => {
  const { states, fault, stuck } = search(bounds);
  expect(fault).toBeNull();
  expect(stuck).toBeNull();
  expect(states).toBeGreaterThan(50);
});
