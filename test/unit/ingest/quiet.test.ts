import { describe, expect, test } from 'vitest';
import { LOG, RECORD } from '../../../src/model/record.ts';
import { emptyHeader, readHeader } from '../../../src/wire/record-header.ts';
import { VirtualNode } from '../../support/virtual-node.ts';

/** Marks in the log. */
function marks({ disk }: VirtualNode): number {
  const header = emptyHeader();
  return disk.records.filter(
    ({ log, tg }) =>
      log !== LOG.aggregates && readHeader(tg, header) && header.kind === RECORD.mark,
  ).length;
}

/** Time passes, and the device is there. */
function quietly(node: VirtualNode, session: number, ms: number): void {
  for (let left = ms; left > 0; left -= 5000) {
    node.pass(Math.min(left, 5000));
    node.step({ kind: 'heard', session });
  }
}

describe('a class whose device has been silent for long', () => {
  test('is not idle the moment the device is back: what it retained comes first', () => {
    const node = new VirtualNode().start();
    const before = node.publisher('d');
    const ep = node.told(before, 'welcome')[0]?.ep as number;
    node.frame(before, { n: 1 });
    node.disconnect(before);
    node.pass(60_000);
    const session = node.publisher('d', { ep, first: 2 });
    quietly(node, session, 9900);
    expect(marks(node)).toBe(0);
    quietly(node, session, 1200);
    expect(marks(node)).toBe(1);
  });

  test('is not idle the moment its device has credit again', () => {
    const node = new VirtualNode().start();
    const session = node.publisher('d');
    node.isPrompt = false;
    const wide = { s: 1, t: node.now.wallUs, dt: 1, v: [new Float64Array(1000)] };
    node.frame(session, { n: 1 }, [wide]);
    node.frame(session, { n: 2 }, [wide]);
    quietly(node, session, 30_000);
    node.land();
    node.isPrompt = true;
    node.pass(50);
    expect(node.flow(session, 1).ack).toBe(2);
    quietly(node, session, 9900);
    expect(marks(node)).toBe(0);
    quietly(node, session, 1200);
    expect(marks(node)).toBe(1);
  });

  test('is not idle while a frame of it is on its way to the log', () => {
    const node = new VirtualNode().start();
    const session = node.publisher('d');
    node.frame(session, { n: 1 });
    quietly(node, session, 5000);
    node.isPrompt = false;
    node.frame(session, { n: 2 });
    quietly(node, session, 20_000);
    node.isPrompt = true;
    node.land();
    expect(marks(node)).toBe(0);
    node.pass(1200);
    expect(marks(node)).toBe(1);
  });

  test('is idle while frames of another class of its device are on their way', () => {
    const node = new VirtualNode().start();
    const session = node.publisher('d');
    node.send(session, { k: 'def', c: 0, s: 2, cols: [['alarm']] });
    node.frame(session, { c: 0, n: 1 }, [{ ...node.block(), s: 2 }]);
    quietly(node, session, 12_000);
    node.isPrompt = false;
    node.frame(session, { n: 1 });
    quietly(node, session, 5000);
    node.land();
    expect(marks(node)).toBe(1);
  });
});
