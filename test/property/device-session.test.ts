import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countReadings } from '../../src/client/block.ts';
import type { DeviceEffect, WhenFull } from '../../src/client/device-io.ts';
import { DeviceSession } from '../../src/client/device-session.ts';
import { START_US } from '../support/device-bench.ts';
import { ModelServer } from '../support/model-server.ts';
import { seeded } from '../support/random.ts';

const lane = fc.integer({ min: 0, max: 1 });
const anyLane = fc.integer({ min: 0, max: 2 });
const window = fc.integer({ min: 0, max: 2000 });

/** What the world does to a device between its readings. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('form'), lane, rows: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('welcome'), window }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('settle'),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      window,
      isTold: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass'), ms: fc.nat(3000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wake') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reject'), lane: anyLane }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('poison'), lane: anyLane }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('grant'), isTold: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('away'),
      code: fc.constantFrom(4007, 4100, 4104, 4200, 4201, 1012),
    }),
  },
);
type Step = {
  readonly do: string;
  readonly lane?: number;
  readonly rows?: number;
  readonly window?: number;
  readonly share?: number;
  readonly isTold?: boolean;
  readonly ms?: number;
  readonly code?: number;
};

class World {
  readonly server: ModelServer;
  /** Readings given to the session, by lane: each has a value of its own. */
  readonly given: [number[], number[]] = [[], []];
  #value = 0;

  constructor(ringBytesMax: number, lanes = [0, 1, 2], whenFull: WhenFull = 'drop-oldest') {
    const session = new DeviceSession({
      url: 'ws://127.0.0.1:1/v1',
      codec: 'cbor',
      lanes,
      sets: [
        { s: 1, lane: 0, cols: [['a']] },
        { s: 2, lane: 1, cols: [['b']] },
      ],
      ringBytesMax,
      whenFull,
      random: seeded(7),
    });
    this.server = new ModelServer(session);
  }

  take(what: Step): void {
    const { server } = this;
    const { lane: c = 0, window: w = 0, share = 0, isTold = false } = what;
    if (what.do === 'form') this.#form(c, what.rows ?? 1);
    else if (what.do === 'welcome') server.welcome(w);
    else if (what.do === 'settle') server.settle(share, w, isTold);
    else if (what.do === 'pass') server.pass(what.ms ?? 0);
    else if (what.do === 'wake') server.passToWake();
    else if (what.do === 'reject') server.reject(c);
    else if (what.do === 'poison') server.poison(c);
    else if (what.do === 'cut') server.cut();
    else if (what.do === 'grant') this.#grant(isTold);
    else server.away(what.code ?? 0);
  }

  /** Whether the next node grants lane 2. */
  #grant(hasBackfill: boolean): void {
    if (hasBackfill) this.server.refuses.delete(2);
    else this.server.refuses.add(2);
  }

  /** The faults stop: everything retained must become acked, and the session must end. */
  heal(): void {
    const { server } = this;
    server.give({ kind: 'finish', watermarks: [[1, START_US]] });
    for (let turn = 0; turn < 500 && server.session.phase !== 'ended'; turn += 1) {
      server.welcome(4000);
      server.settle(1, 4000, true);
      server.passToWake();
    }
  }

  #form(c: number, rows: number): void {
    const v = Float64Array.from({ length: rows }, (_, i) => this.#value + 1 + i);
    this.#value += rows;
    this.given[c]?.push(...v);
    const t = START_US + this.#value;
    this.server.give({ kind: 'form', lane: c, blocks: [{ s: c + 1, t, dt: 0, v: [v] }] });
  }
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 80 });

/** What became of every reading that was given to the session. */
function fateOf(events: readonly DeviceEffect[]): Record<string, number> {
  const fate = { acked: 0, rejected: 0, dropped: 0, refused: 0, thinned: 0 };
  for (const event of events) {
    if (event.kind === 'acked') for (const { readings } of event.freed) fate.acked += readings;
    else if (event.kind === 'rejected') fate.rejected += event.frame.readings;
    else if (event.kind === 'refused') fate.refused += countReadings(event.blocks);
    else if (event.kind === 'dropped' || event.kind === 'thinned') {
      fate[event.kind] += event.readings;
    }
  }
  return fate;
}

const policies = ['drop-oldest', 'block', 'thin'] as const;

test.each(policies)(
  '%s: whatever a server does, all is kept to the rules and comes home',
  (policy) => {
    const ring = fc.integer({ min: 300, max: 5000 });
    const property = fc.property(steps, ring, (history, ringBytesMax) => {
      const world = new World(ringBytesMax, [0, 1, 2], policy);
      for (const what of history) {
        world.take(what);
        const retained = world.server.session.ring.lanes
          .flatMap((queue) => queue.all())
          .reduce((sum, { readings }) => sum + readings, 0);
        const sum = Object.values(fateOf(world.server.events)).reduce((a, b) => a + b, retained);
        expect(sum).toBe(world.given[0].length + world.given[1].length);
        expect(world.server.session.ring.bytes).toBeLessThanOrEqual(ringBytesMax);
      }
      world.heal();
      const { session, events } = world.server;
      expect(session.phase).toBe('ended');
      expect(session.ring.count).toBe(0);
      expect(events.at(-1)?.kind).toBe('finished');
      const fate = fateOf(events);
      if (policy !== 'thin') expect(fate['thinned']).toBe(0);
      if (policy !== 'block') expect(fate['refused']).toBe(0);
    });
    fc.assert(property, { numRuns: 1000 });
  },
);

test('by the policy block nothing is dropped for want of room', () => {
  const property = fc.property(steps, (history) => {
    const world = new World(800, [0, 1, 2], 'block');
    for (const what of history) world.take(what);
    const reasons = world.server.events.map((event) => event.kind === 'dropped' && event.reason);
    expect(reasons).not.toContain('ring full');
  });
  fc.assert(property, { numRuns: 300 });
});

test('by the policy thin what rows stand for adds up to what was measured', () => {
  const some = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 60 });
  const property = fc.property(some, fc.integer({ min: 400, max: 3000 }), (sizes, ringBytesMax) => {
    const world = new World(ringBytesMax, [0, 1], 'thin');
    const { session } = world.server;
    let thinnest = 1;
    for (const rows of sizes) {
      world.take({ do: 'form', lane: 1, rows });
      const frames = session.ring.lane(1)?.all() ?? [];
      thinnest = Math.max(thinnest, session.thinning, ...frames.map(({ thinning }) => thinning));
    }
    const weights = session.ring.lane(1)?.all() ?? [];
    const sum = weights.reduce((total, { readings, thinning }) => total + readings * thinning, 0);
    const dropped = fateOf(world.server.events)['dropped'] ?? 0;
    if (dropped > 0) return;
    const given = world.given[1].length;
    expect(sum - given).toBeGreaterThanOrEqual(0);
    expect(sum - given).toBeLessThan(thinnest);
  });
  fc.assert(property, { numRuns: 500 });
});

test('within an epoch the server admits readings in the order in which they were given', () => {
  const property = fc.property(steps, (history) => {
    // Once lane 2 is no longer granted, what waits there comes back behind what lane 1 has sent
    // meanwhile: no frame that was ever sent may make room for it. [R5.3-6]
    fc.pre(!history.some((what) => what.do === 'grant' && what.isTold !== true));
    const world = new World(1e6);
    for (const what of history) world.take(what);
    world.heal();
    for (const values of world.server.admitted) {
      let last = 0;
      for (const value of values) {
        if (!Number.isNaN(value)) expect(value).toBeGreaterThan(last);
        last = Number.isNaN(value) ? 0 : value;
      }
    }
  });
  fc.assert(property, { numRuns: 500 });
});

test('any subset, repetition or order of flows leaves the sender as the greatest of them would', () => {
  const flow = fc.record({ ack: fc.nat(5), lim: fc.nat(400) });
  const property = fc.property(fc.array(flow, { minLength: 1 }), (flows) => {
    const most = (key: 'ack' | 'lim'): number => Math.max(...flows.map((each) => each[key]));
    const ends = [flows, [{ ack: most('ack'), lim: most('lim') }]].map((list) => {
      const world = new World(1e6, [0, 1]);
      world.server.pass(0);
      world.server.welcome(100_000);
      for (let i = 0; i < 6; i += 1) world.take({ do: 'form', lane: 1 });
      const queue = world.server.session.ring.lane(1);
      for (const { ack, lim } of list) world.server.tell(1, ack, lim);
      return [queue?.ack, queue?.lim, queue?.count, queue?.sent, queue?.backlog];
    });
    expect(ends[0]).toEqual(ends[1]);
  });
  fc.assert(property);
});
