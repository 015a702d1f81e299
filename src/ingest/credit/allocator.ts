import { LANE } from '../../model/reading.ts';
import { WHY, type Why } from '../../model/why.ts';
import { Books, type CreditPort } from './books.ts';
import { CREDIT, type CreditConstants } from './constants.ts';
import type { Append } from './drain-rate.ts';
import { LIST } from './lists.ts';
import { Memory, sessionsOf } from './memory.ts';
import type { Opening, Orphan } from './opening.ts';
import type { Pipe } from './pipe.ts';
import { oneOf, reserveOf } from './reserve.ts';
import { NONE, UNTOLD } from './rows.ts';
import { Turns } from './turns.ts';

/** Longest window: a window is a u32, and no drain needs more. Units: bytes. */
const WINDOW_MOST = 2 ** 31;

/** What a node gives its allocator. */
export interface AllocatorOptions {
  /** Memory promised at most. Units: bytes. */
  readonly budgetBytes: number;
  /** Sessions with lanes 0 and 1 for which reserves are set aside. Absent: by the budget. */
  readonly sessions?: number;
  readonly port: CreditPort;
  /** Absent: one. What is appended together is one pipe. */
  readonly pipes?: number;
  /** Absent: those of CREDIT §6. */
  readonly constants?: CreditConstants;
}

/**
 * The credit allocator: how far the limit of every channel may go. Inputs are methods, times are
 * seconds of one clock that never goes back, sizes are bytes of cost. After the inputs of a step
 * `serve` gives out what there is room for; every limit that advanced is told through the port.
 *
 * Guarantee: limits never decrease, and those of bulk do not move while their pipe is stopped (but for
 * what `dropped` gives back); Σ(limit − settled) and what connections that are gone left in the
 * pipeline are within the budget, as long as no channel is opened for which `memory.fits` says that
 * there is no room; an open channel that holds less than a largest frame and has nothing unsettled
 * stands in a list (lane 2 without a backlog excepted). O(1) per input, no allocation per frame. Source: CREDIT.
 */
export class Allocator {
  /** For those who show or check them; changed by the allocator alone. */
  readonly books: Books;
  readonly #turns: Turns;

  constructor(options: AllocatorOptions) {
    const { budgetBytes, port, pipes = 1, constants = CREDIT } = options;
    const { sessions = sessionsOf(budgetBytes) } = options;
    const memory = new Memory(budgetBytes, sessions, constants.pressedPart);
    this.books = new Books(constants, memory, pipes, port);
    this.#turns = new Turns(this.books);
  }

  /** A lane was granted: its number from now on. Its limit is 0 until the next `serve`. */
  open(opening: Opening, now: number): number {
    const { books } = this;
    const { memory, rows } = books;
    const { carry, growth = 1, carryGrowth = growth } = opening;
    const row = rows.take();
    this.#write(row, opening, now);
    memory.reserved += (rows.reserve[row] as number) * growth;
    memory.used += rows.over(row) - carry * carryGrowth;
    books.want(row);
    return row;
  }

  /** Its session ended. What is unsettled stays in the pool until `orphanSettled`. */
  close(channel: number): void {
    const { rows, memory, quotas } = this.books;
    const unsettled = (rows.received[channel] as number) - (rows.settled[channel] as number);
    const growth = rows.growth[channel] as number;
    memory.reserved -= (rows.reserve[channel] as number) * growth;
    memory.used += unsettled * growth - rows.over(channel);
    rows.isOpen[channel] = 0;
    const quota = rows.quota[channel] as number;
    if (quota !== NONE) {
      // What it was granted and did not use can no longer be used.
      quotas.charge(quota, -rows.credit(channel));
      if (rows.lane[channel] === LANE.critical) quotas.close(quota);
    }
    if (rows.list[channel] === LIST.none) rows.give(channel);
  }

  /**
   * A `data` message of this cost was read, duplicate or not, within the channel's limit.
   * `backlog` is its `bl`; below 0: it told none.
   */
  frame(channel: number, cost: number, backlog: number, now: number): void {
    const { books } = this;
    const { rows } = books;
    rows.received[channel] = (rows.received[channel] as number) + cost;
    if (rows.lane[channel] !== LANE.critical) {
      const pipe = books.pipeOf(channel);
      if (pipe.queued <= 0) pipe.drain.began(now);
      pipe.queued += cost;
      rows.backlog[channel] = backlog < 0 ? UNTOLD : Math.min(backlog, UNTOLD - 1);
      this.#round(channel, pipe, now);
    }
    books.want(channel);
  }

  /** A frame settled whose connection is open. */
  settled(channel: number, cost: number): void {
    const { books } = this;
    if (books.rows.lane[channel] !== LANE.critical) books.pipeOf(channel).queued -= cost;
    books.settle(channel, cost);
    books.want(channel);
  }

  /** A duplicate settled, which counts toward no quota. Source: [R6.2-7]. */
  duplicate(channel: number, cost: number): void {
    const quota = this.books.rows.quota[channel] as number;
    if (quota !== NONE) this.books.quotas.charge(quota, -cost);
    this.settled(channel, cost);
  }

  /**
   * A frame of a lane at QoS 0 went nowhere, for the log takes nothing. What it used comes back at
   * once: it promises nothing that was not promised before.
   */
  dropped(channel: number, cost: number): void {
    this.settled(channel, cost);
    if (this.books.pipeOf(channel).stopped !== WHY.none) this.books.grant(channel, cost);
  }

  /** A frame settled whose connection is gone. `successor`: the device's channel now, or NONE. */
  orphanSettled({ pipe, lane, growth }: Orphan, successor: number, cost: number): void {
    const { books } = this;
    if (lane !== LANE.critical) (books.pipes[pipe] as Pipe).queued -= cost;
    if (successor === NONE) {
      books.memory.used -= cost * growth;
      return;
    }
    books.settle(successor, cost);
    books.want(successor);
  }

  /**
   * Of a device whose connection is gone, so much is unsettled on a lane that has no successor, and
   * a byte of it is taken for another size from now on.
   */
  regrow(unsettled: number, from: number, to: number): void {
    this.books.memory.used += unsettled * (to - from);
  }

  /** An append came back, after its frames' `settled`. */
  appended(pipe: number, append: Append, now: number): void {
    const { drain, queued } = this.books.pipes[pipe] as Pipe;
    drain.appended(append, queued, now);
  }

  /** Largest append of bulk just now. Units: bytes of cost. */
  batchAtMost(pipe: number, now: number): number {
    const { drain, queued } = this.books.pipes[pipe] as Pipe;
    return drain.batchAtMost(queued, now);
  }

  /** The sender told what it has waiting, by `ping`. */
  backlog(channel: number, bytes: number): void {
    const { rows } = this.books;
    if (rows.lane[channel] === LANE.critical) return;
    rows.backlog[channel] = Math.min(bytes, UNTOLD - 1);
    this.books.want(channel);
  }

  /** A Pong came so long after its Ping. Source: CREDIT §5.5. */
  pong(channel: number, seconds: number): void {
    const { rows, constants } = this.books;
    const known = rows.roundTrip[channel] as number;
    const sample = Math.min(seconds, constants.longestRoundTripS);
    const isTaken = sample < known || rows.isHeard[channel] === 0;
    rows.roundTrip[channel] = isTaken ? sample : (known + sample) / 2;
    rows.isHeard[channel] = 1;
  }

  /** No limit of bulk moves until `start`. */
  stop(pipe: number, why: Exclude<Why, 0>): void {
    (this.books.pipes[pipe] as Pipe).stopped = why;
  }

  /** Limits move again. */
  start(pipe: number): void {
    (this.books.pipes[pipe] as Pipe).stopped = WHY.none;
  }

  /** The event loop is late by so much. */
  late(pipe: number, seconds: number): void {
    (this.books.pipes[pipe] as Pipe).lagS = seconds;
  }

  /** A quota for `Opening.quota`; with fewer tokens at first, if need be. Least burst: two frames. */
  openQuota(rate: number, burst: number, now: number, tokens = burst): number {
    return this.books.quotas.open(rate, burst, tokens, now);
  }

  /** Another rate and burst, from the next grant on. */
  quota(quota: number, rate: number, burst: number, now: number): void {
    this.books.quotas.change(quota, rate, burst, now);
  }

  /** The channels of a quota are closed: what was left in it. */
  closeQuota(quota: number, now: number): number {
    const left = this.books.quotas.tokens(quota, now);
    this.books.quotas.close(quota);
    return left;
  }

  /** Time passes, and what there is room for is granted: at the end of every step. */
  serve(now: number): void {
    this.books.advance(now);
    for (const pipe of this.books.pipes) this.#turns.serve(pipe, now);
  }

  /** A channel stands in a list: `serve` is wanted within 100 ms. */
  get isWaiting(): boolean {
    return this.books.lists.total > 0;
  }

  /** What is promised of the budget. */
  get memory(): Memory {
    return this.books.memory;
  }

  /** The greatest limit so far. */
  limit(channel: number): number {
    return this.books.rows.limit[channel] as number;
  }

  /** Why this channel waits; 0: it does not. Source: CREDIT §5.8, [R3.4-4]. */
  why(channel: number): Why {
    const { rows, memory } = this.books;
    const list = rows.list[channel] as number;
    const one = rows.one[channel] as number;
    const isIdle = (rows.received[channel] as number) <= (rows.settled[channel] as number);
    if (list === LIST.none || !isIdle || rows.credit(channel) >= one) return WHY.none;
    if (this.#isUnasked(channel)) return WHY.none;
    if (rows.lane[channel] === LANE.critical) return WHY.quota;
    const { stopped } = this.books.pipeOf(channel);
    if (stopped !== WHY.none) return stopped;
    if (list === LIST.asleep) return WHY.quota;
    if (rows.reserve[channel] !== 0) return WHY.logSlow;
    return memory.room < one * (rows.growth[channel] as number) ? WHY.memory : WHY.logSlow;
  }

  /** Lane 2 does not count as waiting before its first grant. Source: [R7-12]. */
  #isUnasked(channel: number): boolean {
    const { rows } = this.books;
    return rows.lane[channel] === LANE.backfill && rows.limit[channel] === 0;
  }

  /** At the end of a round the window becomes twice what was used in it. Source: CREDIT §5.3. */
  #round(row: number, { drain, inPlayMost }: Pipe, now: number): void {
    const { rows, memory, constants } = this.books;
    const lasts = now - (rows.roundAt[row] as number);
    const round = (rows.roundTrip[row] as number) + drain.targetS;
    if (lasts < round) return;
    const received = rows.received[row] as number;
    const used = received - (rows.roundFrom[row] as number);
    const one = rows.one[row] as number;
    const wanted = (constants.gain * used * round) / lasts;
    const least = memory.isPressed ? one : 2 * one;
    rows.window[row] = Math.max(least, Math.min(inPlayMost, wanted, WINDOW_MOST));
    rows.roundAt[row] = now;
    rows.roundFrom[row] = received;
  }

  #write(row: number, opening: Opening, now: number): void {
    const { rows, memory, constants, quotas } = this.books;
    const { lane, mf, carry, growth = 1, pipe = 0, quota = NONE, weight = 1 } = opening;
    const one = oneOf(mf);
    rows.received[row] = 0;
    rows.settled[row] = -carry;
    rows.limit[row] = 0;
    rows.roundAt[row] = now;
    rows.roundFrom[row] = 0;
    rows.window[row] = memory.isPressed ? one : 2 * one;
    rows.backlog[row] = lane === LANE.backfill ? 0 : UNTOLD;
    rows.deficit[row] = 0;
    rows.one[row] = one;
    rows.reserve[row] = opening.hasReserve === false ? 0 : reserveOf(lane, mf);
    rows.growth[row] = growth;
    const { criticalPerSecond } = constants;
    const isCritical = lane === LANE.critical;
    rows.quota[row] = isCritical ? quotas.open(criticalPerSecond, 2 * one, 2 * one, now) : quota;
    rows.roundTrip[row] = constants.firstRoundTripS;
    rows.weight[row] = weight;
    rows.lane[row] = lane;
    rows.pipe[row] = pipe;
    rows.isOpen[row] = 1;
    rows.isHeard[row] = 0;
    rows.list[row] = LIST.none;
  }
}
