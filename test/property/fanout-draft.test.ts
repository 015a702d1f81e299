import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Draft } from '../../src/fanout/draft.ts';
import type { Codec } from '../../src/model/machine.ts';
import type { ClassId } from '../../src/model/reading.ts';
import { AGGREGATES, type Aggregate, type StatusId } from '../../src/model/window.ts';
import { encode } from '../../src/wire/encode.ts';
import type { Data, ServerBlock } from '../../src/wire/messages.ts';
import { decodeServerMessage, type HeldValue, rowsOf } from '../support/dashboard-client.ts';
import { FakeSeries } from '../support/fake-series.ts';

interface Window {
  readonly second: number;
  readonly status: StatusId;
  readonly figures: Record<string, HeldValue>;
}

interface Member {
  readonly number: number;
  readonly classId: ClassId;
  readonly windows: readonly Window[];
}

const figure = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -100, max: 100 }) },
  fc.maxSafeInteger(),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  // JSON has no −0 of its own; CBOR carries it, see the unit test of columns.
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.constant(null),
  fc.string({ maxLength: 40, unit: 'grapheme' }),
  fc.constant('\u0001'.repeat(60)),
);

const count = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.maxSafeNat());
const figures = fc.record(
  Object.fromEntries(AGGREGATES.map((name) => [name, name === 'n' ? count : figure])),
);
const status = fc.constantFrom<StatusId>(0, 1, 2);
const second = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 7e9 }));

/** Windows here and there, each of another status: the many-block case. */
const scattered: fc.Arbitrary<Window[]> = fc
  .uniqueArray(fc.record({ second, status, figures }), {
    maxLength: 30,
    selector: (window) => window.second,
  })
  .map((windows) => windows.sort((a, b) => a.second - b.second));

/** Windows one after the other, all final but the last: the ordinary case. */
const steady: fc.Arbitrary<Window[]> = fc
  .tuple(fc.integer({ min: 0, max: 10 }), fc.array(figures, { maxLength: 40, size: 'max' }))
  .map(([first, all]) =>
    all.map((each, i) => ({
      second: first + i,
      status: i + 1 < all.length ? 1 : 0,
      figures: each,
    })),
  );

const member: fc.Arbitrary<Member> = fc.record({
  number: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 40 })),
  classId: fc.constantFrom<ClassId>(0, 1, 2),
  windows: fc.oneof(scattered, steady),
});

const members = fc.uniqueArray(member, { maxLength: 40, selector: ({ number }) => number });

/** Adds as much as fits; returns what was added. */
function fill(draft: Draft, all: readonly Member[], aggregates: readonly Aggregate[]): string[] {
  const added: string[] = [];
  for (const { number, classId, windows } of all) {
    const kept = new FakeSeries(number, 'd/x').of(classId);
    for (const { second, status, figures } of windows) kept.put(second, figures, status);
    for (let i = 0; i < kept.count; i += 1) {
      if (!draft.add(kept, i, number)) return added;
      const values = aggregates.map((name) => kept.valueAt(i, name));
      added.push(JSON.stringify([number, classId, kept.statusAt(i), kept.startAt(i), values]));
    }
  }
  return added;
}

const rowsIn = (blocks: readonly ServerBlock[]): string[] =>
  blocks.flatMap((block) =>
    rowsOf(block).map(({ number, start, values }) =>
      JSON.stringify([number, block.cl ?? 0, block.st ?? 0, start, values]),
    ),
  );

describe('a draft', () => {
  it.each<Codec>(['json', 'cbor'])('fits its room and says every row exactly (%s)', (codec) => {
    const draft = new Draft();
    const aggregates = fc.subarray([...AGGREGATES], { minLength: 1 });
    const room = fc.integer({ min: 60, max: 32_768 });
    fc.assert(
      fc.property(members, aggregates, room, (all, names, roomBytes) => {
        draft.begin({ codec, aggregates: names, lengthMs: 1000 }, roomBytes);
        const added = fill(draft, all, names);
        expect(draft.rows).toBe(added.length);
        if (added.length === 0) return;
        const n = Number.MAX_SAFE_INTEGER;
        const blocks = draft.blocks();
        const bytes = encode(codec, { k: 'data', c: 65_535, n, lost: n, b: blocks });
        expect(bytes.length).toBeLessThanOrEqual(roomBytes);
        expect(blocks.length).toBeLessThanOrEqual(64);
        const heard = decodeServerMessage(codec, bytes) as Data<ServerBlock>;
        expect(rowsIn(heard.b).sort()).toEqual(added.sort());
      }),
      { numRuns: 200, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
    );
  });
});
