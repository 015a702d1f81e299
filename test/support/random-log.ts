import fc from 'fast-check';
import type { TailValue } from './brute-force.ts';
import { EventLog, type TestBlock, type TestSet } from './event-log.ts';

const S = 1_000_000;
const START = 1_700_000_000 * S;
const DEVICES = ['plant/a', 'plant/b', 'plant/b-2', 'x'];

/** Sets that share series, disagree on units and scales, and have names that are hard for objects. */
const SETS: readonly TestSet[] = [
  {
    cols: [
      ['temp', 'Cel'],
      ['speed', 'm/s', 0.1, -3],
    ],
  },
  { cols: [['temp', 'K'], ['state'], ['7']] },
  { of: 'axis', cols: [['x', 'm/s2', 2 ** -10], ['__proto__'], ['toString', '']] },
];

/** Devices stay on a shard of their own. */
const shardOf = (device: string): number => DEVICES.indexOf(device) % 2;

const number: fc.Arbitrary<TailValue> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -1000, max: 1000 }) },
  { weight: 2, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom<TailValue>(null, true, false, -0, 1e308) },
);
const text: fc.Arbitrary<TailValue> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constant(null),
);
/** Most columns hold numbers; a series may change its kind. */
const columnOf = (rows: number): fc.Arbitrary<readonly TailValue[] | null> => {
  const values = { minLength: rows, maxLength: rows };
  return fc.oneof(
    { weight: 8, arbitrary: fc.array(number, values) },
    // A column of nulls only is numeric, so a text column has a text.
    { weight: 2, arbitrary: fc.array(text, values).map((all) => ['on', ...all.slice(1)]) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
};

/** Times of a block relative to `now`: mostly the last seconds, sometimes far off. Units: µs. */
const timesOf = (rows: number): fc.Arbitrary<readonly number[]> => {
  const base = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -5 * S, max: S }) },
    { weight: 3, arbitrary: fc.integer({ min: -60 * S, max: 5 * S }) },
    { weight: 1, arbitrary: fc.integer({ min: 290 * S, max: 310 * S }) },
  );
  const steps = fc.array(fc.integer({ min: 0, max: 2 * S }), {
    minLength: rows,
    maxLength: rows,
  });
  return fc.tuple(base, steps).map(([from, deltas]) => {
    let at = from;
    return deltas.map((delta, i) => {
      at += i === 0 ? 0 : delta;
      return at;
    });
  });
};

const qualityOf = (rows: number): fc.Arbitrary<number | readonly number[]> => {
  const quality = fc.constantFrom(0, 64, 127, 128, 200);
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: quality },
    { weight: 2, arbitrary: fc.array(quality, { minLength: rows, maxLength: rows }) },
  );
};

const block: fc.Arbitrary<TestBlock> = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(...SETS))
  .chain(([rows, set]) =>
    fc.record({
      set: fc.constant(set),
      t: timesOf(rows),
      v: fc.tuple(...set.cols.map(() => columnOf(rows))),
      q: qualityOf(rows),
      fid: fc.constantFrom(1, 1, 1, 7),
    }),
  );

const device = fc.constantFrom(...DEVICES);
const moved = fc.integer({ min: -120 * S, max: 400 * S });

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('frame' as const),
      device,
      lane: fc.constantFrom(0, 1, 1, 1, 2, 3),
      blocks: fc.array(block, { minLength: 1, maxLength: 3 }),
      wm: fc.option(moved, { nil: undefined, freq: 8 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('mark' as const),
      lane: fc.constantFrom(0, 1),
      shard: fc.constantFrom(0, 1),
      marks: fc.array(
        fc.record({
          device: fc.oneof(device, fc.constant('nobody')),
          class: fc.constantFrom(0 as const, 1 as const, 2 as const),
          watermark: moved,
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stub' as const), device }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('fence' as const), shard: fc.constantFrom(0, 1) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** How far the clock of the node moves before a record; now and then it is set back. Units: µs. */
const pause = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 2 * S }) },
  { weight: 1, arbitrary: fc.integer({ min: -3 * S, max: 0 }) },
  { weight: 1, arbitrary: fc.integer({ min: 10 * S, max: 90 * S }) },
);

function write(log: EventLog, what: Step, recv: number): void {
  const absolute = (block: TestBlock): TestBlock => ({
    ...block,
    t: block.t.map((time) => recv + time),
  });
  if (what.kind === 'frame') {
    const { device: name, lane, wm } = what;
    const told = wm === undefined ? {} : { wm: recv + wm };
    const blocks = what.blocks.map(absolute);
    log.frame({ device: name, lane, shard: shardOf(name), recv, blocks, ...told });
  } else if (what.kind === 'mark') {
    const marks = what.marks.map((mark) => ({ ...mark, watermark: recv + mark.watermark }));
    log.mark(recv, marks, what.lane, what.shard);
  } else if (what.kind === 'stub') log.stub(recv, what.device, 1, shardOf(what.device));
  else log.fence(recv, 1, what.shard);
}

/** Logs of several devices in all classes: disorder, gaps, bad values, clocks that lie. */
export const randomLog = (stepsMax = 60): fc.Arbitrary<EventLog> =>
  fc
    .array(fc.tuple(step, pause), { minLength: 1, maxLength: stepsMax, size: 'max' })
    .map((steps) => {
      const log = new EventLog();
      let recv = START;
      for (const [what, us] of steps) {
        recv += us;
        write(log, what, recv);
      }
      return log;
    });
