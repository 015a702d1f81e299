import type { Allocator } from '../../../src/ingest/credit/allocator.ts';
import { LIST } from '../../../src/ingest/credit/lists.ts';
import type { Pipe } from '../../../src/ingest/credit/pipe.ts';
import { NONE } from '../../../src/ingest/credit/rows.ts';
import { LANE } from '../../../src/model/reading.ts';
import type { Frame, Lane } from './history.ts';

/** Two slots of the sleepers' wheel at the rate of lane 0: as late may one wake up. Units: bytes. */
const WAKE_LATE = 1024;

/** What the history knows, of which every book of the allocator must be a sum. */
export interface Truth {
  readonly lanes: ReadonlyMap<number, Lane>;
  /** Frames in the pipeline, by pipe. */
  readonly queues: readonly (readonly Frame[])[];
  isConnected(device: number, lane: number): boolean;
}

/** Longest sleep of lane 0: a largest frame at its rate. Units: seconds. */
const SLEEP_MOST_S = 0.2;

const fail = (rule: string, what: string): never => {
  throw new Error(`${rule}: ${what}`);
};

/** Recomputes from scratch what must hold after every step. Source: CREDIT §7. */
export class Auditor {
  readonly #allocator: Allocator;
  readonly #truth: Truth;
  /** The list in which each channel was found. */
  readonly #found = new Map<number, number>();

  constructor(allocator: Allocator, truth: Truth) {
    this.#allocator = allocator;
    this.#truth = truth;
  }

  /** Looks at everything. */
  audit(now: number): void {
    this.#lists();
    let over = 0;
    let exposed = 0;
    for (const lane of this.#truth.lanes.values()) {
      const { rows } = this.#allocator.books;
      const growth = rows.growth[lane.channel] as number;
      over += rows.over(lane.channel);
      exposed += Math.max(0, this.#exposed(lane)) * growth;
      this.#channel(lane, now);
    }
    this.#pipes();
    const orphans = this.#orphans();
    const { memory } = this.#allocator;
    if (Math.abs(over + orphans - memory.used) > 0.01) {
      fail('C12', `the pool says ${memory.used}, and it is ${over + orphans}`);
    }
    if (exposed + orphans > memory.budget + 0.01) {
      fail('C4', `${exposed + orphans} promised of ${memory.budget}`);
    }
  }

  #exposed({ channel }: Lane): number {
    const { rows } = this.#allocator.books;
    return (rows.limit[channel] as number) - (rows.settled[channel] as number);
  }

  #channel(lane: Lane, now: number): void {
    const { rows } = this.#allocator.books;
    const { channel } = lane;
    const credit = rows.credit(channel);
    if (credit < 0) fail('C1', `${-credit} received beyond the limit`);
    const fixed = lane.lane === LANE.critical ? 2 * (rows.one[channel] as number) : 0;
    lane.windowMost = Math.max(lane.windowMost, fixed, rows.window[channel] as number);
    const exposed = this.#exposed(lane);
    if (exposed > Math.max(lane.windowMost, lane.carry) + 1) {
      fail('C3', `${exposed} exposed, window ${lane.windowMost}, carry ${lane.carry}`);
    }
    const list = rows.list[channel] as number;
    if ((this.#found.get(channel) ?? LIST.none) !== list) fail('C12', 'a flag without a place');
    const isIdle = (rows.received[channel] as number) <= (rows.settled[channel] as number);
    if (isIdle && credit < (rows.one[channel] as number)) this.#waits(lane, list, now);
  }

  /** Nothing unsettled, and less than a largest frame of credit: it stands somewhere. */
  #waits({ channel, lane, duplicateAt }: Lane, list: number, now: number): void {
    const { rows, quotas } = this.#allocator.books;
    const isSilent = lane === LANE.backfill && rows.backlog[channel] === 0;
    if (list === LIST.none && !isSilent) fail('C5', `lane ${lane} stands nowhere`);
    // What a duplicate gives back to a channel that sleeps is seen when it wakes up.
    if (lane !== LANE.critical || now - duplicateAt < SLEEP_MOST_S) return;
    const tokens = quotas.tokens(rows.quota[channel] as number, now);
    const isLate = list === LIST.asleep && tokens > (rows.one[channel] as number) + WAKE_LATE;
    if (isLate) fail('C5', `lane 0 sleeps with ${tokens} tokens`);
  }

  #lists(): void {
    const { lists, pipes } = this.#allocator.books;
    this.#found.clear();
    for (const { ring0, ring1, ring2 } of pipes) {
      this.#walk(ring0, LIST.ring0);
      this.#walk(ring1, LIST.ring1);
      this.#walk(ring2, LIST.ring2);
    }
    for (let list = 0; list < (pipes[0] as Pipe).ring0; list += 1) this.#walk(list, LIST.asleep);
    if (this.#found.size !== lists.total) fail('C12', 'the total of the lists');
  }

  #walk(list: number, kind: number): void {
    const { lists, rows } = this.#allocator.books;
    let length = 0;
    for (let row = lists.head(list); row !== NONE; row = rows.next[row] as number) {
      if (this.#found.has(row)) fail('C12', 'a channel in two lists');
      if (rows.list[row] !== kind) fail('C12', `flag ${rows.list[row]} in a list of kind ${kind}`);
      this.#found.set(row, kind);
      length += 1;
    }
    if (length !== lists.length(list)) fail('C12', 'the length of a list');
  }

  #pipes(): void {
    for (const [index, pipe] of this.#allocator.books.pipes.entries()) {
      let queued = 0;
      for (const { lane, cost } of this.#truth.queues[index] ?? []) if (lane > 0) queued += cost;
      if (Math.abs(queued - pipe.queued) > 0.01) {
        fail('C12', `queued ${pipe.queued}, and it is ${queued}`);
      }
      const coming = pipe.arrivals.recounted;
      if (Math.abs(coming - pipe.arrivals.bytes) > 1) {
        fail('C12', `on their way ${pipe.arrivals.bytes}, and it is ${coming}`);
      }
    }
  }

  /** Memory of what connections that are gone left, and nobody adopted. */
  #orphans(): number {
    let bytes = 0;
    for (const queue of this.#truth.queues) {
      for (const { device, lane, cost, growth } of queue) {
        if (!this.#truth.isConnected(device, lane)) bytes += cost * growth;
      }
    }
    return bytes;
  }
}
