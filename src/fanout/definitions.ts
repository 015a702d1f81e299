import type { Codec } from '../model/machine.ts';
import type { Def, SeriesEntry } from '../wire/messages.ts';
import { BYTE_BOUNDS } from './byte-bounds.ts';
import { Fifo } from './fifo.ts';
import type { Member } from './member.ts';

/**
 * Series numbers that the peer has yet to learn or to forget. Source: [R11.2-14].
 * Bounds: the members of one subscription, and those that left it since the last flush.
 */
export class Definitions {
  readonly #c: number;
  readonly #codec: Codec;
  readonly #new = new Fifo<Member>();
  readonly #gone = new Fifo<number>();

  constructor(c: number, codec: Codec) {
    this.#c = c;
    this.#codec = codec;
  }

  get isPending(): boolean {
    this.#skipRemoved();
    return this.#new.length > 0 || this.#gone.length > 0;
  }

  add(member: Member): void {
    this.#new.push(member);
  }

  /** A number that the peer may forget; one that it was never told is just dropped. */
  remove(member: Member): void {
    if (member.isDefined) this.#gone.push(member.number);
  }

  /** The next `def` of at most `roomBytes`, or null if not even one entry fits. */
  take(roomBytes: number): Def | null {
    if (this.#gone.length > 0) return this.#takeGone(roomBytes);
    return this.#takeNew(roomBytes);
  }

  #takeGone(roomBytes: number): Def | null {
    const bounds = BYTE_BOUNDS[this.#codec];
    let bytes = bounds.defHead;
    const gone: number[] = [];
    for (let number = this.#gone.peek(); number !== undefined; number = this.#gone.peek()) {
      bytes += bounds.seriesNumber(number);
      if (bytes > roomBytes) break;
      gone.push(number);
      this.#gone.shift();
    }
    return gone.length > 0 ? { k: 'def', c: this.#c, gone } : null;
  }

  #takeNew(roomBytes: number): Def | null {
    const bounds = BYTE_BOUNDS[this.#codec];
    let bytes = bounds.defHead;
    const ser: SeriesEntry[] = [];
    for (let member = this.#new.peek(); member !== undefined; member = this.#new.peek()) {
      const { topic, unit } = member.series;
      bytes += bounds.series(member.number, topic, unit);
      if (bytes > roomBytes) break;
      ser.push(unit === '' ? [member.number, topic] : [member.number, topic, unit]);
      member.isDefined = true;
      this.#new.shift();
      this.#skipRemoved();
    }
    return ser.length > 0 ? { k: 'def', c: this.#c, ser } : null;
  }

  #skipRemoved(): void {
    while (this.#new.peek()?.place === 'removed') this.#new.shift();
  }
}
