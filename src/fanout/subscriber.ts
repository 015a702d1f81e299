import type { Codec, SessionId } from '../model/machine.ts';

/** A session as its subscriptions see it. */
export class Subscriber {
  readonly session: SessionId;
  readonly codec: Codec;
  /** Largest message that it takes. Units: bytes. */
  readonly messageBytesMax: number;
  /** The last series number given on this connection; none is ever given twice. [R11.1-6] */
  #lastNumber = 0;
  /** What was sent at `#sentAtMs`: the socket may not know of it yet. Units: bytes. */
  #sentBytes = 0;
  #sentAtMs = Number.NaN;

  constructor(session: SessionId, codec: Codec, messageBytesMax: number) {
    this.session = session;
    this.codec = codec;
    this.messageBytesMax = messageBytesMax;
  }

  nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  /** What all subscriptions of the session sent at this very moment. Units: bytes. */
  sentBytesAt(nowMs: number): number {
    return nowMs === this.#sentAtMs ? this.#sentBytes : 0;
  }

  noteSent(bytes: number, nowMs: number): void {
    this.#sentBytes = this.sentBytesAt(nowMs) + bytes;
    this.#sentAtMs = nowMs;
  }
}
