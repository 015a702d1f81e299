import { expect } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { SECRET } from '../support/secured-gateway.ts';
import { VirtualNode } from '../support/virtual-node.ts';
import { CORE, HTTP, rule } from './rule.ts';

/** §2.1 under virtual time, and where a gateway listens. */

/** A core that asks for tokens, with the clock in hand, and a session whose token lasts so long. */
function expiring(lastsMs: number): { node: VirtualNode; session: number } {
  const node = new VirtualNode(undefined, { isOpen: false }).start();
  const session = node.connect('cbor', {
    subject: 'd',
    isPublisher: true,
    reads: [],
    isMetricsReader: false,
    expiresUs: node.now.wallUs + lastsMs * 1000,
  });
  node.send(session, { k: 'hello', hb: 300_000, ch: [[1, 1, 1]] });
  node.send(session, { k: 'def', c: 1, s: 1, cols: [['temp']] });
  return { node, session };
}

/** The faults of a configuration, as one text; empty if it has none. */
function faultsOf(listen: string, file: string): string {
  const files: Record<string, string> = { 'tidegate.yaml': file, secret: SECRET };
  const readFile = (name: string): Uint8Array | null =>
    files[name] === undefined ? null : new TextEncoder().encode(files[name]);
  try {
    loadConfig({ flags: { listen }, env: {}, hostname: 'host', readFile });
    return '';
  } catch (error) {
    return String(error);
  }
}

const AUTH = 'auth: {hs256: {secretFile: secret}}\n';

rule(
  'R2.1-14 R10.1-2 R10.1-4 R13-25',
  'virtual time: 4202 a minute before, served on, 4003 at expiry',
  CORE,
  () => {
    const { node, session } = expiring(200_000);
    node.pass(139_000);
    expect(node.told(session, 'away')).toEqual([]);
    node.pass(1000);
    expect(node.told(session, 'away')).toMatchObject([{ e: 4202, dl: 60_000, w: 30_000 }]);
    for (let n = 1; n <= 5; n += 1) {
      node.pass(10_000);
      node.frame(session, { n });
      node.pass(50);
      expect(node.flow(session, 1).ack).toBe(n);
    }
    expect(node.closed(session)).toBeNull();
    node.pass(200_600 - 190_250);
    expect(node.told(session, 'away').map(({ e }) => e)).toEqual([4202, 4003]);
    expect(node.closed(session)).toBe(4003);
  },
);

rule('R2.1-15', 'virtual time: with less than 60 s left only the 4003', CORE, () => {
  const { node, session } = expiring(59_000);
  node.pass(58_500);
  expect(node.told(session, 'away')).toEqual([]);
  node.pass(1100);
  expect(node.told(session, 'away').map(({ e }) => e)).toEqual([4003]);
});

rule('R2.1-9 R14-14 R13-20', 'virtual time: no hello within 5 s ⇒ 4102', CORE, () => {
  const node = new VirtualNode().start();
  const [late, intime] = [node.connect('cbor', 'a'), node.connect('json', 'b')];
  node.pass(4990);
  expect(node.closed(late)).toBeNull();
  node.send(intime, { k: 'hello', ch: [[1, 1, 1]] });
  node.pass(1000);
  expect(node.told(late, 'away')).toMatchObject([{ e: 4102 }]);
  expect([node.closed(late), node.closed(intime)]).toEqual([4102, null]);
});

rule(
  'R2.1-3',
  'a gateway does not start on ws: beyond loopback unless the network is declared trusted',
  HTTP,
  () => {
    expect(faultsOf('127.0.0.1:0', AUTH)).toBe('');
    expect(faultsOf('[::1]:0', AUTH)).toBe('');
    expect(faultsOf('10.0.0.1:0', AUTH)).toMatch(/loopback/);
    expect(faultsOf('10.0.0.1:0', `${AUTH}listen: {plaintext: trusted-network}\n`)).toBe('');
  },
);

rule('R2.1-18', 'open mode does not start beyond loopback, declared or not', HTTP, () => {
  for (const host of ['127.0.0.1', 'localhost', '[::1]'])
    expect(faultsOf(`${host}:0`, '')).toBe('');
  expect(faultsOf('0.0.0.0:0', '')).not.toBe('');
  expect(faultsOf('10.0.0.1:0', 'listen: {plaintext: trusted-network}\n')).not.toBe('');
});
