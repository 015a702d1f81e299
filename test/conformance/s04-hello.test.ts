import { expect } from 'vitest';
import { VirtualNode } from '../support/virtual-node.ts';
import { useBed } from './bed.ts';
import type { Fields } from './encoding.ts';
import { afterwards, blockOf, dashboard, Peer, publisher } from './peer.ts';
import { headersOf } from './record.ts';
import { CODECS, CORE, rule } from './rule.ts';
import { sessionScenes } from './scenes.ts';

/** §4.1: what may be said when, what `hello` asks for, and what `welcome` answers. */

const bed = useBed();
const { refusal } = sessionScenes(bed);

rule(
  'R4.1-1',
  'hello is first and once, and is answered by welcome or away',
  CODECS,
  async (codec) => {
    const welcomed = await dashboard(bed(), codec);
    expect(welcomed.heard.map(({ k }) => k)).toEqual(['welcome']);
    const refusedOne = await Peer.open(bed(), codec);
    refusedOne.say('hello', { ch: [[1, 1, 1]] });
    await refusedOne.closed;
    expect(refusedOne.heard.map(({ k }) => k)).toEqual(['away']);
  },
);

rule(
  'R4.1-2 R13-10',
  'a second hello, or a message in the wrong direction ⇒ 4001; k is looked at first',
  CODECS,
  async (codec) => {
    const wrong: readonly (readonly [string, Fields])[] = [
      ['hello', {}],
      ['welcome', { now: 1, hb: 1 }],
      ['reject', { c: 1, n: 1, e: 4021 }],
      ['away', { e: 4000 }],
      ['state', { c: 1, st: 0 }],
      ['welcome', { now: 'not an int' }],
      ['away', { e: null, '!x': 1 }],
      ['state', {}],
    ];
    for (const [k, fields] of wrong) {
      const { code } = await afterwards(bed(), codec, (peer) => peer.say(k, fields));
      expect(code, `${k} ${JSON.stringify(fields)}`).toBe(4001);
    }
  },
);

rule(
  'R4.1-2',
  'what comes before welcome is kept until then, else ⇒ 4001',
  CODECS,
  async (codec) => {
    const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
    peer.say('hello', { ch: [[1, 1, 1]] });
    peer.say('def', { c: 1, s: 1, cols: [['a']] });
    peer.frame({ n: 1 });
    const isKept = await peer.acked(1).then(
      () => true,
      () => false,
    );
    if (!isKept) expect((await peer.end()).code).toBe(4001);
    for (const k of ['ping', 'def', 'data', 'sub', 'end', 'flow', 'welcome', 'away']) {
      const early = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
      early.say(k, {
        c: 1,
        n: 1,
        s: 1,
        cols: [['a']],
        b: [blockOf()],
        p: ['#'],
        win: 1000,
        f: [],
        now: 1,
        hb: 1,
        e: 4000,
      });
      expect((await early.end()).code, k).toBe(4001);
    }
  },
);

rule('R4.1-2', 'k is looked at before all that is wrong with the rest', CODECS, async (codec) => {
  for (const k of ['welcome', 'reject', 'away', 'state']) {
    const deep = await afterwards(bed(), codec, (peer) => peer.say(k, { x: [[[[[[[1]]]]]]] }));
    expect(deep.code, `${k}, too deep`).toBe(4001);
    const unknown = await afterwards(bed(), codec, (peer) => peer.say(k, { '!x': 1 }));
    expect(unknown.code, `${k}, must-understand`).toBe(4001);
  }
});

rule('R4.1-4', 'a lane named twice ⇒ 4001', CODECS, async (codec) => {
  expect(
    await refusal(codec, {
      ch: [
        [1, 1, 1],
        [1, 1, 1],
      ],
    }),
  ).toBe(4001);
  expect(
    await refusal(codec, {
      ch: [
        [0, 1, 1],
        [1, 1, 1],
        [0, 0, 1],
      ],
    }),
  ).toBe(4001);
});

rule('R4.1-5', 'ch of nobody in particular ⇒ 4004', CODECS, async (codec) => {
  const peer = await Peer.open(bed(), codec);
  peer.say('hello', { ch: [[1, 1, 1]] });
  expect((await peer.end()).code).toBe(4004);
});

rule('R4.1-6', 'without ch: no epoch, no fence, no owner', CODECS, async (codec) => {
  const device = await publisher(bed(), codec);
  const reader = await Peer.open(bed(), codec, { bearer: device.device });
  const welcome = await reader.hello();
  expect(Object.keys(welcome).sort()).toEqual(['hb', 'k', 'now', 'sid']);
  device.frame({ n: 1 });
  await device.acked(1);
  for (const [k, fields] of [
    ['def', { c: 1, s: 1, cols: [['a']] }],
    ['data', { c: 1, n: 1, b: [blockOf()] }],
  ] as const) {
    const silent = await dashboard(bed(), codec);
    silent.say(k, fields);
    expect((await silent.end()).code, k).toBe(4001);
  }
});

rule('R4.1-6', 'without ch a session is served while the log is not ours yet', CORE, () => {
  const node = new VirtualNode();
  const session = node.connect('json', 'd');
  node.send(session, { k: 'hello' });
  expect(node.told(session, 'welcome')).toHaveLength(1);
});

rule('R4.1-7', 'without ep first is 1 on every lane, else ⇒ 4001', CODECS, async (codec) => {
  expect(
    await refusal(codec, {
      ch: [
        [0, 1, 1],
        [1, 1, 2],
      ],
    }),
  ).toBe(4001);
  expect(
    await refusal(codec, {
      ch: [
        [0, 1, 9],
        [1, 1, 1],
      ],
    }),
  ).toBe(4001);
  const peer = await publisher(bed(), codec);
  peer.frame({ n: 9, lost: 8 });
  await peer.acked(9);
  expect(headersOf(bed().log.of(peer.device))).toMatchObject([{ n: 9, lost: 8 }]);
});

rule(
  'R4.1-8 R4.1-9 R13-26',
  'the order: credential, then owner (4203), then epoch (4007), then the fence',
  CORE,
  () => {
    const unowned = new VirtualNode();
    const anonymous = unowned.connect('cbor', null);
    unowned.send(anonymous, { k: 'hello', ch: [[1, 1, 1]] });
    const early = unowned.connect('cbor', 'd');
    unowned.send(early, { k: 'hello', ep: 9e15, ch: [[1, 1, 1]] });
    expect([anonymous, early].map((session) => unowned.closed(session))).toEqual([4004, 4203]);
    expect(unowned.told(early, 'away')).toMatchObject([{ e: 4203 }]);

    const node = new VirtualNode().start();
    const older = node.publisher('d');
    const stale = node.publisher('d', { ep: 9e15 });
    expect([older, stale].map((session) => node.closed(session))).toEqual([null, 4007]);
  },
);
