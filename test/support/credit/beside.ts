import { Allocator } from '../../../src/ingest/credit/allocator.ts';
import { seeded } from '../random.ts';

const DEVICES = 12;
const BUDGET = 2e6;

/** A node with lane 0 of every device, and bulk beside it that may be used or not. */
class Node {
  readonly allocator = new Allocator({
    budgetBytes: BUDGET,
    port: { limit: () => {} },
  });
  readonly critical: number[] = [];
  readonly bulk: number[] = [];
  readonly #queue: [channel: number, cost: number][] = [];

  constructor() {
    for (let device = 0; device < DEVICES; device += 1) {
      this.critical.push(this.allocator.open({ lane: 0, mf: 1984, carry: 0 }, 0));
      for (const lane of [1, 2]) {
        this.bulk.push(this.allocator.open({ lane, mf: 8192, carry: 0 }, 0));
      }
      this.allocator.serve(0);
    }
  }

  /** Bulk does what it likes. */
  disturb(random: () => number, now: number): void {
    const { allocator } = this;
    for (let left = 8; left > 0; left -= 1) {
      const channel = this.bulk[Math.floor(random() * this.bulk.length)] as number;
      const cost = 64 + Math.floor(random() * 8192);
      if (random() < 0.2) allocator.backlog(channel, Math.floor(random() * 1e6));
      else if (allocator.books.rows.credit(channel) >= cost) {
        allocator.frame(channel, cost, 1e6, now);
        this.#queue.push([channel, cost]);
      }
    }
    let bytes = 0;
    for (const [channel, cost] of this.#queue.splice(0, Math.floor(random() * 8))) {
      allocator.settled(channel, cost);
      bytes += cost;
    }
    if (bytes > 0) allocator.appended(0, { isLane0: false, bytes, tookS: 0.01 }, now);
  }
}

/**
 * C6: the same lane 0 with and without bulk beside it has equal limits after every step.
 * Rejects: throws where they differ.
 */
export function besideBulk(seed: number, steps: number): void {
  const random = seeded(seed * 7 + 1);
  const randomOfBulk = seeded(seed * 13 + 5);
  const [alone, beside] = [new Node(), new Node()];
  const nodes = [alone, beside];
  const sent: [device: number, cost: number][] = [];
  let now = 0;
  for (let step = 0; step < steps; step += 1) {
    now += random() * 0.05;
    const device = Math.floor(random() * DEVICES);
    const cost = 64 + Math.floor(random() * 1000);
    const settling = Math.floor(random() * 4);
    const { rows } = alone.allocator.books;
    const isSent = rows.credit(alone.critical[device] as number) >= cost;
    if (isSent) sent.push([device, cost]);
    beside.disturb(randomOfBulk, now);
    const done = sent.splice(0, settling);
    for (const { allocator, critical } of nodes) {
      if (isSent) allocator.frame(critical[device] as number, cost, -1, now);
      for (const [at, bytes] of done) allocator.settled(critical[at] as number, bytes);
      allocator.serve(now);
    }
    compare(alone, beside);
  }
}

function compare(alone: Node, beside: Node): void {
  for (const [device, channel] of alone.critical.entries()) {
    const expected = alone.allocator.limit(channel);
    const limit = beside.allocator.limit(beside.critical[device] as number);
    if (limit !== expected) {
      throw new Error(`C6: lane 0 has ${limit} beside bulk, ${expected} alone`);
    }
  }
}
