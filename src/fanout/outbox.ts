import { invariant } from '../model/invariant.ts';
import type { MonoMs } from '../model/time.ts';
import { encode } from '../wire/encode.ts';
import type { Data, Def, ServerBlock, State } from '../wire/messages.ts';
import { Credit } from './credit.ts';
import type { FanoutPort } from './port.ts';
import type { Subscriber } from './subscriber.ts';

/**
 * A flush stops while the socket has more than this unsent. With `lim` too: a limit is the peer's
 * word, and the memory is ours. Units: bytes. Source: [R11.5-4].
 */
const UNSENT_BYTES_MAX = 256 * 1024;

/** The messages of one subscription on their way out: sizes, credit, and when the last one left. */
export class Outbox {
  readonly credit: Credit;
  /** When the last message left. Units: monotonic ms. */
  lastMessageMs: number;
  readonly #subscriber: Subscriber;
  readonly #port: FanoutPort;
  /** What the flush that is going on may still put into the socket. Units: bytes. */
  #pipeBytes = 0;

  constructor(subscriber: Subscriber, port: FanoutPort, limit: number | null, nowMs: MonoMs) {
    this.credit = new Credit(limit);
    this.#subscriber = subscriber;
    this.#port = port;
    this.lastMessageMs = nowMs;
  }

  /** The socket has more unsent than a flush may add to. */
  get isPipeFull(): boolean {
    return this.#pipeBytes < 0;
  }

  /** Payload that the next `def` or `data` may have. Units: bytes. */
  get roomBytes(): number {
    return Math.min(this.#subscriber.messageBytesMax, this.credit.roomBytes);
  }

  /** Looks at the socket. */
  beginFlush(nowMs: MonoMs): void {
    const unsent = this.#port.unsentBytes(this.#subscriber.session);
    this.#pipeBytes = UNSENT_BYTES_MAX - unsent - this.#subscriber.sentBytesAt(nowMs);
  }

  /** Sends a `state`, which costs no credit. */
  tell(state: State, nowMs: MonoMs): void {
    this.#send(encode(this.#subscriber.codec, state), nowMs);
  }

  /** Sends a `def`. */
  define(def: Def, nowMs: MonoMs): void {
    this.#spend(encode(this.#subscriber.codec, def), nowMs);
  }

  /** Sends blocks as the next `data`. */
  update(c: number, lost: number, b: readonly ServerBlock[], nowMs: MonoMs): void {
    const n = this.credit.n + 1;
    const message: Data<ServerBlock> = { k: 'data', c, n, lost: lost || undefined, b };
    this.#spend(encode(this.#subscriber.codec, message), nowMs);
    this.credit.n = n;
  }

  #spend(bytes: Uint8Array, nowMs: MonoMs): void {
    invariant(bytes.length <= this.roomBytes, 'fan-out composed a message longer than it may be');
    this.credit.spend(bytes.length);
    this.#pipeBytes -= bytes.length;
    this.#send(bytes, nowMs);
  }

  #send(bytes: Uint8Array, nowMs: MonoMs): void {
    this.lastMessageMs = nowMs;
    this.#subscriber.noteSent(bytes.length, nowMs);
    this.#port.send(this.#subscriber.session, bytes);
  }
}
