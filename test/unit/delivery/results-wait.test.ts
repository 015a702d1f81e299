import { describe, expect, test } from 'vitest';
import { RESULTS_WAITING_BYTES_MAX } from '../../../src/model/limits.ts';
import { LOG } from '../../../src/model/record.ts';
import { WHY } from '../../../src/model/why.ts';
import { emptyDisk, resultsOf, VirtualNode, writeTo } from '../../support/virtual-node.ts';

const S = 1_000_000;
const COLUMNS = 64;
const WINDOWS = 128;
/** More than it takes until the results fill what they may. */
const FRAMES_MAX = 100;

/** Lands what is in flight, but for the results, which nobody takes. */
function landAllButResults(node: VirtualNode): void {
  for (const flight of node.flights.splice(0)) {
    const { log, batch } = flight;
    if (log === LOG.aggregates) node.flights.push(flight);
    else node.step({ kind: 'appended', log, offsets: writeTo(node.disk, log, batch) });
  }
}

/** A node whose aggregates log takes nothing, and a device that sends until it is held up. */
function heldUp(): { readonly node: VirtualNode; readonly session: number; readonly sent: number } {
  const node = new VirtualNode(emptyDisk(), { isRecoverable: true }).start();
  node.isPrompt = false;
  const session = node.publisher('a');
  const cols = Array.from({ length: COLUMNS }, (_, i) => [`m${i}`] as const);
  node.send(session, { k: 'def', c: 1, s: 2, cols });
  const from = node.now.wallUs - 20_000 * S;
  let n = 0;
  while (!node.gateway.delivery.isHeldUp(LOG.readings) && n < FRAMES_MAX) {
    const v = cols.map((_, i) => (i === 0 ? new Int8Array(WINDOWS) : 1 / (i + 1)));
    n += 1;
    node.frame(session, { n }, [{ s: 2, t: from + n * (WINDOWS + 5) * S, dt: S, v }]);
    for (let i = 0; i < 20; i += 1) {
      node.pass(1);
      landAllButResults(node);
    }
  }
  return { node, session, sent: n };
}

const bytesOfResults = ({ disk }: VirtualNode): number =>
  disk.records
    .filter(({ log }) => log === LOG.aggregates)
    .reduce((sum, { value }) => sum + value.length, 0);

describe('results that nobody takes', () => {
  test('hold up readings, but no alarm; then everything is written, once', () => {
    const { node, session, sent } = heldUp();
    const { delivery, aggregation } = node.gateway;
    expect(sent).toBeLessThan(FRAMES_MAX);
    node.pass(30);
    expect(node.told(session, 'flow').at(-1)?.why).toBe(WHY.logDown);

    // What is durable now is acknowledged, and what comes after it waits in memory, within its credit.
    node.frame(session, { n: sent + 1 });
    node.frame(session, { n: sent + 2 });
    node.send(session, { k: 'def', c: 0, s: 3, cols: [['fire']] });
    node.frame(session, { c: 0, n: 1 }, [{ s: 3, t: node.now.wallUs, v: [1] }]);
    for (let i = 0; i < 50; i += 1) {
      node.pass(10);
      landAllButResults(node);
    }
    expect(node.gateway.wakeAtMs).toBeGreaterThan(node.now.monoMs);
    expect(aggregation.byTopic('a/temp')).toBeUndefined();
    expect(aggregation.byTopic('a/fire')).toBeDefined();
    expect(node.flow(session, 0).ack).toBe(1);

    node.isPrompt = true;
    node.land();
    node.pass(200);
    expect(delivery.isHeldUp(LOG.readings)).toBe(false);
    expect(aggregation.byTopic('a/temp')).toBeDefined();
    expect(node.flow(session, 1).ack).toBe(sent + 2);
    expect(node.told(session, 'flow').at(-1)?.why ?? WHY.none).toBe(WHY.none);
    expect(resultsOf(node.disk)).toHaveLength(sent * WINDOWS);
    // Of what was written at last, all but the results of two frames may have waited.
    const bytes = bytesOfResults(node);
    expect(bytes).toBeGreaterThan(RESULTS_WAITING_BYTES_MAX);
    expect(bytes * (1 - 2 / sent)).toBeLessThan(RESULTS_WAITING_BYTES_MAX);
  });
});
