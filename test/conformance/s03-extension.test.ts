import { expect } from 'vitest';
import { DeviceBench } from '../support/device-bench.ts';
import { useBed } from './bed.ts';
import { cborOf, cborValue, type Fields, kindOf, type Value, type Words } from './encoding.ts';
import { afterwards, dashboard, isTaken, Peer, publisher } from './peer.ts';
import { CBOR, CLIENT, CODECS, rule } from './rule.ts';

/** §3.3 and the rest of §3.4: what is unknown, what is reserved, what is cut. */

const bed = useBed();
const BLOCK: Fields = { s: 1, t: 5, v: [1] };
const MESSAGES: readonly Words[] = [
  { k: 'def', c: 1, s: 9, cols: [['a']] },
  { k: 'data', c: 1, n: 1, b: [BLOCK] },
  { k: 'flow', f: [] },
  { k: 'ping' },
  { k: 'sub', c: 1, p: ['#'], win: 1000 },
  { k: 'end', c: 7 },
];
const VALUES: readonly Value[] = [0, -5, 'x', null, true, [1, ['y']], { z: [1] }, 1.5];
/** Pairs that no message of a client has: keys of others, reserved ones, unknown ones. */
const UNLISTED = ['zzz', 'sid', 'st', 'e', 'to', 'gone', 'i', 'clk', 'trace'];

/** A map of raw keys as a message. */
const mapOf = (map: ReadonlyMap<number | string, Value>): Uint8Array => cborValue(map);
/** A block of set 1 with further raw keys. */
const blockMap = (more: readonly (readonly [number | string, Value])[]): Value =>
  new Map<number | string, Value>([[0, 1], [1, 5], [4, [1]], ...more]);

rule(
  'R3.3-1',
  'keys that App. A does not list here are ignored whatever their type',
  CODECS,
  async (codec) => {
    for (const value of VALUES) {
      const extra = Object.fromEntries(UNLISTED.map((name) => [name, value]));
      for (const words of MESSAGES) {
        const act = (peer: Peer) => peer.sayWords({ ...words, ...extra });
        expect(await isTaken(bed(), codec, act), `${words.k} ${JSON.stringify(value)}`).toBe(true);
      }
      const peer = await publisher(bed(), codec, { hello: extra });
      peer.frame({ n: 1 }, [{ ...BLOCK, zzz: value, o: value, st: value, i: value }]);
      await peer.acked(1);
      expect(peer.heard.map(({ k }) => k)).not.toContain('reject');
    }
  },
);

rule(
  'R3.3-2 R13-13',
  'a negative key, or a name with !, at the top or in a block ⇒ 4005',
  CODECS,
  async (codec) => {
    for (const words of MESSAGES) {
      const { code } = await afterwards(bed(), codec, (peer) =>
        peer.sayWords({ ...words, '!x': 1 }),
      );
      expect(code, String(words.k)).toBe(4005);
    }
    const inBlock = (peer: Peer) => peer.frame({ n: 1 }, [BLOCK, { ...BLOCK, '!x': 1 }]);
    expect(await afterwards(bed(), codec, inBlock)).toEqual({ code: 4005, named: [1, 1] });
    const hello = await Peer.open(bed(), codec);
    hello.say('hello', { '!x': 1 });
    expect((await hello.end()).code).toBe(4005);
    const deeper = (peer: Peer) => peer.say('ping', { zzz: { '!x': 1 } });
    expect(await isTaken(bed(), codec, deeper)).toBe(true);
  },
);

rule('R3.3-3', 'an unknown k ⇒ 4005', CODECS, async (codec) => {
  for (const number of [11, 12, 99, 70_000]) {
    const { code } = await afterwards(bed(), codec, (peer) => peer.sayWords({ k: kindOf(number) }));
    expect(code, String(number)).toBe(4005);
  }
});

rule(
  'R3.3-4',
  'keys from 46, block keys from 11, and text keys like ours mean nothing',
  CBOR,
  async (codec) => {
    const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
    const textKeys = new Map<string | number, Value>([
      [0, 0],
      ['ep', 77],
      ['ch', [[9, 9, 9]]],
      [9, [[1, 1, 1]]],
      [46, 'x'],
      [1000, null],
    ]);
    peer.send(mapOf(textKeys));
    const { ep, ch } = await peer.until('welcome');
    expect([ep === 77, ch]).toEqual([false, [[1, 1, 8192]]]);
    peer.say('def', { c: 1, s: 1, cols: [['a']] });
    peer.frame({ n: 1 }, [
      blockMap([
        [11, 'x'],
        [99, [1]],
        ['s', 5],
        ['q', 'bad'],
      ]),
    ]);
    await peer.acked(1);
  },
);

rule('R3.3-5', 'extra elements in ch, cols, bl, wm and f are ignored', CODECS, async (codec) => {
  const extra: Value[] = ['x', null, [1]];
  const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
  const { ch } = await peer.hello({ ch: [[1, 1, 1, ...extra]] });
  expect(ch).toEqual([[1, 1, 8192]]);
  peer.say('def', { c: 1, s: 1, cols: [['a', 'm', 1, 0, ...extra]] });
  peer.frame({ n: 1 }, [BLOCK]);
  peer.say('ping', { bl: [[1, 5, ...extra]], wm: [[1, 5, ...extra]] });
  peer.say('flow', { f: [[9, 0, 0, 0, ...extra]] });
  await peer.acked(1);
  await peer.barrier();
});

rule('R3.3-5', 'our client ignores extra elements in f and ch', CLIENT, () => {
  for (const codec of ['cbor', 'json'] as const) {
    const bench = new DeviceBench({ codec });
    bench.step({ kind: 'tick' });
    bench.step({ kind: 'opened' });
    bench.form();
    const more = ['x', 7] as unknown as [];
    const said = bench.says({
      k: 'welcome',
      ep: 7,
      now: 1,
      hb: 20_000,
      f: [[1, 0, 9000, 0, ...more]],
      ch: [[1, 1, 8192, ...more]],
    });
    expect(said).toContain('data 1:1');
  }
});

rule(
  'R3.3-6',
  'an unknown md or grp ⇒ state 4 with 4005, and the session goes on',
  CODECS,
  async (codec) => {
    const peer = await dashboard(bed(), codec);
    for (const [c, unknown] of [
      [1, { md: 2 }],
      [2, { grp: 2 }],
      [3, { md: 77 }],
    ] as const) {
      peer.sub({ c, ...unknown });
      expect((await peer.until('state', (one) => one.c === c)).e).toBe(4005);
    }
    await peer.barrier();
  },
);

rule('R3.3-6', 'a client takes a larger dur for 2 and ignores an unknown why', CLIENT, () => {
  const bench = new DeviceBench();
  bench.step({ kind: 'tick' });
  bench.step({ kind: 'opened' });
  bench.form();
  const bytes = {
    k: 'welcome',
    ep: 7,
    now: 1,
    hb: 20_000,
    f: [[1, 0, 9000]],
    ch: [[1, 1, 8192]],
    dur: 9,
    why: 99,
  } as const;
  expect(bench.says(bytes)).toContain('data 1:1');
  expect(durOf(bench)).toBe(2);
});

/** What the client says an ack is worth. */
function durOf(bench: DeviceBench): number | undefined {
  const { session, now } = bench;
  const bytes = cborOf({ k: 'flow', f: [[1, 1, 9999]] });
  for (const effect of session.step({ kind: 'message', bytes, isText: false }, now)) {
    if (effect.kind === 'acked') return effect.dur;
  }
  return undefined;
}

rule('R3.4-1', 'm is text for humans of at most 120 B', CODECS, async (codec) => {
  const long = 'x'.repeat(200);
  const peer = await publisher(bed(), codec);
  peer.say('sub', { c: 1, p: ['#'], win: 1000, agg: [long] });
  const state = await peer.until('state');
  peer.frame({ n: 1 }, [{ ...BLOCK, s: 12_345 }]);
  const reject = await peer.until('reject');
  peer.say('def', { c: 1, s: 9, cols: [[long]] });
  const { away } = await peer.end();
  for (const { m } of [state, reject, away as typeof state]) {
    expect(m).toBeTypeOf('string');
    expect(Buffer.byteLength(m ?? '')).toBeLessThanOrEqual(120);
  }
});

rule('R3.4-2', 'ua is cut at 64 B and never refused for its length', CODECS, async (codec) => {
  const peer = await dashboard(bed(), codec, { ua: `${'é'.repeat(200)}` });
  await peer.barrier();
});

rule('R3.4-2', 'our client sends at most 64 B of ua', CLIENT, () => {
  const bench = new DeviceBench({ ua: 'é'.repeat(40) });
  bench.step({ kind: 'tick' });
  bench.step({ kind: 'opened' });
  const [hello] = bench.sent;
  expect(hello).toMatchObject({ k: 'hello', ua: 'é'.repeat(32) });
});

rule('R3.4-4', 'without a change neither dur nor why stands in a flow', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  for (let n = 1; n <= 3; n += 1) {
    peer.frame({ n });
    await peer.acked(n);
  }
  await peer.barrier();
  const flows = peer.heard.filter(({ k }) => k === 'flow');
  expect(flows.length).toBeGreaterThanOrEqual(4);
  expect(flows.filter((flow) => 'dur' in flow || 'why' in flow)).toEqual([]);
});

rule('R3.4-5', 'keys 20, 21, 23, 24 and 44 are ignored, and never sent', CODECS, async (codec) => {
  const reserved = codec === 'cbor' ? {} : { lm: 1, x: 'y', pos: [1], clk: null, trace: 't' };
  const peer = await publisher(bed(), codec, { hello: reserved });
  if (codec === 'cbor')
    peer.send(
      mapOf(
        new Map<number, Value>([
          [0, 5],
          [20, 1],
          [21, 'y'],
          [23, [1]],
          [24, null],
          [44, 't'],
        ]),
      ),
    );
  else peer.say('ping', reserved);
  peer.sub();
  peer.frame({ n: 1 });
  await peer.until('data');
  const named = [
    'lm',
    'x',
    'pos',
    'clk',
    'trace',
    'key 20',
    'key 21',
    'key 23',
    'key 24',
    'key 44',
  ];
  expect(peer.heard.filter((heard) => named.some((name) => name in heard))).toEqual([]);
});
