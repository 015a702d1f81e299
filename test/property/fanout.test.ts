import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Codec } from '../../src/model/machine.ts';
import type { ClassId } from '../../src/model/reading.ts';
import type { Rung } from '../../src/model/rung.ts';
import { FanoutWorld, type Habits } from '../support/fanout-world.ts';

/** Those that end in `text` have long texts, so that credit cuts flushes short. */
const TOPICS = ['a/x', 'a/y', 'a/text', 'b/text', 'c/d/x', 'c/d/text', 'e/text', 'f/text'];
/** Windows kept per series and class: few, so that they are forgotten before they are sent. */
const KEEP = 40;

type Step =
  | { kind: 'read'; at: number; classId: ClassId; second: number; count: number }
  /** All series are read, second by second, as devices do that are alive. */
  | { kind: 'stretch'; classId: ClassId; first: number; length: number }
  | { kind: 'finalize'; at: number; classId: ClassId; second: number }
  | { kind: 'advance'; ms: number }
  | { kind: 'climb'; rung: Rung }
  | { kind: 'process'; count: number; isGranting: boolean }
  | { kind: 'connect' }
  | { kind: 'resubscribe' }
  | { kind: 'silence'; at: number };

const at = fc.nat({ max: TOPICS.length - 1 });
const classId = fc.constantFrom<ClassId>(0, 0, 0, 1, 2);
const second = fc.integer({ min: 0, max: 60 });
const is = <Kind extends Step['kind']>(kind: Kind) => fc.constant(kind);

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: is('read'),
      at,
      classId,
      second,
      count: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: is('stretch'),
      classId,
      first: second,
      length: fc.integer({ min: 1, max: 80 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: is('finalize'), at, classId, second }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: is('advance'), ms: fc.integer({ min: 0, max: 300 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: is('climb'), rung: fc.constantFrom<Rung>(0, 1, 2, 3, 4) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: is('process'),
      count: fc.integer({ min: 0, max: 5 }),
      isGranting: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: is('connect') }) },
  { weight: 1, arbitrary: fc.record({ kind: is('resubscribe') }) },
  { weight: 1, arbitrary: fc.record({ kind: is('silence'), at }) },
);

const habits: fc.Arbitrary<Habits> = fc.record({
  lim: fc.constantFrom(undefined, 32_832, 65_536),
  r: fc.constantFrom(0, 250),
  hist: fc.constantFrom(0, 5, 100),
});

function take(world: FanoutWorld, one: Step): void {
  switch (one.kind) {
    case 'read':
      return world.read(one.at, one.classId, one.second, one.count);
    case 'stretch':
      for (let s = one.first; s < one.first + one.length; s += 1) {
        for (let i = 0; i < TOPICS.length; i += 1) world.read(i, one.classId, s, 1);
      }
      return;
    case 'finalize':
      return world.finalize(one.at, one.classId, one.second);
    case 'advance':
      return world.advance(one.ms);
    case 'climb':
      return world.climb(one.rung);
    case 'process':
      return world.process(one.count, one.isGranting);
    case 'connect':
      return world.connect();
    case 'resubscribe':
      return world.resubscribe();
    case 'silence':
      return world.silence(one.at);
  }
}

describe('a dashboard', () => {
  it.each<Codec>(['json', 'cbor'])(
    'shows the truth in the end, whatever its pace; D1, D2, D5 and its credit hold (%s)',
    (codec) => {
      const steps = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' });
      fc.assert(
        fc.property(habits, steps, (how, all) => {
          const world = new FanoutWorld(codec, TOPICS, KEEP, how);
          for (const one of all) take(world, one);
          world.settle();
        }),
        // Half a second is enough when all is well; the limit is for the search of a short failure.
        { numRuns: 150, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
      );
    },
  );
});
