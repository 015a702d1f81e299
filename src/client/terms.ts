import type { DeviceEffect } from './device-io.ts';

/** A larger `dur` of a later revision is at least worth this. Source: [R3.3-6]. */
const DUR_MAX = 2;

/** What `welcome` and `flow` may say of a session. */
interface Said {
  readonly dur?: number | undefined;
  readonly why?: number | undefined;
  readonly ln?: number | undefined;
}

/** How a session is, by the last word of the server. Source: PROTOCOL §3.4. */
export class Terms {
  /** What an ack is worth. */
  dur = 0;
  /** Why limits are not advancing. */
  #why = 0;
  /** The batching interval that the server suggests for bulk lanes. Units: ms. [R5.3-1] */
  #lingerMs: number | undefined;

  /** A session begins. */
  begin({ dur = 0, why = 0, ln }: Said): void {
    this.dur = Math.min(dur, DUR_MAX);
    this.#why = why;
    this.#lingerMs = ln;
  }

  /** A flow came; true if it changed something. */
  update({ dur = this.dur, why = this.#why, ln = this.#lingerMs }: Said): boolean {
    const isSame =
      Math.min(dur, DUR_MAX) === this.dur && why === this.#why && ln === this.#lingerMs;
    this.begin({ dur, why, ln });
    return !isSame;
  }

  /** Something else than durability, which `welcomed` tells too, is worth telling. */
  get isUnusual(): boolean {
    return this.#why !== 0 || this.#lingerMs !== undefined;
  }

  /** All of it, to be told. */
  get effect(): DeviceEffect {
    return { kind: 'terms', dur: this.dur, why: this.#why, lingerMs: this.#lingerMs };
  }
}
