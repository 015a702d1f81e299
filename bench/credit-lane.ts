import { COST_PER_MESSAGE } from '../src/model/limits.ts';
import { type FrameTemplate, frameAt } from './frame.ts';

const FIRST_SLOTS = 64;

/** One lane of a minimal device: numbers, credit, and when each frame that waits was sent. */
export class CreditLane {
  readonly lane: number;
  readonly template: FrameTemplate;
  /** What a frame costs. Units: bytes of credit. */
  readonly cost: number;
  /** Frames formed. */
  n = 0;
  acked = 0;
  /** Of this connection. Units: bytes of cost. */
  sent = 0;
  limit = 0;
  /** Number of the last frame sent on this connection. */
  cursor = 0;
  /** Acks beyond what was sent, or limits that fell: faults of the gateway. */
  faults = 0;
  #eventUs: number;
  /** Shape: rings over the frames that are not acked, by number. */
  #sentAt = new Float64Array(FIRST_SLOTS);
  #eventAt = new Float64Array(FIRST_SLOTS);

  constructor(lane: number, template: FrameTemplate) {
    this.lane = lane;
    this.template = template;
    this.cost = template.bytes.length + COST_PER_MESSAGE;
    this.#eventUs = Date.now() * 1000;
  }

  get hasCredit(): boolean {
    return this.sent + this.cost <= this.limit;
  }

  /** Forms the next frame. `stepUs`: event time that it stands for. */
  form(nowMs: number, stepUs: number): Buffer {
    this.n += 1;
    this.#eventUs += stepUs;
    if (this.n - this.acked >= this.#sentAt.length) this.#grow();
    this.#eventAt[this.n & (this.#eventAt.length - 1)] = this.#eventUs;
    return this.#send(this.n, nowMs);
  }

  /** Sends a frame again that was not acked on an earlier connection. */
  resend(nowMs: number): Buffer {
    return this.#send(this.cursor + 1, nowMs);
  }

  /** A new connection: everything that was not acked is sent again. */
  welcome(acked: number): void {
    if (acked < this.acked || acked > this.n) this.faults += 1;
    this.acked = Math.max(this.acked, acked);
    this.cursor = this.acked;
    this.sent = 0;
    this.limit = 0;
  }

  /** Takes what a `flow` says; `onAcked` is told the latency of each frame. Units: ms. */
  flow(ack: number, limit: number, nowMs: number, onAcked: (ms: number) => void): void {
    if (ack > this.cursor || limit < this.limit) this.faults += 1;
    this.limit = Math.max(this.limit, limit);
    const mask = this.#sentAt.length - 1;
    for (let n = this.acked + 1; n <= ack; n += 1) {
      onAcked(nowMs - (this.#sentAt[n & mask] as number));
    }
    this.acked = Math.max(this.acked, ack);
  }

  #send(n: number, nowMs: number): Buffer {
    const slot = n & (this.#sentAt.length - 1);
    this.#sentAt[slot] = nowMs;
    this.sent += this.cost;
    this.cursor = n;
    return frameAt(this.template, n, this.#eventAt[slot] as number);
  }

  #grow(): void {
    this.#sentAt = regrown(this.#sentAt, this.acked, this.n);
    this.#eventAt = regrown(this.#eventAt, this.acked, this.n);
  }
}

/** A ring of twice the size with the entries of `first` to `last`. */
function regrown(ring: Float64Array<ArrayBuffer>, first: number, last: number) {
  const larger = new Float64Array(2 * ring.length);
  const [from, to] = [ring.length - 1, larger.length - 1];
  for (let n = first; n <= last; n += 1) larger[n & to] = ring[n & from] as number;
  return larger;
}
