import { expect, test } from 'vitest';
import { EpochMint } from '../../../src/ingest/epochs.ts';

const UNIX_MS = 1_761_962_400_000;
/** An epoch of a node whose clock is a minute ahead. */
const KNOWN = (UNIX_MS + 60_000) * 1024;

test('two nodes behind the same known epoch do not mint the same next one', () => {
  const [one, two] = [new EpochMint(() => 0.25), new EpochMint(() => 0.75)];
  const minted = [one.mint(KNOWN, UNIX_MS), two.mint(KNOWN, UNIX_MS)];
  expect(minted[0]).not.toBe(minted[1]);
  for (const epoch of minted) expect(epoch).toBeGreaterThan(KNOWN);
});

test('an epoch is above what the node minted before, and follows the clock where it can', () => {
  const mint = new EpochMint(() => 0);
  expect(mint.mint(0, UNIX_MS)).toBe(UNIX_MS * 1024);
  expect(mint.mint(0, UNIX_MS)).toBe(UNIX_MS * 1024 + 1);
  expect(mint.mint(KNOWN, UNIX_MS)).toBe(KNOWN + 1);
  expect(mint.mint(0, UNIX_MS + 120_000)).toBe((UNIX_MS + 120_000) * 1024);
});
