import { COST_PER_MESSAGE } from '../model/limits.ts';
import type { Codec } from '../model/machine.ts';
import { LANE } from '../model/reading.ts';
import { encode, encodeData } from '../wire/encode.ts';
import type { DeviceEffect } from './device-io.ts';
import type { LaneQueue } from './lane-queue.ts';
import type { Ring } from './ring.ts';
import type { RingFrame } from './ring-frame.ts';
import type { SetBook } from './set-book.ts';

/** What a head may take at most, `bl` with it: 16 digits each for n and lost. Units: bytes. */
export const HEAD_BYTES_MAX: Readonly<Record<Codec, number>> = { cbor: 32, json: 96 };
/** The shortest head (CBOR): a frame without credit for it is not put together. Units: bytes. */
const HEAD_BYTES_LEAST = 8;
/** Bulk in the socket's buffer, in largest frames, behind which an alarm would wait. [R7-20] */
const UNFLUSHED_FRAMES_MAX = 2;

/** Why the pump stopped; neither: everything formed is on its way. */
export interface Pumped {
  /** A frame of lane 0 or 1 waits for credit. */
  readonly isBlocked: boolean;
  /** A frame of lane 2 does, which is how that lane begins. */
  readonly isBackfillBlocked: boolean;
  /** A bulk frame waits for the socket's buffer to empty. */
  readonly isThrottled: boolean;
}

/** What a round of sending needs to know. */
export interface Round {
  readonly epoch: number;
  readonly nowMs: number;
  /** What the socket has not handed to the network yet. */
  readonly unflushedBytes: number;
}

/**
 * Sends what credit allows: the lowest-numbered lane first, `def` before the first frame that uses
 * a set, the head written in front of the encoded blocks.
 * Guarantee: on every lane sent ≤ lim at all times. Source: PROTOCOL §7, App. B.
 */
export class Pump {
  readonly #codec: Codec;
  readonly #ring: Ring;
  readonly #sets: SetBook;
  /** Sets that this connection knows. */
  readonly #defined = new Set<number>();

  constructor(codec: Codec, ring: Ring, sets: SetBook) {
    this.#codec = codec;
    this.#ring = ring;
    this.#sets = sets;
  }

  /** Sends until nothing is left or something is in the way. */
  run(effects: DeviceEffect[], round: Round): Pumped {
    const blocked = [false, false];
    let unflushed = round.unflushedBytes;
    for (const queue of this.#ring.lanes) {
      for (let frame = queue.cursor; frame && queue.isGranted; frame = queue.cursor) {
        if (queue.lane > 0 && unflushed >= UNFLUSHED_FRAMES_MAX * queue.mf) {
          return pumped(blocked, true);
        }
        const bytes = this.#payload(queue, frame);
        if (!bytes) {
          blocked[queue.lane === LANE.backfill ? 1 : 0] = true;
          break;
        }
        this.#define(effects, frame);
        unflushed += bytes.length;
        send(effects, queue, bytes, round);
      }
    }
    return pumped(blocked, false);
  }

  /** The length of a frame's `data` message without `bl`. Units: bytes. */
  lengthOf(frame: RingFrame): number {
    return encodeData(this.#codec, { c: frame.lane, n: frame.n, lost: frame.lost }, frame.blocks)
      .length;
  }

  /** The cursor's frame as a message, or null without credit for it. */
  #payload(queue: LaneQueue, frame: RingFrame): Uint8Array | null {
    const room = queue.lim - queue.sent - COST_PER_MESSAGE;
    if (frame.blocks.length + HEAD_BYTES_LEAST > room) return null;
    const head = { c: frame.lane, n: frame.n, lost: frame.lost, bl: backlogAfter(queue, frame) };
    let bytes = encodeData(this.#codec, head, frame.blocks);
    if (head.bl !== undefined && bytes.length > Math.min(room, queue.mf)) {
      bytes = encodeData(this.#codec, { ...head, bl: undefined }, frame.blocks);
      return bytes.length > room ? null : bytes;
    }
    if (bytes.length > room) return null;
    queue.backlogTold = head.bl ?? queue.backlogTold;
    return bytes;
  }

  #define(effects: DeviceEffect[], frame: RingFrame): void {
    for (const s of frame.sets) {
      const set = this.#sets.get(s);
      if (!set || this.#defined.has(s)) continue;
      this.#defined.add(s);
      const def = { k: 'def', c: set.lane, s, cols: set.cols, of: set.of } as const;
      effects.push({ kind: 'send', bytes: encode(this.#codec, def) });
    }
  }
}

const pumped = ([isBlocked, isBackfillBlocked]: boolean[], isThrottled: boolean): Pumped => ({
  isBlocked: isBlocked === true,
  isBackfillBlocked: isBackfillBlocked === true,
  isThrottled,
});

/** `bl`: the backlog left behind if there is one, and 0 once where there was one. */
function backlogAfter(queue: LaneQueue, frame: RingFrame): number | undefined {
  const left = queue.backlogWithout(frame);
  return left > 0 || queue.backlogTold > 0 ? left : undefined;
}

function send(effects: DeviceEffect[], queue: LaneQueue, bytes: Uint8Array, round: Round): void {
  const frame = queue.cursor as RingFrame;
  const isFirst = !queue.isResend;
  if (frame.transmissions === 0) frame.sentAtMs = round.nowMs;
  frame.transmissions += 1;
  queue.pass(bytes.length + COST_PER_MESSAGE);
  effects.push({ kind: 'sendFrame', bytes, frame, epoch: round.epoch, isFirst });
}
