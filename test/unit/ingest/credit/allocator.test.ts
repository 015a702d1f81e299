import { describe, expect, test } from 'vitest';
import { Allocator } from '../../../../src/ingest/credit/allocator.ts';
import { CREDIT } from '../../../../src/ingest/credit/constants.ts';
import { figuresOf } from '../../../../src/ingest/credit/figures.ts';
import type { Opening } from '../../../../src/ingest/credit/opening.ts';
import { NONE } from '../../../../src/ingest/credit/rows.ts';
import { WHY } from '../../../../src/model/why.ts';

const MF = [1984, 8192, 8192];
const ONE = 8256;

/** An allocator, and the limits that it told. */
class Desk {
  readonly limits = new Map<number, number>();
  readonly allocator: Allocator;

  constructor(budgetBytes = 1 << 26, sessions?: number) {
    this.allocator = new Allocator({
      budgetBytes,
      port: { limit: (channel, limit) => this.limits.set(channel, limit) },
      ...(sessions === undefined ? {} : { sessions }),
    });
  }

  open(lane: number, more: Partial<Opening> = {}): number {
    const channel = this.allocator.open({ lane, mf: MF[lane] as number, carry: 0, ...more }, 0);
    this.allocator.serve(0);
    return channel;
  }

  told(channel: number): number {
    return this.limits.get(channel) ?? 0;
  }
}

test('what is granted is counted by kind of lane, other sources with live', () => {
  const desk = new Desk();
  const [alarms, live, source] = [0, 1, 1].map((lane) => desk.open(lane)) as [
    number,
    number,
    number,
  ];
  const other = desk.open(3, { mf: 8192 });
  const backfill = desk.open(2);
  desk.allocator.frame(live, 1000, -1, 0.1);
  desk.allocator.settled(live, 1000);
  desk.allocator.backlog(backfill, 5000);
  desk.allocator.serve(0.2);
  expect(figuresOf(desk.allocator.books).granted).toEqual({
    alarms: desk.told(alarms),
    live: desk.told(live) + desk.told(source) + desk.told(other),
    backfill: desk.told(backfill),
  });
  expect(desk.told(backfill)).toBeGreaterThan(0);
});

describe('a channel that opens', () => {
  test.each([
    ['lane 0 has two largest frames', 0, {}, 4096],
    ['lane 1 has two largest frames', 1, {}, 2 * ONE],
    ['lane 2 has nothing before its backlog is told', 2, {}, 0],
    ['the pipeline of earlier connections counts', 1, { carry: 5000 }, 2 * ONE - 5000],
    ['a pipeline of a whole window leaves nothing', 1, { carry: 2 * ONE }, 0],
  ])('%s', (_what, lane, more, limit) => {
    const desk = new Desk();
    expect(desk.told(desk.open(lane, more))).toBe(limit);
  });

  test('has its first window on lane 0 at once, however many come; renewals share half the drain', () => {
    const desk = new Desk();
    const crowd = Array.from({ length: 1000 }, () => desk.open(0));
    expect(crowd.every((channel) => desk.told(channel) === 4096)).toBe(true);
    for (const channel of crowd) {
      desk.allocator.frame(channel, 2048, -1, 1);
      desk.allocator.settled(channel, 2048);
    }
    desk.allocator.serve(1);
    const renewed = crowd.filter((channel) => desk.told(channel) > 4096).length;
    const most = CREDIT.criticalBurstBytes + CREDIT.criticalPart * CREDIT.startBytes;
    expect(renewed).toBe(Math.ceil(most / 2048));
    expect(desk.allocator.why(crowd.at(-1) as number)).toBe(WHY.none);
  });

  test('has nothing while its pipe is stopped, lane 0 excepted', () => {
    const desk = new Desk();
    desk.allocator.stop(0, WHY.logDown);
    const [critical, live] = [desk.open(0), desk.open(1)];
    expect([desk.told(critical), desk.told(live)]).toEqual([4096, 0]);
    expect([desk.allocator.why(critical), desk.allocator.why(live)]).toEqual([0, WHY.logDown]);
    desk.allocator.start(0);
    desk.allocator.serve(0.1);
    expect(desk.told(live)).toBe(2 * ONE);
  });
});

describe('credit', () => {
  test('comes back with settlement, not with receipt', () => {
    const desk = new Desk();
    const channel = desk.open(1);
    desk.allocator.frame(channel, 1000, -1, 0.01);
    desk.allocator.serve(0.01);
    expect(desk.told(channel)).toBe(2 * ONE);
    desk.allocator.settled(channel, 1000);
    desk.allocator.serve(0.02);
    expect(desk.told(channel)).toBe(2 * ONE + 1000);
  });

  test('goes round while there is room before the log, a largest frame at a time', () => {
    const desk = new Desk();
    const crowd = Array.from({ length: 1000 }, () => desk.open(1));
    const limits = crowd.map((channel) => desk.told(channel));
    const [some, none] = [limits.filter((limit) => limit > 0), limits.filter((l) => l === 0)];
    expect(some.length).toBeGreaterThan(100);
    expect(none.length).toBeGreaterThan(100);
    expect(desk.allocator.why(crowd.at(-1) as number)).toBe(WHY.logSlow);
    for (let now = 0.1; now < 3; now += 0.1) desk.allocator.serve(now);
    expect(crowd.map((channel) => desk.told(channel)).every((limit) => limit >= ONE)).toBe(true);
  });

  test('of lane 2 ends with its backlog', () => {
    const desk = new Desk();
    const channel = desk.open(2);
    desk.allocator.backlog(channel, 50_000);
    desk.allocator.serve(0.1);
    expect(desk.told(channel)).toBe(2 * ONE);
    desk.allocator.frame(channel, ONE, 0, 0.2);
    desk.allocator.settled(channel, ONE);
    desk.allocator.serve(0.3);
    expect(desk.told(channel)).toBe(2 * ONE);
  });
});

describe('a window', () => {
  /** Uses all credit every 10 ms for so long; the log takes it at once. */
  function use(desk: Desk, channel: number, seconds: number): void {
    const { allocator } = desk;
    for (let now = 0.01; now < seconds; now += 0.01) {
      let bytes = 0;
      for (; allocator.books.rows.credit(channel) >= 708; bytes += 708) {
        allocator.frame(channel, 708, 1e6, now);
      }
      allocator.settled(channel, bytes);
      allocator.appended(0, { isLane0: false, bytes, tookS: 0.01 }, now);
      allocator.serve(now);
    }
  }

  test('that is used grows, up to what is wanted in play', () => {
    const desk = new Desk();
    const channel = desk.open(1);
    use(desk, channel, 5);
    const { rows, pipes } = desk.allocator.books;
    expect(rows.window[channel]).toBeGreaterThan(8 * ONE);
    expect(rows.window[channel]).toBeLessThanOrEqual(pipes[0]?.inPlayMost ?? 0);
  });

  test('that is not used stays two largest frames', () => {
    const desk = new Desk();
    const channel = desk.open(1);
    for (let now = 0.5; now < 10; now += 0.5) {
      desk.allocator.frame(channel, 200, 0, now);
      desk.allocator.settled(channel, 200);
      desk.allocator.serve(now);
    }
    expect(desk.allocator.books.rows.window[channel]).toBe(2 * ONE);
  });
});

describe('memory', () => {
  test('goes to the successor of a connection, or is free once the log has it', () => {
    const desk = new Desk();
    const { allocator } = desk;
    const first = desk.open(1);
    allocator.frame(first, 3000, -1, 0);
    allocator.close(first);
    expect(allocator.memory).toMatchObject({ used: 3000, reserved: 0 });
    allocator.orphanSettled({ pipe: 0, lane: 1, growth: 1 }, NONE, 1000);
    const second = desk.open(1, { carry: 2000 });
    expect(desk.told(second)).toBe(2 * ONE - 2000);
    allocator.orphanSettled({ pipe: 0, lane: 1, growth: 1 }, second, 2000);
    allocator.close(second);
    expect(allocator.memory).toMatchObject({ used: 0, reserved: 0 });
  });

  test('of JSON is four times its cost', () => {
    const desk = new Desk();
    desk.open(1, { growth: 4 });
    expect(desk.allocator.memory).toMatchObject({ used: 4 * ONE, reserved: 4 * ONE });
  });

  test('of a channel without a reserve comes when a session leaves', () => {
    const desk = new Desk(1 << 20, 1);
    const holder = desk.open(1);
    // A pool that others have used up.
    desk.allocator.memory.used = desk.allocator.memory.budget;
    const late = desk.open(1, { hasReserve: false });
    expect([desk.told(late), desk.allocator.why(late)]).toEqual([0, WHY.memory]);
    desk.allocator.memory.used = 0;
    desk.allocator.close(holder);
    desk.allocator.serve(1);
    expect(desk.told(late)).toBeGreaterThanOrEqual(ONE);
  });
});

test.each([
  [0, 0.2, 0.2],
  [0.2, 0.1, 0.1],
  [0.2, 0.4, 0.3],
  [0, 9, CREDIT.longestRoundTripS],
])('after a Pong of %d s (0: none) one of %d s gives a round trip of %d s', (first, next, then) => {
  const desk = new Desk();
  const channel = desk.open(1);
  if (first > 0) desk.allocator.pong(channel, first);
  desk.allocator.pong(channel, next);
  expect(desk.allocator.books.rows.roundTrip[channel]).toBeCloseTo(then);
});
