import { expect } from 'vitest';
import { shardOf } from '../../src/model/murmur2.ts';
import { LOG } from '../../src/model/record.ts';
import { utf8 } from '../support/bytes.ts';
import { referenceDecode } from '../support/cbor-reference.ts';
import { emptyDisk, VirtualNode } from '../support/virtual-node.ts';
import { NODE, useBed } from './bed.ts';
import { float, type Value, wide, written } from './encoding.ts';
import { blockOf, publisher } from './peer.ts';
import { FENCE, FRAME, headerOf, headersOf, MARK, STUB } from './record.ts';
import { CBOR, CODECS, CORE, JSON_TEXT, rule } from './rule.ts';
import { recordScenes, T } from './scenes.ts';

/** App. D: keys, shards and values of records, read by hand. */

const bed = useBed();
const { device } = recordScenes(bed);

/** Kafka's hash, from its definition. */
function murmur2(data: Uint8Array): number {
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ data.length;
  const whole = data.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k =
      (data[i] ?? 0) |
      ((data[i + 1] ?? 0) << 8) |
      ((data[i + 2] ?? 0) << 16) |
      ((data[i + 3] ?? 0) << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    h = Math.imul(h, m) ^ Math.imul(k, m);
  }
  for (let i = data.length - 1; i >= whole; i -= 1) h ^= (data[i] ?? 0) << (8 * (i - whole));
  if (data.length > whole) h = Math.imul(h, m);
  h ^= h >>> 13;
  h = Math.imul(h, m);
  return h ^ (h >>> 15);
}

const decoded = (bytes: Uint8Array | undefined): ReadonlyMap<number, unknown> =>
  referenceDecode(bytes ?? new Uint8Array(0), 1)?.value as ReadonlyMap<number, unknown>;

rule('RD-1', 'one record per frame, never rows', CODECS, async (codec) => {
  const peer = await device(codec);
  const kinds = headersOf(bed().log.of(peer.device)).map(({ kind, lane, n }) => [kind, lane, n]);
  expect(kinds.sort()).toEqual([
    [FRAME, 0, 1],
    [FRAME, 1, 1],
    [STUB, 1, 2],
  ]);
});

rule(
  'RD-19',
  'key: the device path, shard by murmur2 of it; fence and mark have an empty key',
  CODECS,
  async (codec) => {
    const peer = await device(codec);
    for (const { key, shard } of bed().log.of(peer.device)) {
      expect(new TextDecoder().decode(key)).toBe(peer.device);
      expect(shard).toBe((murmur2(key) & 0x7fffffff) % 4);
    }
    // Kafka's own example: its default partitioner puts this key there.
    expect(murmur2(utf8('foobar')) | 0).toBe(-790332482);
    expect(shardOf(utf8('foobar'), 24)).toBe((-790332482 & 0x7fffffff) % 24);
    const fences = bed().log.records.filter(
      ({ log, key }) => log !== LOG.aggregates && key.length === 0,
    );
    expect(
      fences
        .map(({ log, shard }) => `${log} ${shard}`)
        .sort()
        .slice(0, 8),
    ).toEqual(['0 0', '0 1', '0 2', '0 3', '1 0', '1 1', '1 2', '1 3']);
  },
);

rule('RD-2', 'value of a frame: the message in CBOR as it came', CBOR, async (codec) => {
  const peer = await publisher(bed(), codec);
  const payload = written(codec, {
    k: 'data',
    c: 1,
    n: 1,
    bl: wide(0),
    b: [{ ...blockOf(float(0.5, 32), T), zzz: [1] }],
  });
  peer.send(payload);
  await peer.acked(1);
  expect(Buffer.from(bed().log.of(peer.device)[0]?.value ?? [])).toEqual(
    Buffer.from(payload as Uint8Array),
  );
});

rule(
  'RD-2',
  'value of a frame that came as JSON: integers and nulls stay, a column with another number becomes tag 86',
  JSON_TEXT,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.say('def', { c: 1, s: 5, cols: [['a'], ['b'], ['c'], ['d'], ['e']] });
    const v: Value = [[1, null, -3], [1, 0.5, null], ['x', null, 'y'], true, 7.5];
    peer.frame({ n: 1, bl: 5, wm: 9 }, [{ s: 5, t: T, dt: 2, v, q: [0, 1, 2], zzz: 1 }]);
    await peer.acked(1);
    const map = decoded(bed().log.of(peer.device)[0]?.value);
    const block = (map.get(3) as ReadonlyMap<number, unknown>[])[0];
    const floats = new Uint8Array(Float64Array.of(1, 0.5, Number.NaN).buffer);
    expect([map.get(0), map.get(1), map.get(2), map.get(6), map.get(7)]).toEqual([3, 1, 1, 5, 9]);
    expect([block?.get(0), block?.get(1), block?.get(2), block?.get(5)]).toEqual([
      5,
      T,
      2,
      [0, 1, 2],
    ]);
    expect(block?.get(4)).toEqual([
      [1, null, -3],
      { tag: 86, bytes: floats },
      ['x', null, 'y'],
      true,
      7.5,
    ]);
  },
);

rule(
  'RD-2',
  "values of a fence (the node's name) and of a stub (the reject message)",
  CODECS,
  async (codec) => {
    const fence = bed().log.records.find((record) => headerOf(record).kind === FENCE);
    expect(new TextDecoder().decode(fence?.value)).toBe(NODE);
    const peer = await device(codec);
    const stub = bed()
      .log.of(peer.device)
      .find((record) => headerOf(record).kind === STUB);
    const map = decoded(stub?.value);
    expect([map.get(0), map.get(1), map.get(2), map.get(11)]).toEqual([6, 1, 2, 4020]);
  },
);

rule(
  'RD-2 RD-6',
  'virtual time: value of a mark: [+ [path, class, watermark]]; its lane is 0 in the log of lane 0, else 1',
  CORE,
  () => {
    const node = new VirtualNode(emptyDisk()).start();
    const session = node.publisher('d');
    node.send(session, { k: 'def', c: 0, s: 2, cols: [['alarm']] });
    const t = node.now.wallUs;
    node.frame(session, { n: 1 });
    node.frame(session, { c: 0, n: 1 }, [{ s: 2, t, v: [1] }]);
    node.pass(3000);
    node.send(session, {
      k: 'ping',
      wm: [
        [0, t + 5],
        [1, t + 7],
      ],
    });
    node.pass(2000);
    const marks = node.disk.records.filter(
      (record) => record.log !== LOG.aggregates && headerOf(record).kind === MARK,
    );
    const seen = marks.map((record) => [
      record.log,
      headerOf(record).lane,
      referenceDecode(record.value, 1)?.value,
    ]);
    expect(seen).toContainEqual([LOG.alarms, 0, [['d', 2, t + 5]]]);
    expect(seen).toContainEqual([LOG.readings, 1, [['d', 0, t + 7]]]);
  },
);
