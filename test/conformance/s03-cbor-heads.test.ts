import { expect } from 'vitest';
import { concat, hex } from '../support/bytes.ts';
import { DeviceBench } from '../support/device-bench.ts';
import { useBed } from './bed.ts';
import { cborOf, cborValue, type Value, Verbatim, wide } from './encoding.ts';
import { afterwards, blockOf, dashboard, Peer, publisher } from './peer.ts';
import { CBOR, CLIENT, rule } from './rule.ts';

/** §3.1: widths of heads, order of keys, declared lengths. */

const bed = useBed();

const raw = (digits: string): Verbatim => new Verbatim(hex(digits), 'null');

const ping = (value: Value) => (peer: Peer) => peer.say('ping', { zzz: value });

/** Places of heads that could be shorter; bytes have been checked to be of the profile. */
function longHeads(bytes: Uint8Array): number[] {
  const found: number[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const [major, info] = [(bytes[at] as number) >> 5, (bytes[at] as number) & 31];
    const size = info < 24 ? 0 : 1 << (info - 24);
    at += 1;
    if (major === 7) {
      at += size;
      continue;
    }
    const argument = size === 0 ? info : uintAt(view, at, size);
    at += size;
    const least = [0, 24, 2 ** 8, 0, 2 ** 16, 0, 0, 0, 2 ** 32][size] as number;
    if (argument < least) found.push(start);
    if (major === 2 || major === 3) at += argument;
  }
  return found;
}

function uintAt(view: DataView, at: number, size: number): number {
  if (size === 1) return view.getUint8(at);
  if (size === 2) return view.getUint16(at);
  return size === 4 ? view.getUint32(at) : Number(view.getBigUint64(at));
}

rule('R3.1-4', 'the server writes every head in its shortest form', CBOR, async (codec) => {
  const peer = await publisher(bed(), codec);
  peer.frame({ n: 1 });
  await peer.acked(1);
  peer.frame({ n: 2 }, [{ s: 7, t: 1, v: [1] }]);
  await peer.until('reject');
  peer.sub();
  await peer.until('data');
  await peer.barrier();
  peer.say('hello');
  await peer.closed;
  expect(new Set(peer.heard.map(({ k }) => k)).size).toBeGreaterThanOrEqual(7);
  for (const payload of peer.payloads) expect(longHeads(payload)).toEqual([]);
});

rule('R3.1-5', 'the server takes every width of every head', CBOR, async (codec) => {
  const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
  const lanes = raw('9b 0000000000000001 9a 00000003 1801 190001 1a00000001');
  await peer.hello({ ch: lanes, now: wide(5), hb: raw('1a 00004e20') });
  peer.say('def', { c: wide(1), s: raw('190001'), cols: raw('98 01 9a 00000001 7a 00000001 61') });
  const t = wide(1_700_000_000_000_000);
  const block = new Map<number, Value>([
    [0, raw('1801')],
    [1, t],
    [4, [raw('d9 0040 58 02 0102')]],
    [2, wide(1)],
  ]);
  peer.frame({ n: 1, c: raw('1801') as unknown as number }, [block]);
  await peer.acked(1);
  expect((await peer.barrier()).echo).toBeTypeOf('number');
});

rule(
  'R3.1-5',
  'the client takes every width: welcome and flow with the widest heads',
  CLIENT,
  () => {
    const bench = new DeviceBench();
    bench.step({ kind: 'tick' });
    bench.step({ kind: 'opened' });
    bench.form();
    const entry = [wide(1), wide(0), wide(9000)];
    const welcome = {
      k: 'welcome',
      f: [entry],
      ep: wide(7),
      ch: [[wide(1), wide(1), wide(8192)]],
      now: wide(1),
      hb: wide(20_000),
    };
    const lines = bench.step({ kind: 'message', bytes: cborOf(welcome), isText: false });
    expect(lines).toContain('welcomed 7');
    expect(lines).toContain('data 1:1');
    const flow = cborOf({ k: 'flow', f: [[wide(1), wide(1), wide(9999)]] });
    expect(bench.step({ kind: 'message', bytes: flow, isText: false })).toContain('acked 1: 1');
  },
);

rule(
  'R3.1-7',
  'k, c, n, lost stand first, in this order; another order ⇒ 4000',
  CBOR,
  async (codec) => {
    const b = [blockOf()];
    const orders = [
      { c: 1, k: 'data', n: 1, b },
      { k: 'data', n: 1, c: 1, b },
      { k: 'data', b, c: 1, n: 1 },
      { k: 'data', c: 1, b, n: 1 },
      { k: 'data', c: 1, n: 1, b, lost: 0 },
      { k: 'data', c: 1, lost: 1, n: 2, b },
    ];
    for (const words of orders) {
      const { code } = await afterwards(bed(), codec, (peer) => peer.sayWords(words));
      expect(code, Object.keys(words).join()).toBe(4000);
    }
    const def = { s: 9, k: 'def', c: 1, cols: [['a']] };
    expect((await afterwards(bed(), codec, (peer) => peer.sayWords(def))).code).toBe(4000);
  },
);

rule('R3.1-8', 'the other keys stand in any order', CBOR, async (codec) => {
  const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
  await peer.hello({ ua: 'x', now: 5, ch: [[1, 1, 1]], hb: 20_000 });
  peer.sayWords({ k: 'def', c: 1, of: 'sub', cols: [['a']], s: 1 });
  peer.sayWords({
    k: 'data',
    c: 1,
    n: 2,
    lost: 1,
    wm: 5,
    bl: 0,
    b: [{ v: [[1, 2]], dt: 1, t: 5, s: 1 }],
  });
  await peer.acked(2);
});

rule(
  'R3.1-9',
  'a declared length is checked against the bytes that remain before anything else',
  CBOR,
  async (codec) => {
    const before = process.memoryUsage().rss;
    for (const digits of [
      '9a ffffffff',
      '9b 0000ffffffffffff',
      'ba ffffffff',
      '7a ffffffff',
      '5a ffffffff',
      'd840 5a ffffffff',
      '98 ff 00',
    ]) {
      const { code } = await afterwards(bed(), codec, ping(raw(digits)));
      expect(code, digits).toBe(4000);
    }
    const huge = cborValue([]);
    huge[0] = 0x9a;
    const b = new Verbatim(concat(huge, hex('ffffffff')), '');
    expect((await afterwards(bed(), codec, (peer) => peer.frame({ n: 1 }, b))).code).toBe(4000);
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
  },
);

rule(
  'R3.1-4 R3.1-7',
  'what a dashboard is sent keeps to the profile and the order of keys',
  CBOR,
  async (codec) => {
    const peer = await dashboard(bed(), codec);
    peer.sub();
    await peer.until('state', ({ st }) => st === 2);
    peer.say('end', { c: 1 });
    await peer.until('state', ({ st }) => st === 4);
    for (const payload of peer.payloads) expect(longHeads(payload)).toEqual([]);
  },
);
