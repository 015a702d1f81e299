import { Fifo } from '../../../src/fanout/fifo.ts';
import { COST_PER_MESSAGE } from '../../../src/model/limits.ts';
import type { LaneNumber } from './measures.ts';
import { Supply } from './supply.ts';

/** Bytes are counted in fractions, because they come at a rate. */
const ROUNDING = 1e-6;

/** What a frame costs. */
export const costOf = (frameBytes: number): number => frameBytes + COST_PER_MESSAGE;

/** What a device has on one lane. */
export interface LaneSpec {
  readonly lane: LaneNumber;
  /** Payload of every frame. Units: bytes. */
  readonly frameBytes: number;
  readonly bytesPerSecond?: number;
  readonly held?: number;
}

/** One lane of a device, as the device sees it. */
export class Lane {
  readonly lane: LaneNumber;
  readonly frameBytes: number;
  readonly cost: number;
  readonly supply: Supply;
  /** Send times of what is not acked. */
  unacked = new Fifo<number>();
  sent = 0;
  limit = 0;
  acked = 0;
  blockedSinceMs = -1;

  constructor(spec: LaneSpec, nowMs: number) {
    this.lane = spec.lane;
    this.frameBytes = spec.frameBytes;
    this.cost = costOf(spec.frameBytes);
    this.supply = new Supply(spec.held ?? 0, spec.bytesPerSecond ?? 0, nowMs);
  }

  get hasCredit(): boolean {
    return this.sent + this.cost <= this.limit;
  }

  hasFrame(nowMs: number): boolean {
    return this.supply.bytes(nowMs) >= this.frameBytes - ROUNDING;
  }

  /** Units: bytes of cost. */
  backlog(nowMs: number): number {
    return Math.max(0, Math.floor(this.supply.bytes(nowMs) / this.frameBytes)) * this.cost;
  }

  /** The connection is gone: what was not acked is to be sent again. */
  lose(): void {
    this.supply.add(this.unacked.length * this.frameBytes);
    this.unacked = new Fifo();
    this.sent = 0;
    this.limit = 0;
    this.acked = 0;
    this.blockedSinceMs = -1;
  }
}
