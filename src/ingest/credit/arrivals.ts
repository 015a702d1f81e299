import { SLOT_S, WHEEL_SLOTS } from './constants.ts';

/** Bytes on their way: granted, and expected within a round trip. Then they have come, or are
 * forgotten, so that devices that vanish starve nobody. Source: CREDIT §5.2. */
export class Arrivals {
  readonly #slots = new Float64Array(WHEEL_SLOTS);
  /** What is on its way in all. */
  bytes = 0;

  /** Expects bytes a round trip from now. */
  expect(bytes: number, slot: number, roundTripS: number): void {
    const ahead = Math.min(WHEEL_SLOTS - 1, 1 + Math.floor(roundTripS / SLOT_S));
    const at = (slot + ahead) % WHEEL_SLOTS;
    this.#slots[at] = (this.#slots[at] as number) + bytes;
    this.bytes += bytes;
  }

  /** This slot has passed. */
  pass(slot: number): void {
    const at = slot % WHEEL_SLOTS;
    this.bytes = Math.max(0, this.bytes - (this.#slots[at] as number));
    this.#slots[at] = 0;
  }

  /** The sum of the slots, for whoever checks the books. */
  get recounted(): number {
    return this.#slots.reduce((sum, bytes) => sum + bytes, 0);
  }
}
