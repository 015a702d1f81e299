import { expect } from 'vitest';
import { useBed } from './bed.ts';
import { float, padded, type Value } from './encoding.ts';
import { afterwards, blockOf, dashboard, isTaken, type Peer, publisher } from './peer.ts';
import { framesOf, rowsOf } from './reading.ts';
import { headersOf, STUB } from './record.ts';
import { CBOR, CODECS, rule } from './rule.ts';

/** §5.1: sets, and the limits of §14 on them. */

const bed = useBed();
const T = 1_700_000_000_000_000;

rule(
  'R5.1-1',
  'a def may come at any time, has no answer, and data may follow at once',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.frame({ n: 1 });
    await peer.acked(1);
    const before = peer.heard.length;
    peer.say('def', { c: 1, s: 5, cols: [['late']] });
    peer.frame({ n: 2 }, [{ s: 5, t: T, v: [7] }]);
    await peer.acked(2);
    await peer.barrier();
    expect(peer.heard.slice(before).map(({ k }) => k)).toEqual(['flow', 'flow']);
    expect(rowsOf(bed().log, peer.device).at(-1)).toBe(`late ${T} 7`);
  },
);

rule('R5.1-2', 'a def may be repeated', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  for (let i = 0; i < 3; i += 1) peer.say('def', { c: 1, s: 1, cols: [['temp', 'Cel']] });
  peer.say('def', { c: 1, s: 1, cols: [['temp', 'Cel', 1, 0]] });
  peer.frame({ n: 1 });
  await peer.acked(1);
});

rule(
  'R5.1-3 R13-27',
  'a set not defined on this connection is rejected, 4020',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.say('def', { c: 1, s: 5, cols: [['a']] });
    peer.frame({ n: 1 }, [{ s: 6, t: T, v: [1] }]);
    expect(await peer.until('reject')).toMatchObject({ c: 1, n: 1, e: 4020 });
    const { ep } = await peer.until('welcome');
    const again = await publisher(bed(), codec, {
      device: peer.device,
      hello: { ep, ch: [[1, 1, 2]] },
    });
    again.frame({ n: 2 }, [{ s: 5, t: T, v: [1] }]);
    expect(await again.until('reject')).toMatchObject({ n: 2, e: 4020 });
  },
);

rule(
  'R5.1-4 R13-10',
  'a set defined with another lane or other columns ⇒ 4001',
  CODECS,
  async (codec) => {
    const others: readonly [string, number, Value, string?][] = [
      ['another lane', 0, [['temp', 'Cel']]],
      ['another name', 1, [['temq', 'Cel']]],
      ['another unit', 1, [['temp', 'K']]],
      ['no unit', 1, [['temp']]],
      ['another scale', 1, [['temp', 'Cel', 2]]],
      ['another offset', 1, [['temp', 'Cel', 1, 1]]],
      ['one column more', 1, [['temp', 'Cel'], ['b']]],
      ['another of', 1, [['temp', 'Cel']], 'part'],
    ];
    for (const [what, c, cols, of] of others) {
      const { code } = await afterwards(bed(), codec, (peer) =>
        peer.say('def', { c, s: 1, cols, of }),
      );
      expect(code, what).toBe(4001);
    }
  },
);

rule(
  'R5.1-5',
  'a set belongs to one lane; a series may stand in several sets and lanes',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.say('def', { c: 1, s: 5, cols: [['temp', 'Cel'], ['b']] });
    peer.say('def', { c: 0, s: 6, cols: [['temp', 'Cel']] });
    peer.frame({ n: 1 }, [
      { s: 1, t: T, v: [1] },
      { s: 5, t: T, v: [2, null] },
    ]);
    peer.frame({ n: 1, c: 0 }, [{ s: 6, t: T, v: [3] }]);
    await peer.acked(1);
    await peer.acked(1, 0);
    expect(rowsOf(bed().log, peer.device).sort()).toEqual([1, 2, 3].map((v) => `temp ${T} ${v}`));
    peer.frame({ n: 2 }, [{ s: 6, t: T, v: [3] }]);
    expect((await peer.until('reject')).e).toBe(4021);
  },
);

rule(
  'R5.1-5 R5.1-11 RD-15',
  'two sets of the same definition in one frame: a hash for each',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.say('def', { c: 1, s: 5, cols: [['temp', 'Cel']] });
    peer.frame({ n: 1 }, [
      { s: 1, t: T, v: [1] },
      { s: 5, t: T, v: [2] },
    ]);
    await peer.acked(1);
    const [header] = headersOf(bed().log.of(peer.device));
    expect(header?.hashes).toHaveLength(2);
    expect(rowsOf(bed().log, peer.device)).toEqual([`temp ${T} 1`, `temp ${T} 2`]);
  },
);

rule('R5.1-6', 'an empty unit is none', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  peer.say('def', { c: 1, s: 5, cols: [['a', '']] });
  peer.say('def', { c: 1, s: 5, cols: [['a']] });
  const viewer = await dashboard(bed(), codec);
  viewer.sub({ p: [`${peer.device}/a`] });
  peer.frame({ n: 1 }, [{ s: 5, t: T, v: [1] }]);
  const { ser = [] } = await viewer.until('def');
  expect(ser.map((entry) => entry.slice(1))).toEqual([[`${peer.device}/a`]]);
});

rule(
  'R5.1-7',
  'physical value = raw × scale + offset in float64; for text both are ignored',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    const viewer = await dashboard(bed(), codec);
    viewer.sub({ p: [`${peer.device}/#`], agg: ['last'] });
    peer.say('def', { c: 1, s: 5, cols: [['a', '', 0.1, 5]] });
    peer.frame({ n: 1 }, [{ s: 5, t: T, v: [3] }]);
    expect((await viewer.until('data')).b[0]?.v.flat()).toEqual([3 * 0.1 + 5]);
    peer.say('def', { c: 1, s: 6, cols: [['b', '', 2, 5]] });
    peer.frame({ n: 2 }, [{ s: 6, t: T, v: ['x'] }]);
    expect((await viewer.until('data', ({ n }) => n === 2)).b[0]?.v.flat()).toEqual(['x']);
  },
);

rule('R5.1-7', 'a scale or offset that is not finite ⇒ 4000', CODECS, async (codec) => {
  const numbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const values: readonly Value[] =
    codec === 'cbor' ? numbers.flatMap((one) => [float(one), float(one, 32)]) : [null];
  for (const value of values) {
    for (const cols of [[['a', '', value]], [['a', '', 1, value]]] as Value[]) {
      const { code } = await afterwards(bed(), codec, (peer) =>
        peer.say('def', { c: 1, s: 5, cols }),
      );
      expect(code).toBe(4000);
    }
  }
});

rule('R5.1-8', 'a float32 stands for its exact value', CBOR, async (codec) => {
  const peer = await publisher(bed(), codec);
  peer.say('def', { c: 1, s: 5, cols: [['a', '', float(0.1, 32), float(-0.3, 32)]] });
  peer.say('def', { c: 1, s: 5, cols: [['a', '', Math.fround(0.1), Math.fround(-0.3)]] });
  peer.frame({ n: 1 }, [{ s: 5, t: T, v: [3] }]);
  await peer.acked(1);
  expect(rowsOf(bed().log, peer.device)).toEqual([
    `a ${T} ${3 * Math.fround(0.1) + Math.fround(-0.3)}`,
  ]);
});

rule(
  'R5.1-11 RD-18',
  'records are decodable without a session: definitions precede them',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    const name = `unique-${codec}`;
    peer.say('def', { c: 1, s: 5, of: 'part', cols: [[name, 'V', 2]] });
    peer.frame({ n: 1 }, [{ s: 5, t: T, v: [21] }, blockOf(1, T)]);
    await peer.acked(1);
    expect(rowsOf(bed().log, peer.device)).toEqual([`part/${name} ${T} 42`, `temp ${T} 1`]);
    const [record] = bed().log.of(peer.device);
    const [hash] = headersOf(bed().log.of(peer.device))[0]?.hashes ?? [];
    const at = bed().log.schemas.findIndex(
      (schema) => Buffer.from(schema.hash).toString('hex') === hash,
    );
    expect(at).toBeGreaterThanOrEqual(0);
    expect(at).toBeLessThan(record?.schemasBefore ?? 0);
  },
);

rule(
  'R14-6',
  '64 sets of 64 columns pass; one set or one column more ⇒ 4009',
  CODECS,
  async (codec) => {
    const columns = (count: number): Value => Array.from({ length: count }, (_, i) => [`c${i}`]);
    const peer = await publisher(bed(), codec);
    // Two sets are defined already: 62 more are all.
    for (let s = 10; s < 72; s += 1) peer.say('def', { c: 1, s, cols: columns(64) });
    await peer.barrier();
    peer.say('def', { c: 1, s: 10, cols: columns(64) });
    await peer.barrier();
    peer.say('def', { c: 1, s: 72, cols: columns(1) });
    expect((await peer.end()).code).toBe(4009);
    const wide = await afterwards(bed(), codec, (one) =>
      one.say('def', { c: 1, s: 9, cols: columns(65) }),
    );
    expect(wide.code).toBe(4009);
  },
);

rule('R14-2', 'a def of 4096 B is taken, one of 4097 B ⇒ 4009', CODECS, async (codec) => {
  const def = { k: 'def', c: 1, s: 9, cols: [['a']] };
  const saying = (bytes: number) => (peer: Peer) => peer.send(padded(codec, def, bytes));
  expect(await isTaken(bed(), codec, saying(4096))).toBe(true);
  expect((await afterwards(bed(), codec, saying(4097))).code).toBe(4009);
});

rule(
  'R14-17 R13-19',
  '128 definitions that nobody used pass at once, the next ⇒ 4101; used ones are free',
  CODECS,
  async (codec) => {
    const name = (i: number): string => `new-${codec}-${i}`;
    const device = bed().newDevice();
    let defined = 0;
    const fresh = async (count: number, session: Peer): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        session.say('def', { c: 1, s: 100 + i, cols: [[name(defined)]] });
        defined += 1;
      }
      await session.barrier();
    };
    // After this `temp` and `alarm` of the helper are known to the deployment.
    const used = await publisher(bed(), codec);
    used.frame({ n: 1 });
    used.frame({ n: 1, c: 0 }, [{ s: 2, t: T, v: [1] }]);
    await used.acked(1);
    await used.acked(1, 0);
    await fresh(62, await publisher(bed(), codec, { device }));
    await fresh(62, await publisher(bed(), codec, { device }));
    const third = await publisher(bed(), codec, { device });
    await fresh(4, third);
    third.say('def', { c: 1, s: 1, cols: [['temp', 'Cel']] });
    await third.barrier();
    third.say('def', { c: 1, s: 500, cols: [[name(9999)]] });
    const { away, code } = await third.end();
    expect([away?.e, code]).toEqual([4101, 4101]);
  },
);

rule('R5.1-3 R6.5-2', 'a refused frame leaves a stub without hashes', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  peer.frame({ n: 1 }, [{ s: 6, t: T, v: [1] }]);
  await peer.until('reject');
  expect(headersOf(bed().log.of(peer.device))).toMatchObject([{ kind: STUB, n: 1, hashes: [] }]);
  expect(framesOf(bed().log, peer.device)).toEqual([]);
});
