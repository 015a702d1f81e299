import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualNode } from '../support/virtual-node.ts';

const value = fc.oneof(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.constant(null));

/** What a device may do; the numbers are seconds relative to now, for event times. */
const frame = fc.record({
  ageS: fc.oneof(fc.integer({ min: -2, max: 60 }), fc.constant(-400)),
  values: fc.array(value, { minLength: 1, maxLength: 5 }),
  quality: fc.constantFrom(0, 130),
  set: fc.constantFrom(1, 1, 1, 9),
  isAgain: fc.boolean(),
});

test('the ledger adds up at any moment, for frames and for readings', () => {
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 40 }), (frames) => {
      const node = new VirtualNode().start();
      const session = node.publisher('d');
      let n = 0;
      for (const { ageS, values, quality, set, isAgain } of frames) {
        node.isPrompt = n % 3 !== 0;
        n += 1;
        const t = node.now.wallUs - ageS * 1_000_000;
        node.frame(session, { n }, [{ s: set, t, dt: 1000, v: [values], q: quality }]);
        if (isAgain) node.frame(session, { n }, [{ s: set, t, dt: 1000, v: [values], q: quality }]);
        node.pass(500);
        addsUp(node);
      }
      node.isPrompt = true;
      node.land();
      node.pass(1000);
      addsUp(node);
      expect(node.gateway.ingest.ledger.inFlight).toBe(0);
    }),
    { numRuns: 100 },
  );
});

function addsUp({ gateway }: VirtualNode): void {
  const { ledger } = gateway.ingest;
  const settled = ledger.durable + ledger.duplicate + ledger.rejected + ledger.dropped;
  const closed = [...ledger.closed.values()].reduce((a, b) => a + b, 0);
  expect(ledger.received).toBe(settled + ledger.inFlight + closed);
  const { aggregated, late, future, excluded, refused } = gateway.aggregation.counters;
  expect(ledger.readingsDurable).toBe(aggregated + late + future + excluded + refused);
}
