import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LOG } from '../../src/model/record.ts';
import { resultsOf, VirtualNode, writeTo } from '../support/virtual-node.ts';

/** What happens next: frames come, some rows of the append in flight are there, or time passes. */
const deed = fc.oneof(
  fc.record({ kind: fc.constant('frames' as const), count: fc.integer({ min: 1, max: 6 }) }),
  fc.record({
    kind: fc.constant('part' as const),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ kind: fc.constant('whole' as const) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(0.5, 1, 40, 400) }),
);

/** The append of readings in flight: its rows are in the log, and so many were told. */
interface Flight {
  readonly offsets: Float64Array;
  told: number;
}

test('an append that is told in parts settles every row once, and makes the same results', () => {
  fc.assert(
    fc.property(
      fc.array(deed, { minLength: 5, maxLength: 80 }),
      fc.constantFrom(1, 8, 2048),
      (deeds, unitsPerStep) => {
        const node = new VirtualNode(undefined, { unitsPerStep }).start();
        const whole = new VirtualNode().start();
        const sessions = [node, whole].map((each) => each.publisher('d'));
        node.isPrompt = false;
        const flights: Flight[] = [];
        let n = 0;
        const tell = (flight: Flight, told: number): void => {
          flight.told = told;
          const offsets = flight.offsets.subarray(0, told);
          node.step({ kind: 'appended', log: LOG.readings, offsets });
        };
        const take = (): void => {
          for (const { log, batch } of node.flights.splice(0)) {
            const offsets = writeTo(node.disk, log, batch);
            if (log === LOG.readings) flights.push({ offsets, told: 0 });
            else node.step({ kind: 'appended', log, offsets });
          }
        };
        const finish = (): void => {
          const flight = flights.shift();
          if (flight) tell(flight, flight.offsets.length);
          take();
        };
        for (const each of deeds) {
          if (each.kind === 'frames') {
            for (let i = 0; i < each.count; i += 1) {
              n += 1;
              const block = { ...node.block(node.now.wallUs, n) };
              for (const [at, of] of [node, whole].entries()) {
                of.frame(sessions[at] as number, { n }, [block]);
              }
            }
          } else if (each.kind === 'pass') {
            node.pass(each.ms);
            whole.pass(each.ms);
          } else if (each.kind === 'whole') finish();
          else {
            const [flight] = flights;
            const rest = flight ? flight.offsets.length - 1 - flight.told : 0;
            if (flight && rest > 0) tell(flight, flight.told + Math.ceil(each.share * rest));
          }
          take();
          expect(flights.length).toBeLessThanOrEqual(1);
        }
        for (let i = 0; i < 50; i += 1) {
          finish();
          node.pass(100);
          whole.pass(100);
          take();
        }
        const { ledger, devices } = node.gateway.ingest;
        expect([ledger.durable, ledger.inFlight, ledger.duplicate]).toEqual([n, 0, 0]);
        expect(devices.find('d')?.lanes[1]?.ack).toBe(n);
        expect(node.gateway.aggregation.counters.aggregated).toBe(n);
        expect(node.broken).toBeNull();
        const start = (of: VirtualNode) => resultsOf(of.disk);
        expect(start(node)).toEqual(start(whole));
      },
    ),
    { numRuns: 60 },
  );
});
