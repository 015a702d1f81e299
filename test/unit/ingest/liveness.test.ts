import { describe, expect, test } from 'vitest';
import { VirtualNode } from '../../support/virtual-node.ts';

const node = (): VirtualNode => new VirtualNode().start();

describe('a heartbeat', () => {
  test('tells all lanes of a session that is busy on one', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    for (let n = 1; n <= 25; n += 1) {
      gateway.frame(session, { n });
      gateway.pass(1000);
    }
    const full = gateway.told(session, 'flow').filter(({ f }) => f.length === 2);
    expect(full).toHaveLength(1);
  });

  test.each([0, 1, 2])('goes on while the client lets %i heartbeats pass in silence', (beats) => {
    const gateway = node();
    const session = gateway.publisher('d');
    gateway.pass(beats * 20_000);
    gateway.step({ kind: 'heard', session });
    gateway.pass(59_000);
    expect(gateway.closed(session)).toBeNull();
    gateway.pass(2000);
    expect(gateway.told(session, 'away').at(-1)).toMatchObject({ e: 4102 });
  });

  test('of a half-open connection ends when its device takes over', () => {
    const gateway = node();
    const dead = gateway.publisher('d');
    const ep = gateway.told(dead, 'welcome')[0]?.ep as number;
    gateway.frame(dead, { n: 1 });
    const session = gateway.publisher('d', { ep, first: 1 });
    expect(gateway.closed(dead)).toBe(4104);
    gateway.frame(dead, { n: 2 });
    gateway.frame(session, { n: 2 });
    gateway.pass(50);
    expect(gateway.flow(session, 1).ack).toBe(2);
    expect(gateway.gateway.ingest.ledger.received).toBe(2);
  });

  test('without credit nobody is punished', () => {
    const gateway = node();
    const session = gateway.publisher('d');
    gateway.isPrompt = false;
    gateway.frame(session, { n: 1 });
    for (let i = 0; i < 20; i += 1) {
      gateway.pass(20_000);
      gateway.step({ kind: 'heard', session });
    }
    expect(gateway.closed(session)).toBeNull();
  });
});
