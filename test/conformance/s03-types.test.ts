import { expect } from 'vitest';
import { useBed } from './bed.ts';
import { type Fields, float, type Value, type Words } from './encoding.ts';
import { afterwards, isTaken, Peer } from './peer.ts';
import { CODECS, rule } from './rule.ts';

/** [R3.1-11]: every key of App. A that a client sends, with a wrong type and missing. */

const bed = useBed();
const BLOCK: Fields = { s: 1, t: 5, v: [1] };
const GOOD = {
  def: { k: 'def', c: 1, s: 9, cols: [['a']] },
  data: { k: 'data', c: 1, n: 1, b: [BLOCK] },
  flow: { k: 'flow', f: [[9, 0, 0]] },
  ping: { k: 'ping' },
  sub: { k: 'sub', c: 1, p: ['#'], win: 1000 },
  end: { k: 'end', c: 7 },
} as const satisfies Record<string, Words>;

type Kind = keyof typeof GOOD;

/** Values that are no uint, and so on. */
const NO_UINT: readonly Value[] = [-1, float(1.5), 'x', true, null, [], {}];
const NO_INT: readonly Value[] = [float(1.5), 'x', true, null, []];
const NO_TEXT: readonly Value[] = [1, true, null, [], {}];
const NO_NUMBER: readonly Value[] = ['x', true, null, [1]];
const NO_LIST: readonly Value[] = [1, 'x', true, null, {}];
const NO_UINTS: readonly Value[] = [...NO_LIST, [-1], [float(0.5)], ['x'], [null]];
const NO_COLUMNS: readonly Value[] = [1, 'x', true, null, {}, []];

const WRONG: Readonly<Record<Kind, Readonly<Record<string, readonly Value[]>>>> = {
  def: {
    c: NO_UINT,
    s: NO_UINT,
    cols: [
      ...NO_LIST,
      [],
      ['a'],
      [[]],
      [[1]],
      [['a', 1]],
      [['a', 'm', 'x']],
      [['a', 'm', 1, null]],
    ],
    of: NO_TEXT,
  },
  data: {
    c: NO_UINT,
    n: [...NO_UINT, 0],
    lost: NO_UINT,
    b: [...NO_LIST, [], [1], [[]]],
    bl: NO_UINT,
    wm: NO_INT,
  },
  flow: {
    f: [...NO_LIST, [1], [[1, 2]], [[1, 2, -3]], [['a', 2, 3]], [[1, 2, 3, 'x']]],
    now: NO_INT,
    echo: NO_INT,
    ln: NO_UINT,
    dur: NO_UINT,
    why: NO_UINT,
  },
  ping: {
    bl: [...NO_LIST, [], [1], [[1]], [[1, -1]], [[1, 'x']]],
    wm: [...NO_LIST, [], [[1]], [[1, float(0.5)]], [[1, null]]],
    now: NO_INT,
  },
  sub: {
    c: [...NO_UINT, 0, 65_536],
    p: [...NO_LIST, [], [1]],
    win: NO_UINT,
    agg: [...NO_LIST, [], [1]],
    r: NO_UINT,
    hist: NO_UINT,
    md: NO_UINT,
    lim: NO_UINT,
    grp: NO_UINT,
  },
  end: { c: NO_UINT },
};

const WRONG_BLOCK: Readonly<Record<string, readonly Value[]>> = {
  s: NO_UINT,
  t: NO_INT,
  dt: NO_NUMBER,
  d: NO_UINTS,
  v: [...NO_COLUMNS, [{}], [[[1]]], [[{}]]],
  q: ['x', true, null, -1, float(0.5), ['x'], [-1]],
  fid: NO_UINT,
};

const without = (words: Words | Fields, name: string): Fields =>
  Object.fromEntries(Object.entries(words).filter(([one]) => one !== name));

for (const kind of Object.keys(GOOD) as Kind[]) {
  rule('R3.1-11 R3.2-6', `${kind}: a listed key of another type ⇒ 4000`, CODECS, async (codec) => {
    expect(
      await isTaken(bed(), codec, (peer) => peer.sayWords(GOOD[kind])),
      'as it should be',
    ).toBe(true);
    for (const [name, values] of Object.entries(WRONG[kind])) {
      for (const value of values) {
        const words: Words = { ...GOOD[kind], [name]: value };
        const { code } = await afterwards(bed(), codec, (peer) => peer.sayWords(words));
        expect(code, `${name} = ${JSON.stringify(value)}`).toBe(4000);
      }
    }
  });
}

rule(
  'R3.1-11 R3.2-6',
  'data: a block key of another type ⇒ 4000, naming the frame',
  CODECS,
  async (codec) => {
    for (const [name, values] of Object.entries(WRONG_BLOCK)) {
      for (const value of values) {
        const b = [{ ...BLOCK, [name]: value }];
        const ended = await afterwards(bed(), codec, (peer) => peer.frame({ n: 1 }, b));
        expect(ended, `${name} = ${JSON.stringify(value)}`).toEqual({ code: 4000, named: [1, 1] });
      }
    }
  },
);

rule('R3.1-11', 'a key that App. A requires is missing ⇒ 4000', CODECS, async (codec) => {
  const required: Readonly<Record<Kind, readonly string[]>> = {
    def: ['c', 's', 'cols'],
    data: ['c', 'n', 'b'],
    flow: ['f'],
    ping: [],
    sub: ['c', 'p', 'win'],
    end: ['c'],
  };
  for (const kind of Object.keys(GOOD) as Kind[]) {
    for (const name of required[kind]) {
      const words = without(GOOD[kind], name) as Words;
      const { code } = await afterwards(bed(), codec, (peer) => peer.sayWords(words));
      expect(code, `${kind} without ${name}`).toBe(4000);
    }
  }
  for (const name of ['s', 't', 'v']) {
    const b = [without(BLOCK, name)];
    const { code } = await afterwards(bed(), codec, (peer) => peer.frame({ n: 1 }, b));
    expect(code, `a block without ${name}`).toBe(4000);
  }
});

rule('R3.1-11 R3.2-6', 'hello: a listed key of another type ⇒ 4000', CODECS, async (codec) => {
  const wrong: Readonly<Record<string, readonly Value[]>> = {
    ep: [...NO_UINT, 0],
    ch: [...NO_LIST, [], [1], [[1, 1]], [[1, 1, 0]], [[1, -1, 1]]],
    now: NO_INT,
    hb: NO_UINT,
    tok: NO_TEXT,
    rx: NO_UINT,
    ua: NO_TEXT,
    hop: NO_UINT,
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
      peer.say('hello', { ch: [[1, 1, 1]], [name]: value });
      expect((await peer.end()).code, `${name} = ${JSON.stringify(value)}`).toBe(4000);
    }
  }
});
