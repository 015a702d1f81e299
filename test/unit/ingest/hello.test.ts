import { describe, expect, test } from 'vitest';
import type { Hello } from '../../../src/wire/messages.ts';
import { VirtualNode } from '../../support/virtual-node.ts';

const node = (): VirtualNode => new VirtualNode().start();

describe('hello', () => {
  test('welcomes a publisher with an epoch, its lanes and two largest frames of credit', () => {
    const gateway = node();
    const session = gateway.publisher('a/b');
    const [welcome] = gateway.told(session, 'welcome');
    expect(welcome).toMatchObject({
      dur: 1,
      hb: 20_000,
      ch: [
        [0, 1, 1984],
        [1, 1, 8192],
      ],
    });
    expect(welcome?.f).toEqual([
      [0, 0, 4096],
      [1, 0, 16_512],
    ]);
    expect(welcome?.ep).toBeGreaterThan(0);
  });

  test('a session without ch publishes nothing and has no epoch', () => {
    const gateway = node();
    const session = gateway.connect('json');
    gateway.send(session, { k: 'hello', now: 1 });
    expect(gateway.told(session, 'welcome')).toEqual([
      { k: 'welcome', now: expect.any(Number), hb: 20_000, sid: expect.any(String) },
    ]);
  });

  test.each<[string, Partial<Hello>, string | null, number]>([
    ['ch without a credential', { ch: [[1, 1, 1]] }, null, 4004],
    ['a token that is no path', { ch: [[1, 1, 1]], tok: 'a//b' }, null, 4003],
    ['an empty token', { tok: '' }, null, 4003],
    [
      'a lane twice',
      {
        ch: [
          [1, 1, 1],
          [1, 1, 1],
        ],
      },
      'd',
      4001,
    ],
    ['first above 1 without ep', { ch: [[1, 1, 2]] }, 'd', 4001],
    ['no lane that can be granted', { ch: [[3, 1, 1]] }, 'd', 4005],
    ['rx below 1024', { ch: [[1, 1, 1]], rx: 1000 }, 'd', 4009],
    ['an epoch from the far future', { ep: 9e15, ch: [[1, 1, 1]] }, 'd', 4007],
  ])('%s is refused', (_, hello, bearer, code) => {
    const gateway = node();
    const session = gateway.connect('cbor', bearer);
    gateway.send(session, { k: 'hello', ...hello });
    expect(gateway.told(session, 'away')).toMatchObject([{ e: code }]);
    expect(gateway.closed(session)).toBe(code);
  });

  test('a token in hello counts where the upgrade carried none', () => {
    const gateway = node();
    const session = gateway.connect();
    gateway.send(session, { k: 'hello', tok: 'x/y', ch: [[1, 1, 1]] });
    expect(gateway.told(session, 'welcome')).toHaveLength(1);
    expect(gateway.gateway.ingest.devices.find('x/y')).toBeDefined();
  });

  test('wishes for a heartbeat are clamped, QoS 2 is granted as 1, lane 3 is not granted', () => {
    const gateway = node();
    const session = gateway.connect('cbor', 'd');
    gateway.send(session, {
      k: 'hello',
      hb: 1,
      ch: [
        [1, 2, 1],
        [3, 1, 1],
      ],
    });
    expect(gateway.told(session, 'welcome')).toMatchObject([{ hb: 5000, ch: [[1, 1, 8192]] }]);
  });

  test.each(['a', 'a/b/c'])('%s is tangled with the known device a/b', (path) => {
    const gateway = node();
    gateway.publisher('a/b');
    expect(gateway.closed(gateway.publisher(path))).toBe(4004);
    expect(gateway.closed(gateway.publisher('a/c'))).toBeNull();
  });

  test('before the log is ours devices are told to wait, dashboards are served', () => {
    const gateway = new VirtualNode();
    const device = gateway.publisher('d');
    expect(gateway.told(device, 'away')).toMatchObject([{ e: 4203, w: 1000 }]);
    const dashboard = gateway.connect('json');
    gateway.send(dashboard, { k: 'hello' });
    expect(gateway.told(dashboard, 'welcome')).toHaveLength(1);
  });

  test('no hello within 5 s', () => {
    const gateway = node();
    const session = gateway.connect();
    gateway.pass(6000);
    expect(gateway.closed(session)).toBe(4102);
  });

  test('a newer connection of the device takes over, and the older one is told', () => {
    const gateway = node();
    const older = gateway.publisher('d');
    const newer = gateway.publisher('d');
    expect(gateway.closed(older)).toBe(4104);
    expect(gateway.closed(newer)).toBeNull();
    gateway.disconnect(older);
    gateway.frame(newer, { n: 1 });
    gateway.pass(30);
    expect(gateway.flow(newer, 1).ack).toBe(1);
  });

  test('a stray hello that sends nothing does not make the live epoch stale', () => {
    const gateway = node();
    const first = gateway.publisher('d');
    const ep = gateway.told(first, 'welcome')[0]?.ep as number;
    gateway.frame(first, { n: 1 });
    gateway.publisher('d');
    const again = gateway.publisher('d', { ep, first: 2 });
    expect(gateway.closed(again)).toBeNull();
    expect(gateway.flow(again, 1).ack).toBe(1);
  });

  test('an epoch older than one in use is stale', () => {
    const gateway = node();
    const first = gateway.publisher('d');
    const ep = gateway.told(first, 'welcome')[0]?.ep as number;
    gateway.frame(first, { n: 1 });
    gateway.frame(gateway.publisher('d'), { n: 1 });
    expect(gateway.closed(gateway.publisher('d', { ep, first: 2 }))).toBe(4007);
  });
});
