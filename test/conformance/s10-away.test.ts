import { expect } from 'vitest';
import { refusalAnswer } from '../../src/adapters/host/answer.ts';
import { refusalOf } from '../../src/adapters/host/guard.ts';
import { breach } from '../../src/model/errors.ts';
import { openIdentity } from '../../src/model/identity.ts';
import { invariant } from '../../src/model/invariant.ts';
import { concat, hex } from '../support/bytes.ts';
import { VirtualNode } from '../support/virtual-node.ts';
import { useBed } from './bed.ts';
import { cborOf, type Value, Verbatim } from './encoding.ts';
import { afterwards, blockOf, type Peer, publisher } from './peer.ts';
import { CBOR, CODECS, CORE, rule } from './rule.ts';

/** §10.1 on the server's side. */

const bed = useBed();

rule(
  'R10.1-1 R13-1 R13-3',
  'away with the code precedes every close but those of the WebSocket layer',
  CODECS,
  async (codec) => {
    const breaches: readonly [act: (peer: Peer) => void, code: number][] = [
      [(peer) => peer.say('ping', { now: 'x' }), 4000],
      [(peer) => peer.say('hello'), 4001],
      [(peer) => peer.say('ping', { '!x': 1 }), 4005],
      [(peer) => peer.frame({ n: 5 }), 4008],
      [(peer) => peer.send(codec === 'cbor' ? 'x' : Uint8Array.of(1)), 1003],
    ];
    for (const [act, code] of breaches) {
      const peer = await publisher(bed(), codec);
      act(peer);
      const { reason, code: closed } = await peer.closed;
      const last = peer.heard.at(-1);
      expect([last?.k, last?.e, closed]).toEqual(['away', code, code]);
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    }
  },
);

rule('R10.1-2', 'without dl nothing more is read', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  peer.frame({ n: 5 });
  peer.frame({ n: 1 });
  peer.say('ping', { now: 5 });
  const { away } = await peer.end();
  expect(away?.dl ?? 0).toBe(0);
  expect(bed().log.of(peer.device)).toEqual([]);
  expect(peer.heard.filter(({ echo }) => echo === 5)).toEqual([]);
});

rule(
  'R10.1-6',
  'content or length of a data message: away names c and n as they stand',
  CODECS,
  async (codec) => {
    const broken = new Verbatim(Uint8Array.of(0x81, 0xff), '[{"s":"x"}]');
    const cases: readonly [what: string, c: number, n: number, b: Value, code: number][] = [
      ['malformed', 1, 1, broken, 4000],
      ['must-understand', 1, 1, [{ ...blockOf(), '!x': 1 }], 4005],
      ['too long', 1, 7, [blockOf('x'.repeat(9000))], 4009],
      ['too long on lane 0', 0, 1, [{ ...blockOf('x'.repeat(3000)), s: 2 }], 4009],
    ];
    for (const [what, c, n, b, code] of cases) {
      const ended = await afterwards(bed(), codec, (peer) => peer.frame({ c, n }, b));
      expect(ended, what).toEqual({ code, named: [c, n] });
    }
  },
);

rule(
  'R10.1-6',
  'what has no readable head, or another cause, names nothing',
  CODECS,
  async (codec) => {
    const nameless: readonly ((peer: Peer) => void)[] = [
      (peer) => peer.frame({ n: 0 }),
      (peer) => peer.say('data', { c: 1, b: [blockOf()] }),
      (peer) => peer.frame({ n: 9 }),
      (peer) => peer.frame({ n: 1, c: 2 }),
      (peer) => peer.say('ping', { now: 'x' }),
    ];
    for (const act of nameless) expect((await afterwards(bed(), codec, act)).named).toBeNull();
  },
);

rule(
  'R10.1-6',
  'a head that can be read is named, whatever comes behind it, and in whatever width it stands',
  CBOR,
  async (codec) => {
    const frame = cborOf({ k: 'data', c: 1, n: 1, b: [blockOf()] });
    const cases: readonly [what: string, bytes: Uint8Array, named: [number, number] | null][] = [
      ['bytes behind the map', concat(frame, Uint8Array.of(0)), [1, 1]],
      ['cut in the middle', frame.subarray(0, -3), [1, 1]],
      ['wide heads', hex('b8 04 18 00 03 18 01 18 01 19 00 02 1a 00 00 00 01 03 80'), [1, 1]],
      ['an indefinite map', hex('bf 00 03 01 01 02 01 03 80 ff'), null],
      ['n = 0', hex('a4 00 03 01 01 02 00 03 80'), null],
    ];
    for (const [what, bytes, named] of cases) {
      const ended = await afterwards(bed(), codec, (peer) => peer.send(bytes));
      expect(ended, what).toEqual({ code: 4000, named });
    }
  },
);

rule(
  'R10.1-9 R10.1-2 R10.1-3 R10.1-4 R13-24',
  'virtual time: leave: 4201 with w ≥ 1000 and dl = max(5 s, 2w), served on, closed at dl',
  CORE,
  () => {
    for (const codec of ['cbor', 'json'] as const) {
      const node = new VirtualNode().start();
      const device = node.publisher('d');
      const viewer = node.connect(codec);
      node.send(viewer, { k: 'hello' });
      node.step({ kind: 'leave' });
      for (const session of [device, viewer]) {
        expect(node.told(session, 'away')).toMatchObject([{ e: 4201, w: 1000, dl: 5000 }]);
      }
      for (let n = 1; n <= 4; n += 1) {
        node.pass(1000);
        node.frame(device, { n });
        node.pass(50);
        expect(node.flow(device, 1)).toMatchObject({ ack: n });
      }
      node.send(device, { k: 'ping', now: 5 });
      expect(node.told(device, 'flow').at(-1)?.echo).toBe(5);
      expect([node.closed(device), node.closed(viewer)]).toEqual([null, null]);
      node.pass(900);
      expect([node.closed(device), node.closed(viewer)]).toEqual([4201, 4201]);
    }
  },
);

rule(
  'R10.1-9',
  'virtual time: w grows with the sessions, 500 a second; without sessions it is over at once',
  CORE,
  () => {
    const node = new VirtualNode().start();
    const sessions = Array.from({ length: 1500 }, (_, i) => node.publisher(`d${i}`));
    node.step({ kind: 'leave' });
    expect(node.told(sessions[0] ?? 0, 'away')).toMatchObject([{ w: 3000, dl: 6000 }]);
    const idle = new VirtualNode().start();
    idle.step({ kind: 'leave' });
    expect(idle.gateway.isDrained).toBe(true);
  },
);

rule(
  'R10.1-8 R13-7 R13-18',
  'virtual time: a broken invariant ends its session with 1011; the device gets 4100 with w, for up to an hour',
  CORE,
  () => {
    const node = new VirtualNode(undefined, { onFault: () => undefined }).start();
    node.gateway.aggregation.tellWatermark = () => invariant(false, 'broken on purpose');
    const other = node.publisher('other');
    const session = node.publisher('d');
    node.send(session, { k: 'ping', wm: [[1, 1]] });
    expect(node.told(session, 'away')).toMatchObject([{ e: 1011 }]);
    expect([node.closed(session), node.closed(other)]).toEqual([1011, null]);
    node.pass(60_000);
    node.step({ kind: 'heard', session: other });
    const [away] = node.told(node.publisher('d'), 'away');
    expect(away?.e).toBe(4100);
    expect(away?.w).toBeGreaterThan(0);
    expect(away?.w).toBeLessThanOrEqual(3_600_000);
    node.pass(3_600_000);
    expect(node.closed(node.publisher('d'))).toBeNull();
  },
);

rule('R13-21', 'virtual time: a log that stopped ⇒ 4103', CORE, () => {
  const node = new VirtualNode().start();
  const session = node.publisher('d');
  node.isPrompt = false;
  node.frame(session, { n: 1 });
  node.flights.length = 0;
  node.step({ kind: 'failed', log: 0, reason: 'the disk refused a sync' });
  node.pass(1000);
  expect(node.told(session, 'away').map(({ e }) => e)).toEqual([4103]);
  expect(node.closed(session)).toBe(4103);
  expect(node.closed(node.publisher('e'))).toBe(4103);
});

rule(
  'R14-16 R13-19',
  'virtual time: 10 short sessions of a device a minute, the next ⇒ 4101 with w; not from loopback',
  CORE,
  () => {
    const attempts = (isLocal: boolean, wait = 0): (number | null)[] => {
      const node = new VirtualNode(undefined, { isOpen: false }).start();
      return Array.from({ length: 12 }, (_, i) => {
        if (i === 11) node.pass(wait);
        const identity = {
          subject: 'd',
          isPublisher: true,
          reads: [['#']],
          isMetricsReader: false,
          expiresUs: Number.POSITIVE_INFINITY,
        };
        const session = 1000 + i;
        node.heard.set(session, { messages: [], closed: null });
        node.step({ kind: 'connected', session, codec: 'cbor', identity, isLocal });
        node.sendBytes(session, cborOf({ k: 'hello', ch: [[1, 1, 1]] }), true);
        const closed = node.closed(session);
        if (closed === 4101) expect(node.told(session, 'away')[0]?.w).toBeGreaterThan(0);
        node.disconnect(session);
        return closed;
      });
    };
    expect(attempts(false)).toEqual([...Array.from({ length: 10 }, () => null), 4101, 4101]);
    expect(attempts(false, 61_000).at(-1)).toBeNull();
    expect(attempts(true)).toEqual(Array.from({ length: 12 }, () => null));
  },
);

rule('R14-16', 'virtual time: the same as HTTP 429 before the upgrade', CORE, () => {
  const node = new VirtualNode(undefined, { isOpen: false }).start();
  const { ingest } = node.gateway;
  for (let i = 0; i < 10; i += 1) {
    expect(ingest.refusalOf('d', false, node.now)).toBeNull();
    const session = node.connect('cbor', openIdentity('d'));
    node.send(session, { k: 'hello', ch: [[1, 1, 1]] });
    node.disconnect(session);
  }
  const held = ingest.refusalOf('d', false, node.now);
  expect(held?.code).toBe(4101);
  const { status, headers } = refusalAnswer(refusalOf(held ?? breach(1011)));
  expect([status, Number(headers['Retry-After']) > 0]).toEqual([429, true]);
});

rule(
  'R14-13',
  'virtual time: what is known of a device is kept for 7 days, then an old epoch is accepted and uncertain',
  CORE,
  () => {
    const day = 86_400_000;
    const node = new VirtualNode().start();
    const first = node.publisher('d');
    const ep = node.told(first, 'welcome')[0]?.ep ?? 0;
    node.frame(first, { n: 1 });
    node.frame(first, { n: 2 });
    node.disconnect(first);
    const resumed = (): { ack: number; closed: number | null } => {
      const session = node.publisher('d', { ep, first: 2 });
      const answer = { ack: node.flow(session, 1).ack, closed: node.closed(session) };
      node.disconnect(session);
      return answer;
    };
    node.pass(6.9 * day);
    expect(resumed()).toEqual({ ack: 2, closed: null });
    const stale = node.publisher('d', { ep: ep - 1, first: 2 });
    expect(node.closed(stale)).toBe(4007);
    node.pass(8 * day);
    expect(resumed()).toEqual({ ack: 1, closed: null });
  },
);
