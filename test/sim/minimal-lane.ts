import type { RingFrame } from '../../src/client/ring-frame.ts';
import { FRAME_BYTES_MAX } from '../../src/model/limits.ts';
import type { DeviceBlock } from '../../src/wire/messages.ts';

const COST = 64;
const sizeOf = ({ blocks }: RingFrame): number => blocks.length + COST;

/** One lane of a minimal device: the state that PROTOCOL App. B names, and its ring of frames. */
export class MinimalLane {
  readonly lane: number;
  next: number;
  ack = 0;
  lim = 0;
  sent = 0;
  /** The last number sent on this connection. */
  last = 0;
  qos = 1;
  mf: number;
  isGranted = false;
  /** The last `welcome` granted it, or there was none yet. */
  isOffered = true;
  frames: RingFrame[] = [];
  #lostNext = 0;

  constructor(lane: number, next: number) {
    this.lane = lane;
    this.next = next;
    this.mf = FRAME_BYTES_MAX[lane] as number;
  }

  get first(): number {
    return this.frames[0]?.n ?? this.next;
  }

  get bytes(): number {
    return this.frames.reduce((sum, frame) => sum + sizeOf(frame), 0);
  }

  get backlog(): number {
    const waiting = this.frames.filter(({ n }) => n > Math.max(this.ack, this.last));
    return waiting.reduce((sum, frame) => sum + sizeOf(frame), 0);
  }

  /** `ring_first_above(lane, max(ack, last))`. */
  get cursor(): RingFrame | undefined {
    return this.frames.find(({ n }) => n > Math.max(this.ack, this.last));
  }

  /** A new connection: nothing was sent on it, and nothing granted. */
  restart(): void {
    this.sent = 0;
    this.last = 0;
    this.lim = 0;
    this.isGranted = false;
  }

  grant(qos: number, mf: number): void {
    this.isGranted = true;
    this.qos = qos;
    this.mf = mf;
  }

  /** `ring_put(lane, next++, blocks)`. */
  form(bytes: Uint8Array, source: readonly DeviceBlock[]): void {
    this.frames.push({
      blocks: bytes,
      sets: [...new Set(source.map(({ s }) => s))],
      readings: 1,
      source,
      thinning: 1,
      lane: this.lane,
      n: this.next,
      lost: this.#lostNext,
      transmissions: 0,
      sentAtMs: Number.NaN,
    });
    this.next += 1;
    this.#lostNext = 0;
  }

  /** `ring_drop_upto(ack)`. */
  free(ack: number): readonly RingFrame[] {
    this.ack = Math.max(this.ack, ack);
    const freed = this.frames.filter(({ n }) => n <= this.ack);
    this.frames = this.frames.filter(({ n }) => n > this.ack);
    return freed;
  }

  /** `ring_drop_one(x)`. */
  drop(frame: RingFrame): void {
    const at = this.frames.indexOf(frame);
    const successor = this.frames[at + 1];
    if (successor) successor.lost += 1 + frame.lost;
    else this.#lostNext += 1 + frame.lost;
    this.frames.splice(at, 1);
  }

  /** The cursor's frame was sent; at QoS 0 it is not retained. [R6.4-1] */
  pass(frame: RingFrame, cost: number): void {
    this.sent += cost;
    this.last = frame.n;
    if (this.qos === 0) this.frames = this.frames.filter((each) => each !== frame);
  }

  /** `new_epoch()`: the frames in the ring become 1, 2, … with nothing lost. */
  renumber(): void {
    this.frames.forEach((frame, at) => {
      frame.n = at + 1;
      frame.lost = 0;
    });
    this.next = this.frames.length + 1;
    this.ack = 0;
    this.last = 0;
    this.#lostNext = 0;
  }
}
