import { FRAME_BYTES_MAX } from '../model/limits.ts';
import { type FrameContent, type RingFrame, ringBytesOf } from './ring-frame.ts';
import type { FrameImage, LaneImage } from './ring-image.ts';
import { imageOfFrame } from './ring-op.ts';

/** Dead places at the front of the list before it is moved together. */
const COMPACT_AT = 64;

/**
 * The frames of one lane between forming and ack, their numbers, and the lane's credit on the
 * present connection.
 *
 * Shape: frames in order of n; those sent on this connection stand first, then those sent on an
 * earlier one only, then those never sent.
 * Guarantee: every number below `next` is acked, retained, or counted in the `lost` of the next
 * frame to be sent. Source: PROTOCOL §4.2, §6.1, §7, App. B.
 */
export class LaneQueue {
  readonly lane: number;
  /** The number of the next frame formed. */
  next = 1;
  ack = 0;
  isGranted = false;
  /** The last `welcome` granted it, or there was none yet. */
  isOffered = true;
  /** Largest `data` payload. Units: bytes. */
  mf: number;
  /** Cumulative costs since `welcome`: what was sent, and what may be. */
  sent = 0;
  lim = 0;
  /** Cost of the frames not sent on this connection. Units: bytes of cost, near enough. */
  backlog = 0;
  /** The backlog the server was told last. */
  backlogTold = 0;
  /** What all retained frames count against the bound of the ring. Units: bytes. */
  bytes = 0;
  #frames: (RingFrame | undefined)[] = [];
  #head = 0;
  /** How many frames from the front were sent on this connection. */
  #sentHere = 0;
  /** How many frames from the front were sent under their present number, on any connection. */
  #sentEver = 0;
  /** Holes after the newest frame: the next one formed declares them. */
  #lostNext = 0;

  constructor(lane: number) {
    this.lane = lane;
    this.mf = FRAME_BYTES_MAX[lane] as number;
  }

  get count(): number {
    return this.#frames.length - this.#head;
  }

  /** Frames sent on this connection and not acked yet. */
  get inFlight(): number {
    return this.#sentHere;
  }

  /** Frames never sent under their present number. */
  get unsent(): number {
    return this.count - this.#sentEver;
  }

  /**
   * The `first` of `hello`: the numbers that are lost before what is retained count as retained. A
   * server that never heard of the lane would take them for safe, and no record would tell of them.
   * Source: [R4.1-3], [R4.1-18].
   */
  get first(): number {
    const frame = this.#frames[this.#head];
    const first = frame ? frame.n - frame.lost : this.next - this.#lostNext;
    return Math.max(first, this.ack + 1);
  }

  /** The send cursor: the first retained frame not sent on this connection. Source: [R4.2-3]. */
  get cursor(): RingFrame | undefined {
    return this.#frames[this.#head + this.#sentHere];
  }

  /** True if the cursor's frame has been sent before, on an earlier connection. */
  get isResend(): boolean {
    return this.#sentHere < this.#sentEver;
  }

  /** The backlog once this frame, which waits, is sent. Units: bytes of cost. */
  backlogWithout(frame: RingFrame): number {
    return this.backlog - ringBytesOf(frame);
  }

  /** Forms the next frame. */
  form(content: FrameContent): RingFrame {
    const frame: RingFrame = {
      ...content,
      lane: this.lane,
      n: this.next,
      lost: this.#lostNext,
      transmissions: 0,
      sentAtMs: Number.NaN,
    };
    this.next += 1;
    this.#lostNext = 0;
    this.#frames.push(frame);
    this.#count(frame, 1);
    this.backlog += ringBytesOf(frame);
    return frame;
  }

  /** The cursor's frame was sent with this cost. */
  pass(cost: number): void {
    const frame = this.cursor as RingFrame;
    this.sent += cost;
    this.backlog -= ringBytesOf(frame);
    this.#sentHere += 1;
    this.#sentEver = Math.max(this.#sentEver, this.#sentHere);
  }

  /** The lane was granted on a new connection: nothing was sent on it yet. */
  restart(mf: number): void {
    this.disconnect();
    this.isGranted = true;
    this.mf = mf;
  }

  /** The connection is over: no credit, and everything retained waits again. */
  disconnect(): void {
    this.isGranted = false;
    this.sent = 0;
    this.lim = 0;
    this.backlogTold = 0;
    this.backlog = this.bytes;
    this.#sentHere = 0;
  }

  /** Frees the frames up to and including `ack` and returns them. */
  free(ack: number): readonly RingFrame[] {
    if (ack <= this.ack) return [];
    this.ack = ack;
    const freed: RingFrame[] = [];
    for (;;) {
      const frame = this.#frames[this.#head];
      if (!frame || frame.n > ack) break;
      freed.push(frame);
      this.#removeAt(0);
    }
    return freed;
  }

  /** Drops frame n and declares it lost; undefined if it is not retained. Source: [R6.1-3]. */
  drop(n: number): RingFrame | undefined {
    const index = this.#indexOf(n);
    if (index < 0) return undefined;
    const frame = this.#removeAt(index);
    const successor = this.#frames[this.#head + index];
    if (successor) successor.lost += 1 + frame.lost;
    else this.#lostNext += 1 + frame.lost;
    return frame;
  }

  /** Drops the oldest frame that was never sent and declares it lost. */
  dropOldestUnsent(): RingFrame | undefined {
    const frame = this.#frames[this.#head + this.#sentEver];
    return frame && this.drop(frame.n);
  }

  /** The frames that were never sent, under whatever number: they may be moved or thinned. [R5.3-7] */
  get fresh(): readonly RingFrame[] {
    let at = this.#head + this.#sentEver;
    while ((this.#frames[at]?.transmissions ?? 0) > 0) at += 1;
    return this.#frames.slice(at) as RingFrame[];
  }

  /** Gives a frame that was never sent another content. */
  replace(frame: RingFrame, content: Omit<FrameContent, 'sets'>): void {
    const grown = ringBytesOf(content) - ringBytesOf(frame);
    Object.assign(frame, content);
    this.bytes += grown;
    this.backlog += grown;
  }

  /** Takes out a frame that the server refused: its number counts as used. Source: [R6.5-4]. */
  reject(n: number): RingFrame | undefined {
    const index = this.#indexOf(n);
    return index < 0 ? undefined : this.#removeAt(index);
  }

  /** A new epoch: the retained frames become 1, 2, … with nothing lost. Source: [R4.2-6]. */
  renumber(): void {
    let n = 0;
    for (const frame of this.all()) {
      n += 1;
      frame.n = n;
      frame.lost = 0;
    }
    this.next = n + 1;
    this.ack = 0;
    this.#lostNext = 0;
    this.#sentEver = 0;
    this.disconnect();
  }

  /** The lane as it outlives its process. */
  get image(): LaneImage {
    const { lane, next, ack } = this;
    return { lane, next, ack, lostNext: this.#lostNext, frames: this.all().map(imageOfFrame) };
  }

  /** The lane is what this image says. */
  restore(image: LaneImage): void {
    for (const frame of image.frames) this.restoreFrame(frame);
    this.restoreNumbers(image);
  }

  /** A frame with the number that it had. */
  restoreFrame({ n, lost, wasSent, ...content }: FrameImage): void {
    this.next = n;
    // A journal may count a hole twice; more than there are numbers breaks the protocol. [R6.1-4]
    this.#lostNext = Math.min(lost, n - 1);
    const frame = this.form({ ...content, source: null });
    if (wasSent) this.restoreSent(frame.n);
  }

  restoreNumbers({ next, ack, lostNext }: Omit<LaneImage, 'frames'>): void {
    this.next = next;
    this.ack = ack;
    this.#lostNext = lostNext;
  }

  restoreContent({ n, blocks, readings, thinning }: FrameImage): void {
    const frame = this.#frames[this.#head + this.#indexOf(n)];
    if (frame?.n === n) this.replace(frame, { blocks, readings, thinning, source: null });
  }

  /** What stands up to n may have been sent by an earlier process. */
  restoreSent(n: number): void {
    this.#sentEver = Math.max(this.#sentEver, this.#indexOf(n) + 1);
    for (let i = 0; i < this.#sentEver; i += 1) {
      const frame = this.#frames[this.#head + i] as RingFrame;
      frame.transmissions = Math.max(1, frame.transmissions);
    }
  }

  /** The retained frames, oldest first, as a list of its own. */
  all(): readonly RingFrame[] {
    return this.#frames.slice(this.#head) as RingFrame[];
  }

  #indexOf(n: number): number {
    const list = this.#frames;
    let low = this.#head;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((list[middle] as RingFrame).n < n) low = middle + 1;
      else high = middle;
    }
    return list[low]?.n === n ? low - this.#head : -1;
  }

  #removeAt(index: number): RingFrame {
    const frame = this.#frames[this.#head + index] as RingFrame;
    if (index > 0) this.#frames.splice(this.#head + index, 1);
    else {
      // The place is emptied at once: thousands of lanes would keep megabytes of freed frames.
      this.#frames[this.#head] = undefined;
      this.#head += 1;
    }
    if (index >= this.#sentHere) this.backlog -= ringBytesOf(frame);
    if (index < this.#sentHere) this.#sentHere -= 1;
    if (index < this.#sentEver) this.#sentEver -= 1;
    this.#count(frame, -1);
    if (this.#head >= COMPACT_AT && this.#head * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    return frame;
  }

  #count(frame: RingFrame, sign: 1 | -1): void {
    this.bytes += sign * ringBytesOf(frame);
  }
}
