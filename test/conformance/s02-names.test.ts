import { expect } from 'vitest';
import { useBed } from './bed.ts';
import type { Value } from './encoding.ts';
import { afterwards, isTaken, Peer, publisher } from './peer.ts';
import { CODECS, rule } from './rule.ts';
import { bearing, refused } from './upgrade.ts';

/** §2.2: paths, names, units, topics, and which device paths go together. */

const bed = useBed();
const def = (cols: Value, of?: string) => (peer: Peer) => peer.say('def', { c: 1, s: 9, cols, of });
const levels = (count: number, chars = 1): string =>
  Array.from({ length: count }, () => 'l'.repeat(chars)).join('/');

const BAD_PATHS = [
  '',
  '/',
  'a/',
  '/a',
  'a//b',
  '.',
  '..',
  'a/./b',
  'a/../b',
  'a b',
  'ä',
  'a+',
  '#',
];

rule('R2.2-1', 'levels of [A-Za-z0-9._~-], not . or ..: as device path', CODECS, async (codec) => {
  for (const token of ['aZ0._~-', '...', 'a.', levels(16), 'x'.repeat(64)]) {
    const peer = await Peer.open(bed(), codec, { bearer: token });
    peer.socket.terminate();
  }
  for (const token of BAD_PATHS.filter((path) => !/[^ -~]/.test(path))) {
    expect((await refused(bed(), { headers: bearing(token) })).status, token).toBe(401);
  }
  for (const tok of [...BAD_PATHS, 'x'.repeat(65), levels(17)]) {
    const peer = await Peer.open(bed(), codec);
    peer.say('hello', { tok });
    expect((await peer.end()).code, tok).toBe(4003);
  }
});

rule('R2.2-1 R2.2-7 R14-8', 'the same as column name and as of ⇒ 4000', CODECS, async (codec) => {
  for (const path of ['aZ0._~-', 'x'.repeat(64), levels(13)]) {
    expect(await isTaken(bed(), codec, def([[path]])), path).toBe(true);
    expect(await isTaken(bed(), codec, def([['a']], path.slice(0, 25))), path).toBe(true);
  }
  for (const path of [...BAD_PATHS, 'x'.repeat(65), levels(17)]) {
    expect((await afterwards(bed(), codec, def([[path]]))).code, path).toBe(4000);
    expect((await afterwards(bed(), codec, def([['a']], path))).code, `of ${path}`).toBe(4000);
  }
});

rule(
  'R2.2-2 R14-8',
  'device path, of and column name: 128 B pass, 129 do not',
  CODECS,
  async (codec) => {
    const path = (bytes: number): string => `${'x'.repeat(64)}/${'y'.repeat(bytes - 65)}`;
    const device = await Peer.open(bed(), codec, { bearer: path(128) });
    device.socket.terminate();
    expect((await refused(bed(), { headers: bearing(`${path(127)}/z`) })).status).toBe(401);
    expect(await isTaken(bed(), codec, def([[path(128)]]))).toBe(true);
    expect((await afterwards(bed(), codec, def([[`${path(127)}/z`]]))).code).toBe(4000);
    expect(await isTaken(bed(), codec, def([['x']], path(128)))).toBe(true);
    expect((await afterwards(bed(), codec, def([['x']], `${path(127)}/z`))).code).toBe(4000);
  },
);

rule('R2.2-3 R14-8', 'a topic has at most 16 levels and 256 B', CODECS, async (codec) => {
  const device = `t/${bed().newDevice().replaceAll('/', '-')}`;
  const defines = async (name: string, of?: string): Promise<number> => {
    const peer = await publisher(bed(), codec, { device });
    peer.say('def', { c: 1, s: 9, cols: [[name]], of });
    return await peer.barrier().then(
      () => 0,
      async () => (await peer.end()).code,
    );
  };
  expect(await defines(levels(14))).toBe(0);
  expect(await defines(levels(15))).toBe(4000);
  expect(await defines(levels(7), levels(7))).toBe(0);
  expect(await defines(levels(7), levels(8))).toBe(4000);
  const rest = 256 - device.length - 2;
  const of = `${'x'.repeat(64)}/${'y'.repeat(60)}`;
  const name = (bytes: number): string => `${'x'.repeat(63)}/${'z'.repeat(bytes - 64)}`;
  expect(await defines(name(rest - of.length), of)).toBe(0);
  expect(await defines(name(rest - of.length + 1), of)).toBe(4000);
});

rule(
  'R2.2-4 R14-8',
  'a unit is at most 32 characters of printable ASCII without space',
  CODECS,
  async (codec) => {
    for (const unit of ['', 'm/s2', '%', '!~', 'u'.repeat(32)]) {
      expect(await isTaken(bed(), codec, def([['a', unit]])), unit).toBe(true);
    }
    for (const unit of ['u'.repeat(33), 'a b', ' ', '°C', '\t', '\u007f', 'ü']) {
      expect((await afterwards(bed(), codec, def([['a', unit]]))).code, unit).toBe(4000);
    }
  },
);

rule(
  'R2.2-6',
  'a path that extends, or is extended by, a connected or known one ⇒ 4004',
  CODECS,
  async (codec) => {
    const device = `${bed().newDevice()}/a/b`;
    const first = await publisher(bed(), codec, { device });
    const tangled = async (): Promise<number[]> => {
      const codes: number[] = [];
      for (const path of [`${device}/c`, device.slice(0, -2), `${device}/c/d`]) {
        const peer = await Peer.open(bed(), codec, { bearer: path });
        peer.say('hello', { ch: [[1, 1, 1]] });
        codes.push((await peer.end()).code);
      }
      return codes;
    };
    expect(await tangled()).toEqual([4004, 4004, 4004]);
    first.frame({ n: 1 });
    await first.acked(1);
    first.socket.close(1000);
    await first.closed;
    expect(await tangled()).toEqual([4004, 4004, 4004]);
    const sibling = await publisher(bed(), codec, { device: `${device}c` });
    await sibling.barrier();
  },
);

rule('R2.2-7 R13-9', 'a def that names a column twice ⇒ 4000', CODECS, async (codec) => {
  expect(await isTaken(bed(), codec, def([['a'], ['a/b'], ['A']]))).toBe(true);
  expect((await afterwards(bed(), codec, def([['a'], ['b'], ['a', 'm']]))).code).toBe(4000);
});
