import { expect } from 'vitest';
import { decodeCbor } from '../../src/wire/decode.ts';
import { encode, encodeBlocks } from '../../src/wire/encode.ts';
import { useBed } from './bed.ts';
import { float, jsonText, type Value, Verbatim, type Words } from './encoding.ts';
import { afterwards, blockOf, dashboard, Peer, publisher } from './peer.ts';
import { CLIENT, JSON_TEXT, rule } from './rule.ts';

/** §3.2: the JSON mapping. */

const bed = useBed();
const NOTHING = new Uint8Array(0);
/** This text in the place of a value. */
const text = (json: string): Verbatim => new Verbatim(NOTHING, json);
const words = (json: string) => (peer: Peer) => peer.send(json);

/** The values that the log has for a column that came as this JSON. */
async function logged(column: Value): Promise<readonly unknown[]> {
  const peer = await publisher(bed(), 'json');
  peer.frame({ n: 1 }, [{ s: 1, t: 5, dt: 1, v: [column] }]);
  await peer.acked(1);
  const [record] = bed().log.of(peer.device);
  const decoded = decodeCbor(record?.value ?? NOTHING, 'client');
  if ('breach' in decoded || decoded.message.k !== 'data') throw new Error('no frame');
  const [block] = decoded.message.b;
  return [...((block?.v[0] ?? []) as readonly unknown[])];
}

rule(
  'R3.2-1',
  'names, the name of the kind in k, keys in any order, typed arrays as arrays',
  JSON_TEXT,
  async (codec) => {
    const peer = await Peer.open(bed(), codec, { bearer: bed().newDevice() });
    peer.send('{"ch":[[1,1,1]],"now":5,"k":"hello"}');
    expect((await peer.until('welcome')).ch).toEqual([[1, 1, 8192]]);
    peer.send('{"cols":[["a"],["b"]],"s":1,"c":1,"k":"def"}');
    peer.send('{"b":[{"v":[[1,2],[0.5,-1]],"t":5,"dt":1,"s":1}],"n":1,"k":"data","c":1}');
    await peer.acked(1);
    expect(peer.heard.map(({ k }) => k)).toContain('flow');
  },
);

rule('R3.2-2', 'null is "no value", and so is a number beyond float64', JSON_TEXT, async () => {
  expect(await logged([1.5, null, text('1e400'), text('-1e999'), 2])).toEqual([
    1.5,
    Number.NaN,
    Number.NaN,
    Number.NaN,
    2,
  ]);
});

rule('R3.2-3', 'a string in a column is text, never a number', JSON_TEXT, async () => {
  expect(await logged(['12', 'NaN', null])).toEqual(['12', 'NaN', null]);
});

rule('R3.2-3', 'text stays text in what a dashboard is sent', JSON_TEXT, async (codec) => {
  const peer = await publisher(bed(), codec);
  peer.sub({ p: [`${peer.device}/temp`], agg: ['last', 'mean'] });
  peer.frame({ n: 1 }, [blockOf('12')]);
  const { b } = await peer.until('data');
  expect(b[0]?.v.flat()).toEqual(['12', null]);
});

rule('R3.2-4', 'an integer beyond ±(2⁵³−1) is written as the nearest double', CLIENT, () => {
  const v = [BigInt64Array.of(2n ** 63n - 1n, -(2n ** 53n) - 1n, 7n)];
  const blocks = encodeBlocks('json', [{ s: 1, t: 5, dt: 1, v }]);
  expect(JSON.parse(new TextDecoder().decode(blocks))[0].v).toEqual([[2 ** 63, -(2 ** 53), 7]]);
});

rule(
  'R3.2-5',
  'the server prints the shortest digits that round-trip float64',
  JSON_TEXT,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    const viewer = await dashboard(bed(), codec);
    viewer.sub({ p: [`${peer.device}/#`], agg: ['last'] });
    peer.frame({ n: 1 }, [blockOf(0.1)]);
    await viewer.until('data');
    const printed = viewer.payloads.map((payload) => new TextDecoder().decode(payload));
    expect(printed.join('\n')).toContain('"v":[0.1]');
  },
);

rule(
  'R3.2-5',
  'our client prints float32 columns with the shortest digits of float32',
  CLIENT,
  () => {
    const blocks = encodeBlocks('json', [
      { s: 1, t: 5, dt: 1, v: [Float32Array.of(0.1, 1e10, -3.3)] },
    ]);
    expect(new TextDecoder().decode(blocks)).toContain('"v":[[0.1,10000000000,-3.3]]');
    const doubles = encode('json', { k: 'data', c: 1, n: 1, b: [{ s: 1, t: 5, v: [0.1 + 0.2] }] });
    expect(new TextDecoder().decode(doubles)).toContain('0.30000000000000004');
  },
);

rule(
  'R3.2-6 R13-9',
  'text that is not JSON, or nests deeper than 6 ⇒ 4000',
  JSON_TEXT,
  async (codec) => {
    const deep = (levels: number): string =>
      `{"k":"ping","x":${'['.repeat(levels)}1${']'.repeat(levels)}}`;
    const bad = [
      '',
      ' ',
      '{',
      '{"k":"ping"} x',
      '{"k":"ping",}',
      "{'k':'ping'}",
      '[]',
      '"ping"',
      'null',
      '{}',
      '{"k":5}',
      '{"k":null}',
      '{"k":["ping"]}',
      '{"k":"ping","x":NaN}',
      '{"k":"ping","x":01}',
      deep(6),
    ];
    for (const json of bad) {
      expect((await afterwards(bed(), codec, words(json))).code, json).toBe(4000);
    }
    const peer = await publisher(bed(), codec);
    peer.send(deep(5));
    peer.send('{"k":"ping","x":"[[[[[[[[["}');
    await peer.barrier();
  },
);

rule(
  'R3.2-6',
  'a number is an integer by value; of equal names the last counts; pairs are not limited',
  JSON_TEXT,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.send('{"k":"data","c":1.0,"n":1e0,"b":[{"s":10e-1,"t":1e3,"v":[-0]}],"bl":-0}');
    await peer.acked(1);
    peer.send(
      '{"k":"flow","k":"data","c":9,"c":1,"n":7,"n":2,"b":[],"b":[{"s":5,"s":1,"t":5,"v":[1]}]}',
    );
    await peer.acked(2);
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x${i}`, i]));
    peer.send(jsonText({ k: 'ping', ...many, now: 77 } satisfies Words));
    await peer.until('flow', ({ echo }) => echo === 77);
    for (const n of ['1.5', '9007199254740992', '"1"', 'true', '[1]']) {
      const json = `{"k":"data","c":1,"n":${n},"b":[{"s":1,"t":5,"v":[1]}]}`;
      expect((await afterwards(bed(), codec, words(json))).code, json).toBe(4000);
    }
  },
);

rule(
  'R3.1-6 R3.2-6',
  'an integer of App. A beyond ±(2⁵³−1) ⇒ 4000 in JSON too',
  JSON_TEXT,
  async (codec) => {
    for (const now of ['9007199254740991', '-9007199254740991']) {
      const peer = await publisher(bed(), codec);
      peer.send(`{"k":"ping","now":${now}}`);
      await peer.until('flow', ({ echo }) => echo === Number(now));
    }
    for (const now of ['9007199254740992', '-9007199254740992', '1e300']) {
      const json = `{"k":"ping","now":${now}}`;
      expect((await afterwards(bed(), codec, words(json))).code, json).toBe(4000);
    }
  },
);

rule(
  'RD-2 R3.2-2',
  'in the log a column of integers and nulls stays what it is, any other becomes float64',
  JSON_TEXT,
  async () => {
    expect(await logged([1, null, 3])).toEqual([1, null, 3]);
    expect(await logged([1, float(0.5), null])).toEqual([1, 0.5, Number.NaN]);
  },
);
