import { type Breach, breach } from '../model/errors.ts';
import type { Device } from './device.ts';

const DAY_MS = 86_400_000;

/** Largest epoch that is not from the future. Source: [R4.1-17]. */
const epochMax = (unixMs: number): number => (unixMs + DAY_MS) * 1024;

/**
 * What is known may be ahead of our clock. Another node with a clock like ours would mint the same
 * next number then, so the next one is drawn from so many.
 */
const AHEAD = 2 ** 20;

/** Mints epochs that no other of this node equals. Source: [R4.1-16]. */
export class EpochMint {
  readonly #random: () => number;
  #minted = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** A new epoch, above `known` and above every epoch minted here before. */
  mint(known: number, unixMs: number): number {
    const byClock = Math.floor(unixMs) * 1024 + Math.floor(this.#random() * 1024);
    const least = Math.max(known, this.#minted) + 1;
    this.#minted = byClock >= least ? byClock : least + Math.floor(this.#random() * AHEAD);
    return this.#minted;
  }
}

/** Chooses the epoch of a publishing session. Source: [R4.1-10], [R4.1-11], [R4.1-17]. */
export function chooseEpoch(
  device: Device,
  asked: number | undefined,
  mint: EpochMint,
  unixMs: number,
): number | Breach {
  if (asked === undefined) return mint.mint(device.newestEpoch, unixMs);
  if (device.known > asked) return breach(4007);
  if (asked !== device.known && asked > epochMax(unixMs)) {
    return breach(4007, 'this epoch lies in the future');
  }
  return asked;
}
