import { COST_PER_MESSAGE } from '../../model/limits.ts';
import { LANE, LANES } from '../../model/reading.ts';
import { type CreditConstants, SLOT_S, slotOf, WHEEL_SLOTS } from './constants.ts';
import { LIST, type ListKind, Lists } from './lists.ts';
import type { Memory } from './memory.ts';
import { Pipe } from './pipe.ts';
import { QuotaRows } from './quota-rows.ts';
import { reserveOf } from './reserve.ts';
import { ChannelRows, NONE, UNTOLD } from './rows.ts';

/** What the allocator asks of its caller. */
export interface CreditPort {
  /** The limit of a channel advanced to this. Guarantee: never downwards, that of bulk never while stopped. */
  limit(channel: number, limit: number): void;
}

const RINGS = 3;
/** A deficit is a u32. */
const DEFICIT_MOST = 4e9;

/** All state of the allocator, and the moves of which everything it does is made. */
export class Books {
  readonly constants: CreditConstants;
  readonly rows = new ChannelRows();
  readonly quotas = new QuotaRows();
  readonly lists: Lists;
  readonly memory: Memory;
  readonly pipes: readonly Pipe[];
  readonly #port: CreditPort;
  /** The newest slot that has passed. */
  #slot = 0;
  /** Grants so far. */
  grants = 0;
  /** What they came to, by lane. Units: bytes of cost. */
  readonly grantedBytes = new Float64Array(LANES);

  constructor(constants: CreditConstants, memory: Memory, pipes: number, port: CreditPort) {
    this.constants = constants;
    this.memory = memory;
    this.lists = new Lists(this.rows, WHEEL_SLOTS + RINGS * pipes);
    this.pipes = Array.from(
      { length: pipes },
      (_, pipe) => new Pipe(constants, WHEEL_SLOTS + RINGS * pipe),
    );
    this.#port = port;
  }

  /** The pipe of a channel. */
  pipeOf(row: number): Pipe {
    return this.pipes[this.rows.pipe[row] as number] as Pipe;
  }

  /** How far the limit may advance, were there no turns. Source: CREDIT §5.3. */
  more(row: number): number {
    const { rows } = this;
    const settled = rows.settled[row] as number;
    const limit = rows.limit[row] as number;
    const one = rows.one[row] as number;
    const lane = rows.lane[row] as number;
    const backlog = rows.backlog[row] as number;
    if (lane === LANE.critical) return settled + 2 * one - limit;
    if (lane === LANE.backfill && backlog === 0) return 0;
    const window = rows.window[row] as number;
    if (!this.memory.isPressed) return settled + window - limit;
    // Whole bytes: with half a byte more than a turn can give, lane 2 would never get its turn.
    const need = Math.max(one, backlog === UNTOLD ? Math.floor(window / 2) : backlog);
    return Math.min(settled + window, (rows.received[row] as number) + need) - limit;
  }

  /** How far memory lets it advance. Source: CREDIT §5.4. */
  most(row: number): number {
    const { rows, memory } = this;
    const kept = rows.lane[row] === LANE.backfill ? 0 : this.constants.poolKeptBytes;
    const reserve = rows.reserve[row] as number;
    const own = (rows.settled[row] as number) + reserve - (rows.limit[row] as number);
    return Math.max(0, own) + Math.max(0, memory.room - kept) / (rows.growth[row] as number);
  }

  /** Sets a reserve aside for a channel that was opened without, if there is room by now. */
  reserve(row: number): boolean {
    const { rows, memory } = this;
    const bytes = reserveOf(rows.lane[row] as number, (rows.one[row] as number) - COST_PER_MESSAGE);
    const growth = rows.growth[row] as number;
    if (!memory.fits(bytes * growth)) return false;
    const over = rows.over(row);
    rows.reserve[row] = bytes;
    memory.reserved += bytes * growth;
    memory.used += rows.over(row) - over;
    return true;
  }

  /** The channel joins its ring if it stands nowhere and its limit may advance. */
  want(row: number): void {
    const { rows } = this;
    if (rows.list[row] !== LIST.none || rows.isOpen[row] === 0 || this.more(row) <= 0) return;
    const lane = rows.lane[row] as number;
    const { ring0, ring1, ring2 } = this.pipeOf(row);
    if (lane === LANE.critical) this.#join(ring0, LIST.ring0, row);
    else if (lane === LANE.backfill) this.#join(ring2, LIST.ring2, row);
    else this.#join(ring1, LIST.ring1, row);
  }

  /** The channel was taken out of its list for good; a closed one's row is free. */
  leave(row: number): void {
    this.rows.list[row] = LIST.none;
    this.rows.deficit[row] = 0;
    if (this.rows.isOpen[row] === 0) this.rows.give(row);
  }

  /** It sleeps until its quota has so many tokens. It must have been taken out of its list. */
  sleep(row: number, tokens: number): void {
    const slots = Math.floor(this.quotas.wait(this.rows.quota[row] as number, tokens) / SLOT_S);
    const list = (this.#slot + 1 + Math.min(WHEEL_SLOTS - 2, slots)) % WHEEL_SLOTS;
    this.rows.deficit[row] = 0;
    this.#join(list, LIST.asleep, row);
  }

  /** A turn's worth is added to what it may take; `times` −1 takes it back. */
  addTurn(row: number, times: 1 | -1): void {
    const { deficit, one, weight } = this.rows;
    const turn = (one[row] as number) * (weight[row] as number) * times;
    deficit[row] = Math.max(0, Math.min(DEFICIT_MOST, (deficit[row] as number) + turn));
  }

  /** What its quota lets it have. */
  tokens(row: number, now: number): number {
    const quota = this.rows.quota[row] as number;
    return quota === NONE ? Number.POSITIVE_INFINITY : this.quotas.tokens(quota, now);
  }

  /** The limit advances. Source: CREDIT §5.2. */
  grant(row: number, bytes: number): void {
    const { rows } = this;
    const over = rows.over(row);
    const limit = (rows.limit[row] as number) + bytes;
    rows.limit[row] = limit;
    this.memory.used += rows.over(row) - over;
    const quota = rows.quota[row] as number;
    if (quota !== NONE) this.quotas.charge(quota, bytes);
    const lane = rows.lane[row] as number;
    if (lane !== LANE.critical) this.#expect(row, bytes);
    this.grants += 1;
    this.grantedBytes[lane] = (this.grantedBytes[lane] as number) + bytes;
    this.#port.limit(row, limit);
  }

  /** Costs of a channel settled. */
  settle(row: number, cost: number): void {
    const { rows } = this;
    const over = rows.over(row);
    rows.settled[row] = (rows.settled[row] as number) + cost;
    this.memory.used += rows.over(row) - over;
  }

  /** Lets time pass: what should have come by now, and who should have tokens by now. */
  advance(now: number): void {
    const to = slotOf(now);
    const passed = Math.min(WHEEL_SLOTS, to - this.#slot);
    for (let slot = to - passed + 1; slot <= to; slot += 1) {
      for (const pipe of this.pipes) pipe.arrivals.pass(slot);
      this.#wake(slot % WHEEL_SLOTS);
    }
    this.#slot = Math.max(this.#slot, to);
  }

  #wake(list: number): void {
    for (let left = this.lists.length(list); left > 0; left -= 1) {
      const row = this.lists.shift(list);
      this.leave(row);
      this.want(row);
    }
  }

  /** Bulk that was granted is on its way, as far as the channel is expected to use it. */
  #expect(row: number, bytes: number): void {
    const { rows } = this;
    const pipe = this.pipeOf(row);
    const backlog = rows.backlog[row] as number;
    const isFresh = rows.received[row] === 0;
    const untold = isFresh ? bytes * this.constants.freshPart : bytes;
    const expected = backlog === UNTOLD ? untold : Math.min(bytes, backlog);
    const roundTripS = rows.roundTrip[row] as number;
    pipe.arrivals.expect(expected, this.#slot, roundTripS);
    pipe.tellRoundTrip(roundTripS, bytes);
  }

  #join(list: number, kind: ListKind, row: number): void {
    this.rows.list[row] = kind;
    this.lists.push(list, row);
  }
}
