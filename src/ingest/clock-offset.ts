import { CLOCK_OFFSET_MS } from '../model/limits.ts';
import type { Now } from '../model/time.ts';

interface Told {
  readonly offsetUs: number;
  readonly atMs: number;
}

/**
 * Server clock − device clock: the smallest `arrival − now` over the messages of the last 10 min, or
 * the last one told. Kept are only those that no later one has undercut: the first is the smallest.
 *
 * Units: µs; 0 = unknown. Bounds: pings come once a second at most, so some 600; with a steady
 * clock a few. Source: [R4.3-2].
 */
export class ClockOffset {
  readonly #told: Told[] = [];

  /** Takes the sender's clock of a message that arrives now. */
  tell(senderUs: number, now: Now): void {
    const told = this.#told;
    const offsetUs = now.wallUs - senderUs;
    while (told.length > 0 && (told.at(-1) as Told).offsetUs >= offsetUs) told.pop();
    told.push({ offsetUs, atMs: now.monoMs });
    this.#forget(now);
  }

  /** The offset as records carry it. */
  us(now: Now): number {
    this.#forget(now);
    return this.#told[0]?.offsetUs ?? 0;
  }

  #forget(now: Now): void {
    const told = this.#told;
    while (told.length > 1 && now.monoMs - (told[0] as Told).atMs > CLOCK_OFFSET_MS) told.shift();
  }
}
