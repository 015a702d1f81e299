import { Decoder } from 'cbor-x';
import { peekHead } from '../src/wire/cbor-head.ts';
import { decodeCbor } from '../src/wire/decode.ts';
import { encode, encodeBlocks, encodeData } from '../src/wire/encode.ts';
import { FrameReader } from '../src/wire/frame-reader.ts';
import { jsonToCbor } from '../src/wire/json.ts';
import type { ColumnValues, DeviceBlock } from '../src/wire/messages.ts';

/**
 * The codec on the frames of PROTOCOL §17: one block, three columns, 100 rows. Candidates take
 * turns: one after the other would measure the machine. Printed are the median of the rounds and the
 * best one, which is what the code takes when nothing else runs.
 */

const ROWS = 100;
const ROUNDS = 15;
const ROUND_MS = 20;

const wave = (i: number): number => Math.round(2000 * Math.sin(i / 7));
const fill = <A extends ColumnValues & { [i: number]: number }>(column: A, step: number): A => {
  for (let i = 0; i < ROWS; i += 1) (column as { [i: number]: number })[i] = wave(i) * step;
  return column;
};
const blockOf = (column: () => ColumnValues): DeviceBlock => ({
  s: 1,
  t: 1_761_962_400_123_000,
  dt: 1000,
  v: [column(), column(), column()],
});
const HEAD = { c: 1, n: 74_563, lost: 0 };
const SINT16 = [blockOf(() => fill(new Int16Array(ROWS), 1))];
const FLOAT32 = [blockOf(() => fill(new Float32Array(ROWS), 0.31))];
const FLOAT64 = [blockOf(() => fill(new Float64Array(ROWS), 0.31))];

const frameOf = (blocks: readonly DeviceBlock[]): Buffer =>
  Buffer.from(encodeData('cbor', HEAD, encodeBlocks('cbor', blocks)));
const frames = { sint16: frameOf(SINT16), float32: frameOf(FLOAT32), float64: frameOf(FLOAT64) };
const json = Buffer.from(encodeData('json', HEAD, encodeBlocks('json', SINT16)));
const flow = encode('cbor', {
  k: 'flow',
  f: [
    [0, 9, 4198],
    [1, 74_563, 16_629],
  ],
  now: 1_761_962_400_160_000,
});

const reader = new FrameReader();
const out = new Float64Array(4096);
const head = { k: 0, c: 0, n: 0, lost: 0 };
// `int64AsNumber` is missing in the types of cbor-x.
const oracleOptions = { mapsAsObjects: false, useRecords: false, int64AsNumber: true };
const oracle = new Decoder(oracleOptions);
let sink = 0;

function readAll(frame: Uint8Array): void {
  if (reader.read(frame) !== null || reader.shape(0, 3) !== null) throw new Error('bad frame');
  reader.times(0, out);
  sink += out[99] as number;
  for (let column = 0; column < 3; column += 1) {
    reader.numbers(0, column, out);
    sink += out[50] as number;
  }
}

const candidates: Record<string, () => void> = {
  [`peekHead, ${frames.sint16.length} B`]: () => {
    if (!peekHead(frames.sint16, head)) throw new Error('bad head');
    sink += head.n;
  },
  read: () => {
    if (reader.read(frames.sint16) !== null) throw new Error('bad frame');
    sink += reader.n;
  },
  'read + shape': () => {
    reader.read(frames.sint16);
    if (reader.shape(0, 3) !== null) throw new Error('bad shape');
  },
  'read + shape + times + numbers, sint16': () => readAll(frames.sint16),
  'the same, float32': () => readAll(frames.float32),
  'the same, float64': () => readAll(frames.float64),
  decodeCbor: () => {
    sink += 'message' in decodeCbor(frames.sint16, 'client') ? 1 : 0;
  },
  'cbor-x decode': () => {
    sink += (oracle.decode(frames.sint16) as Map<number, unknown>).size;
  },
  [`JSON.parse, ${json.length} B`]: () => {
    sink += (JSON.parse(json.toString('utf8')) as { n: number }).n;
  },
  jsonToCbor: () => {
    sink += 'bytes' in jsonToCbor(json, 'client') ? 1 : 0;
  },
  'encodeBlocks + encodeData, cbor': () => {
    sink += encodeData('cbor', HEAD, encodeBlocks('cbor', SINT16)).length;
  },
  'decodeCbor, flow': () => {
    sink += 'message' in decodeCbor(flow, 'server') ? 1 : 0;
  },
  'encode, flow': () => {
    sink += encode('cbor', {
      k: 'flow',
      f: [[1, 74_563, 16_629]],
      now: 1_761_962_400_160_000,
    }).length;
  },
};

/** Nanoseconds per call in one round. */
function round(call: () => void): number {
  const start = process.hrtime.bigint();
  let calls = 0;
  let elapsed = 0n;
  while (elapsed < BigInt(ROUND_MS) * 1_000_000n) {
    for (let i = 0; i < 500; i += 1) call();
    calls += 500;
    elapsed = process.hrtime.bigint() - start;
  }
  return Number(elapsed) / calls;
}

const names = Object.keys(candidates);
const figures = new Map(names.map((name) => [name, [] as number[]]));
for (let i = 0; i < ROUNDS; i += 1) {
  for (const name of names) figures.get(name)?.push(round(candidates[name] as () => void));
}
for (const name of names) {
  const rounds = (figures.get(name) ?? []).slice(ROUNDS >> 2).sort((a, b) => a - b);
  const [median, best] = [rounds[rounds.length >> 1] ?? 0, rounds[0] ?? 0];
  const columns = [median, best].map((ns) => ns.toFixed(0).padStart(8)).join('');
  process.stdout.write(`${columns} ns  ${name}\n`);
}
process.stdout.write(`${Number.isFinite(sink) ? '' : 'impossible\n'}`);
