import { COST_PER_MESSAGE } from '../model/limits.ts';
import { NONE } from './credit/rows.ts';

/** What a lane is granted with at `welcome`. */
export interface Grant {
  readonly lane: number;
  readonly qos: number;
  readonly mf: number;
  readonly adm: number;
  readonly baseAck: number;
  /** Cost that earlier connections left in the pipeline. */
  readonly carry: number;
}

/**
 * One lane on one connection: its sequence, and its credit as cumulative costs from 0 at `welcome`.
 * How far the limit goes is decided by `Credit`. Source: PROTOCOL §7.
 */
export class Channel {
  readonly lane: number;
  readonly qos: number;
  /** Largest `data` payload. Units: bytes. */
  readonly mf: number;
  /** Highest number admitted, as this connection has to see it. [R4.1-13] */
  adm: number;
  /** What `ack` was at `welcome`, where the node had no state. [R4.1-18] */
  readonly baseAck: number;
  received = 0;
  /** Starts below 0 by what earlier connections left in the pipeline. [R7-8] */
  settled: number;
  limit = 0;
  /** A flow should tell this lane's numbers. */
  isChanged = false;
  /** Numbers never declared, on a lane at QoS 0. [R6.2-5] */
  gaps = 0;
  /** Frames of a lane at QoS 0 that went nowhere. [R6.4-1] */
  dropped = 0;
  /** The limit as the sender was told it. */
  #told = 0;
  /** When the sender was told that it may send a largest frame. Units: monotonic ms. */
  #openSinceMs = Number.POSITIVE_INFINITY;
  /** Its number in the allocator. */
  row = NONE;
  /** The sender's own word on what it has waiting. Units: bytes of cost. */
  backlog = 0;

  constructor(grant: Grant) {
    this.lane = grant.lane;
    this.qos = grant.qos;
    this.mf = grant.mf;
    this.adm = grant.adm;
    this.baseAck = grant.baseAck;
    this.settled = -grant.carry;
  }

  /** A frame of this cost is finished. */
  settle(cost: number): void {
    this.settled += cost;
    this.isChanged = true;
  }

  /** The limit goes out to the sender. */
  tell(nowMs: number): void {
    if (!this.#isOpen) this.#openSinceMs = nowMs;
    this.#told = this.limit;
  }

  /** For how long the sender has known that it may send a largest frame; 0 if it may not. Units: ms. */
  openMs(nowMs: number): number {
    return this.#isOpen ? nowMs - this.#openSinceMs : 0;
  }

  get #isOpen(): boolean {
    return this.#told - this.received >= this.mf + COST_PER_MESSAGE;
  }
}
