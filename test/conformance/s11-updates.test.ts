import { expect } from 'vitest';
import { FanoutRig } from '../support/fanout-rig.ts';
import { emptyDisk, resultsOf as logged, VirtualNode } from '../support/virtual-node.ts';
import { useBed } from './bed.ts';
import { blockOf, publisher } from './peer.ts';
import { CODECS, CORE, rule } from './rule.ts';
import { datas, subscriptionScenes } from './scenes.ts';

/** §11.2 and §11.4: what an update is. */

const bed = useBed();
const { viewing } = subscriptionScenes(bed);

const S = 1_000_000;

rule(
  'R11.2-1',
  'every update carries the whole current value of its window',
  CODECS,
  async (codec) => {
    const device = await publisher(bed(), codec);
    const viewer = await viewing(codec, device, {
      agg: ['n', 'sum', 'min', 'max', 'first', 'last'],
    });
    const t = Math.floor(Date.now() / 1000) * S;
    for (let n = 1; n <= 4; n += 1) {
      device.frame({ n }, [blockOf(n, t + n)]);
      await device.acked(n);
      const total = (n * (n + 1)) / 2;
      const update = await viewer.until('data', ({ b }) => b[0]?.v.flat()[0] === n);
      expect(update.b[0]?.v.flat()).toEqual([n, total, 1, n, 1, n]);
    }
  },
);

rule(
  'R11.2-3 R11.2-4',
  'a flush sends the windows from the oldest changed on, per series in time order',
  CORE,
  () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    for (let second = 1; second <= 5; second += 1) rig.put(series, second, { mean: second });
    rig.open(1);
    rig.sub(1);
    rig.advance(100);
    rig.taken(1);
    rig.put(series, 6, { mean: 6 });
    rig.put(series, 4, { mean: 44 });
    rig.advance(100);
    const [{ b } = { b: [] }] = datas(rig.taken(1));
    expect(b.flatMap(({ t, v }) => [t / S, v])).toEqual([4, [[44, 5, 6]]]);
  },
);

rule('R11.2-4', 'the longest-waiting series comes first', CORE, () => {
  const rig = new FanoutRig();
  const series = ['a', 'b', 'c'].map((name) => rig.add(`d/${name}`));
  for (const one of series) rig.put(one, 1, { mean: 1 });
  rig.open(1);
  rig.sub(1);
  rig.advance(100);
  rig.taken(1);
  for (const i of [2, 0, 1]) rig.put(series[i] as (typeof series)[0], 2, { mean: 2 });
  rig.advance(100);
  expect(datas(rig.taken(1))[0]?.b[0]?.i).toEqual([3, 1, 2]);
});

rule(
  'R11.2-7 R11.2-10',
  'windows of many series: t, dt, numbers, a column per aggregate; one st and cl per block',
  CORE,
  () => {
    for (const codec of ['cbor', 'json'] as const) {
      const rig = new FanoutRig(codec);
      const [a, b, c] = ['a', 'b', 'c'].map((name) => rig.add(`d/${name}`));
      rig.put(a as never, 5, { mean: 1.5, n: 2 });
      rig.put(b as never, 5, { mean: 2.5, n: 3 });
      rig.put(c as never, 5, { mean: 9.5, n: 4 }, { status: 1 });
      rig.put(c as never, 5, { mean: 8.5, n: 1 }, { classId: 2 });
      rig.open(1);
      rig.sub(1, { agg: ['mean', 'n'] });
      rig.advance(0);
      const blocks = datas(rig.taken(1)).flatMap((one) => one.b);
      const plain = blocks.map(({ t, dt, i, v, st = 0, cl = 0 }) => ({
        t,
        dt,
        i: [i].flat(),
        v: v.map((one) => (typeof one === 'object' ? [...(one as Iterable<number>)] : [one])),
        st,
        cl,
      }));
      expect(plain).toHaveLength(3);
      expect(plain).toContainEqual({
        t: 5 * S,
        dt: S,
        i: [1, 2],
        v: [
          [1.5, 2.5],
          [2, 3],
        ],
        st: 0,
        cl: 0,
      });
      expect(plain).toContainEqual({ t: 5 * S, dt: S, i: [3], v: [[9.5], [4]], st: 1, cl: 0 });
      expect(plain).toContainEqual({ t: 5 * S, dt: S, i: [3], v: [[8.5], [1]], st: 0, cl: 2 });
    }
  },
);

rule(
  'R11.2-8 R11.2-11 R11.2-15',
  'many windows of one series: starts by d, or by dt without it; empty windows are absent',
  CORE,
  () => {
    const rig = new FanoutRig();
    const series = rig.add('d/x');
    for (const second of [10, 11, 14]) rig.put(series, second, { mean: second });
    rig.open(1);
    rig.sub(1, { hist: 60_000 });
    rig.advance(0);
    const [{ b } = { b: [] }] = datas(rig.taken(1));
    expect(b).toMatchObject([{ t: 10 * S, dt: S, i: 1, d: [S, 3 * S], v: [[10, 11, 14]] }]);
    const even = new FanoutRig();
    const other = even.add('d/x');
    for (const second of [10, 11, 12]) even.put(other, second, { mean: second });
    even.open(1);
    even.sub(1, { hist: 60_000 });
    even.advance(0);
    const [block] = datas(even.taken(1))[0]?.b ?? [];
    expect([block?.t, block?.dt, block?.i, block?.v]).toEqual([10 * S, S, 1, [[10, 11, 12]]]);
    expect([undefined, `${[S, S]}`]).toContain(
      block?.d === undefined ? undefined : `${[...block.d]}`,
    );
  },
);

rule('R11.2-12', 'an aggregate that a result does not have is null', CODECS, async (codec) => {
  const device = await publisher(bed(), codec);
  const viewer = await viewing(codec, device, { agg: ['mean', 'n', 'last'] });
  device.frame({ n: 1 }, [blockOf('x')]);
  const { b } = await viewer.until('data');
  expect(b[0]?.v.map((column) => [column].flat()[0])).toEqual([null, 1, 'x']);
});

rule(
  'R11.2-16 R9.4-8',
  'results agree bit for bit with the log; n is an integer',
  CODECS,
  async (codec) => {
    const device = await publisher(bed(), codec);
    const viewer = await viewing(codec, device, { agg: ['mean', 'n', 'sum'] });
    const values = [0.1, 1 / 3, 16_777_217, 1e300];
    const t = Math.floor(Date.now() / 1000) * S;
    for (const [i, value] of values.entries()) {
      device.frame({ n: i + 1 }, [blockOf(value, t - i * 10 * S)]);
      await device.acked(i + 1);
      const { b } = await viewer.until('data', (one) =>
        one.b.some((block) => block.t === t - i * 10 * S),
      );
      const block = b.find((one) => one.t === t - i * 10 * S);
      expect(block?.v.map((column) => [column].flat()[0])).toEqual([value, 1, value]);
    }
  },
);

rule('R11.4-2', 'the aggregates log holds final and corrected results only', CORE, () => {
  const disk = emptyDisk();
  const node = new VirtualNode(disk).start();
  const session = node.publisher('d');
  const start = node.now.wallUs;
  node.frame(session, { n: 1 }, [node.block(start)]);
  node.pass(500);
  expect(logged(disk)).toEqual([]);
  node.frame(session, { n: 2 }, [node.block(start + 10 * S)]);
  node.pass(100);
  node.frame(session, { n: 3 }, [node.block(start)]);
  node.pass(100);
  expect(logged(disk)).toMatchObject([{ status: 'final' }, { status: 'corrected' }]);
});
