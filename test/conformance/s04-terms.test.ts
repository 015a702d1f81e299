import { expect } from 'vitest';
import { useBed } from './bed.ts';
import type { Value } from './encoding.ts';
import { afterwards, dashboard, Peer, publisher } from './peer.ts';
import { CODECS, rule } from './rule.ts';
import { sessionScenes } from './scenes.ts';

/** §4.1: lanes, QoS, and what else a session and a gateway agree on at `welcome`. */

const bed = useBed();
const { refusal } = sessionScenes(bed);

rule(
  'R4.1-14 R4.1-23 R6.4-6 R7-16',
  'welcome: f, ch, dur, hb, now; why only if it is not 0',
  CODECS,
  async (codec) => {
    const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
    const before = Date.now() * 1000;
    const welcome = await peer.hello({
      ch: [
        [1, 1, 1],
        [0, 1, 1],
      ],
    });
    expect(welcome).toMatchObject({ hb: 20_000, dur: 0 });
    expect([...welcome.f].sort()).toEqual([
      [0, 0, 4096],
      [1, 0, 16_512],
    ]);
    expect([...(welcome.ch ?? [])].sort()).toEqual([
      [0, 1, 1984],
      [1, 1, 8192],
    ]);
    expect(welcome.now).toBeGreaterThanOrEqual(before - 10_000);
    expect(welcome.now).toBeLessThanOrEqual(Date.now() * 1000 + 10_000);
    expect('why' in welcome).toBe(false);
    for (const [lane = 0, , mf = 0] of welcome.ch ?? []) {
      expect(mf).toBeGreaterThanOrEqual(lane === 0 ? 1984 : 8192);
      expect(mf).toBeLessThanOrEqual(16_000);
    }
  },
);

rule(
  'R1-5 R4.1-20',
  'lane 3 is never granted; data or def on a lane not granted ⇒ 4001',
  CODECS,
  async (codec) => {
    const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
    const { ch, f } = await peer.hello({
      ch: [
        [1, 1, 1],
        [3, 1, 1],
        [4, 1, 1],
        [70_000, 1, 1],
      ],
    });
    expect([ch?.map(([lane]) => lane), f.map(([lane]) => lane)]).toEqual([[1], [1]]);
    for (const c of [2, 3, 4, 70_000]) {
      const onData = await afterwards(bed(), codec, (one) => one.frame({ n: 1, c }));
      expect(onData.code, `data on ${c}`).toBe(4001);
      const onDef = await afterwards(bed(), codec, (one) =>
        one.say('def', { c, s: 7, cols: [['a']] }),
      );
      expect(onDef.code, `def on ${c}`).toBe(4001);
    }
  },
);

rule('R4.1-24 R13-13', 'no lane that can be granted ⇒ 4005', CODECS, async (codec) => {
  const asked: readonly Value[] = [
    [[3, 1, 1]],
    [
      [4, 1, 1],
      [65_535, 1, 1],
    ],
  ];
  for (const ch of asked) expect(await refusal(codec, { ch })).toBe(4005);
});

rule('R4.1-21', 'QoS above 1 is granted as 1, QoS 0 never higher', CODECS, async (codec) => {
  const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
  const { ch } = await peer.hello({
    ch: [
      [0, 0, 1],
      [1, 2, 1],
    ],
  });
  expect([...(ch ?? [])].sort()).toEqual([
    [0, 0, 1984],
    [1, 1, 8192],
  ]);
  const more = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
  expect((await more.hello({ ch: [[1, 77, 1]] })).ch).toEqual([[1, 1, 8192]]);
});

rule('R8-1', 'wishes for a heartbeat are clamped to 5 000 … 300 000 ms', CODECS, async (codec) => {
  const wishes = [
    [undefined, 20_000],
    [0, 5000],
    [4999, 5000],
    [5000, 5000],
    [300_000, 300_000],
    [300_001, 300_000],
  ];
  for (const [hb, decided] of wishes) {
    const peer = await Peer.open(bed(), codec);
    expect((await peer.hello({ hb })).hb, `${hb}`).toBe(decided);
  }
});

rule(
  'R14-5',
  'rx of 1024 is taken, below ⇒ 4009; to subscribe it is 32 768',
  CODECS,
  async (codec) => {
    const least = await dashboard(bed(), codec, { rx: 1024 });
    await least.barrier();
    const less = await Peer.open(bed(), codec);
    less.say('hello', { rx: 1023 });
    expect((await less.end()).code).toBe(4009);
    for (const [rx, e] of [
      [32_767, 4009],
      [32_768, undefined],
    ] as const) {
      const peer = await dashboard(bed(), codec, { rx });
      peer.sub();
      const state = await peer.until('state');
      expect([state.st, state.e], `rx ${rx}`).toEqual(e === undefined ? [0, undefined] : [4, 4009]);
    }
  },
);

rule(
  'R4.3-6',
  "welcome.now and flow.now with echo are the server's time",
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    const before = Date.now() * 1000;
    const flow = await peer.barrier();
    expect(flow.now).toBeGreaterThanOrEqual(before - 10_000);
    expect(flow.now).toBeLessThanOrEqual(Date.now() * 1000 + 10_000);
  },
);
