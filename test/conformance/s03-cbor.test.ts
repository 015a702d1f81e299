import { expect } from 'vitest';
import { concat, hex } from '../support/bytes.ts';
import { useBed } from './bed.ts';
import { cborOf, float, tagged, type Value, Verbatim } from './encoding.ts';
import { afterwards, blockOf, isTaken, type Peer, publisher } from './peer.ts';
import { CBOR, rule } from './rule.ts';

/** §3.1: the CBOR profile, byte by byte. */

const bed = useBed();

const raw = (digits: string): Verbatim => new Verbatim(hex(digits), 'null');

const ping = (value: Value) => (peer: Peer) => peer.say('ping', { zzz: value });

/** A frame whose only column is this, in a block that may say more. */
const column =
  (value: Value, more: Record<string, Value> = {}) =>
  (peer: Peer) =>
    void peer.frame({ n: 1 }, [{ ...blockOf(), v: [value], ...more }]);

const nested = (depth: number): Value => (depth === 0 ? 1 : [nested(depth - 1)]);

const pairs = (count: number): Value =>
  new Map(Array.from({ length: count }, (_, i) => [`k${i}`, 0] as const));

rule('R3.1-1', 'what the profile allows is taken wherever it stands', CBOR, async (codec) => {
  const allowed: readonly [string, Value][] = [
    ['5 levels below the top', nested(5)],
    ['32 pairs', pairs(32)],
    ['negative keys in an inner map', new Map([[-1, 0]])],
    ['false, true, null', [false, true, null]],
    ['floats of 16, 32, 64 bits', [raw('f9 3c00'), raw('fa 3f800000'), raw('fb 3ff0000000000000')]],
    ['text beyond ASCII', 'é€😀'],
    ['a byte string', raw('43 010203')],
    ...[64, 69, 70, 71, 72, 77, 78, 79, 85, 86].map((tag): [string, Value] => [
      `tag ${tag}`,
      new Verbatim(tagged(tag, new Uint8Array(8)), ''),
    ]),
    ['a tag at the deepest level', [[[[new Float32Array(2)]]]]],
  ];
  for (const [what, value] of allowed) {
    expect(await isTaken(bed(), codec, ping(value)), what).toBe(true);
  }
});

rule('R3.1-1 R13-9', 'anything else ⇒ 4000', CBOR, async (codec) => {
  const forbidden: readonly [string, Value][] = [
    ['indefinite array', raw('9f 01 ff')],
    ['indefinite map', raw('bf 01 02 ff')],
    ['indefinite text', raw('7f 61 61 ff')],
    ['indefinite bytes', raw('5f 41 61 ff')],
    ['a lone break', raw('ff')],
    ['6 levels below the top', nested(6)],
    ['33 pairs', pairs(33)],
    ['duplicate integer key', raw('a2 01 00 01 00')],
    ['duplicate key of another width', raw('a2 01 00 1801 00')],
    ['duplicate text key', raw('a2 6161 00 6161 00')],
    ['a key that is a byte string', raw('a1 4161 00')],
    ['a key that is an array', raw('a1 80 00')],
    ['a key that is a float', raw('a1 f93c00 00')],
    ['a key that is true', raw('a1 f5 00')],
    ['invalid UTF-8', raw('62 c328')],
    ['overlong UTF-8', raw('62 c080')],
    ['a surrogate', raw('63 eda080')],
    ['undefined', raw('f7')],
    ['an unassigned simple value', raw('e0')],
    ['a two-byte simple value', raw('f8 ff')],
    ['reserved additional information', raw('1c')],
    ['a date tag', raw('c1 00')],
    ['a bignum', raw('c2 41 01')],
    ['big-endian floats, tag 82', new Verbatim(tagged(82, new Uint8Array(8)), '')],
    ['clamped bytes, tag 68', new Verbatim(tagged(68, new Uint8Array(8)), '')],
    ['float128, tag 87', new Verbatim(tagged(87, new Uint8Array(16)), '')],
    ['a typed array that is no byte string', raw('d840 80')],
    ['a tagged tag', raw('d840 d840 41 00')],
    ['a cut text', raw('65 6161')],
  ];
  for (const [what, value] of forbidden) {
    expect((await afterwards(bed(), codec, ping(value))).code, what).toBe(4000);
  }
  const after = concat(cborOf({ k: 'ping' }), Uint8Array.of(0));
  expect((await afterwards(bed(), codec, (peer) => peer.send(after))).code).toBe(4000);
  for (const top of ['80', '00', 'f6', '6161', '', 'bf 00 05 ff']) {
    expect((await afterwards(bed(), codec, (peer) => peer.send(hex(top)))).code, top).toBe(4000);
  }
});

rule('R3.1-1', '32 pairs pass at the top and in a block, 33 ⇒ 4000', CBOR, async (codec) => {
  const more = (count: number): Record<string, Value> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, 0]));
  expect(await isTaken(bed(), codec, (peer) => peer.say('ping', more(31)))).toBe(true);
  expect((await afterwards(bed(), codec, (peer) => peer.say('ping', more(32)))).code).toBe(4000);
  const peer = await publisher(bed(), codec);
  peer.frame({ n: 1, ...more(28) }, [{ ...blockOf(), ...more(29) }]);
  await peer.acked(1);
  const inBlock = (one: Peer) => one.frame({ n: 1 }, [{ ...blockOf(), ...more(30) }]);
  const atTop = (one: Peer) => one.frame({ n: 1, ...more(29) });
  for (const act of [inBlock, atTop]) {
    expect(await afterwards(bed(), codec, act)).toEqual({ code: 4000, named: [1, 1] });
  }
});

rule('R3.1-2 R3.1-3', 'where App. A says int or uint a float ⇒ 4000', CBOR, async (codec) => {
  const floats: readonly [string, (peer: Peer) => void][] = [
    ['def c', (peer) => peer.say('def', { c: float(1), s: 9, cols: [['a']] })],
    ['def s', (peer) => peer.say('def', { c: 1, s: float(9), cols: [['a']] })],
    ['ping now', (peer) => peer.say('ping', { now: float(1) })],
    ['ping bl', (peer) => peer.say('ping', { bl: [[1, float(1, 32)]] })],
    ['data n', (peer) => peer.say('data', { c: 1, n: float(1), b: [blockOf()] })],
    ['block t', (peer) => peer.frame({ n: 1 }, [{ ...blockOf(), t: float(5) }])],
    ['block d', (peer) => peer.frame({ n: 1 }, [{ s: 1, t: 5, d: [float(1)], v: [[1, 2]] }])],
    ['block q', (peer) => peer.frame({ n: 1 }, [{ ...blockOf(), q: float(1) }])],
  ];
  for (const [what, act] of floats) {
    expect((await afterwards(bed(), codec, act)).code, what).toBe(4000);
  }
  expect(
    await isTaken(bed(), codec, (peer) => peer.frame({ n: 1 }, [{ ...blockOf(), dt: float(5) }])),
  ).toBe(true);
});

rule(
  'R3.1-6',
  'an integer beyond ±(2⁵³−1) outside a 64-bit typed array ⇒ 4000',
  CBOR,
  async (codec) => {
    const most = BigInt(Number.MAX_SAFE_INTEGER);
    for (const value of [most, -most, 0n]) {
      expect(await isTaken(bed(), codec, ping(value)), `${value}`).toBe(true);
      expect(await isTaken(bed(), codec, (peer) => peer.say('ping', { now: value }))).toBe(true);
    }
    for (const value of [most + 1n, -most - 1n, 2n ** 64n - 1n, -(2n ** 64n)]) {
      expect((await afterwards(bed(), codec, ping(value))).code, `${value}`).toBe(4000);
      const inColumn = await afterwards(bed(), codec, column([value, value]));
      expect(inColumn, `${value}`).toEqual({ code: 4000, named: [1, 1] });
    }
    const peer = await publisher(bed(), codec);
    peer.frame({ n: 1 }, [{ ...blockOf(), v: [BigInt64Array.of(-(2n ** 63n))] }]);
    peer.frame({ n: 2 }, [{ ...blockOf(), v: [BigUint64Array.of(2n ** 64n - 1n)] }]);
    await peer.acked(2);
  },
);

rule('R3.1-10', 'a typed array that is no multiple of its width ⇒ 4000', CBOR, async (codec) => {
  for (const [tag, width] of [
    [69, 2],
    [70, 4],
    [71, 8],
    [77, 2],
    [78, 4],
    [79, 8],
    [85, 4],
    [86, 8],
  ] as const) {
    const values = new Verbatim(tagged(tag, new Uint8Array(width + 1)), '');
    expect((await afterwards(bed(), codec, column(values))).code, `tag ${tag}`).toBe(4000);
    expect((await afterwards(bed(), codec, ping(values))).code, `tag ${tag}`).toBe(4000);
  }
});
