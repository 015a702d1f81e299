import { expect, it } from 'vitest';
import { readingsOf } from '../../src/consumer/frame-decoder.ts';
import { LOG, type LogRecord } from '../../src/model/record.ts';
import type { DeviceBlock } from '../../src/wire/messages.ts';
import { appendToKafka } from '../support/kafka/append.ts';
import { describeKafka, kafkaBrokers, topicPrefix } from '../support/kafka/cluster.ts';
import { readLive } from '../support/kafka/live-reader.ts';
import { recordOf } from '../support/log-records.ts';
import { describePython, type PythonRow, readWithPython } from '../support/python.ts';
import { frame, SHARDS, T, TAIL_LOG } from '../support/tail-fixture.ts';
import { frameValue, schemaFor } from '../support/tail-log.ts';

const DEVICE = 'hall/1';
const SCALED = schemaFor(
  'a',
  [
    ['x', 'm/s2', 9.80665 / 16384],
    ['y', 'K', 1, 273.15],
  ],
  'acc',
);
const PLAIN = schemaFor('a', [['v'], ['w']]);

/** Undefined: the column is absent. */
type Value = number | string | null | undefined;
type Truth = readonly [t: number, q: number, fid: number, x: Value, y: Value];

/** A block, and the rows that it stands for: worked out by hand from PROTOCOL §5.2. */
type Row = readonly [name: string, block: DeviceBlock, rows: readonly Truth[]];

const X = 9.80665 / 16384;
const scaled: readonly Row[] = [
  [
    'int16 columns, scaled, with a step',
    { s: 7, t: T, dt: 1000, v: [Int16Array.of(12, -7), Int16Array.of(3, 4)] },
    [
      [T, 0, 1, 12 * X, 3 + 273.15],
      [T + 1000, 0, 1, -7 * X, 4 + 273.15],
    ],
  ],
  [
    'a step with a fraction, quality per row, fidelity',
    { s: 7, t: T, dt: 0.75, v: [Int8Array.of(-1, 2, -3), 5], q: [0, 64, 200], fid: 10 },
    [
      [T, 0, 10, -X, 278.15],
      [T, 64, 10, 2 * X, 278.15],
      [T + 1, 200, 10, -3 * X, 278.15],
    ],
  ],
];

const inf = Number.POSITIVE_INFINITY;
const plain: readonly Row[] = [
  [
    'deltas in a typed array',
    { s: 1, t: T, d: Uint16Array.of(5, 60_000), v: [Uint8Array.of(0, 128, 255), null] },
    [
      [T, 0, 1, 0, undefined],
      [T + 5, 0, 1, 128, undefined],
      [T + 60_005, 0, 1, 255, undefined],
    ],
  ],
  [
    'float32 and float64, no values',
    {
      s: 1,
      t: T,
      dt: 1,
      v: [Float32Array.of(0.1, -0, Number.NaN), Float64Array.of(0.1, inf, 5e-324)],
    },
    [
      [T, 0, 1, Math.fround(0.1), 0.1],
      [T + 1, 0, 1, 0, null],
      [T + 2, 0, 1, null, 5e-324],
    ],
  ],
  [
    '32 and 64 bits, signed and not',
    {
      s: 1,
      t: T,
      dt: 1,
      v: [
        BigInt64Array.of(-(2n ** 62n) - 1n, 7n),
        BigUint64Array.of(2n ** 64n - 1n, 2n ** 53n + 1n),
      ],
    },
    [
      [T, 0, 1, -(2 ** 62), 2 ** 64],
      [T + 1, 0, 1, 7, 2 ** 53],
    ],
  ],
  [
    'int32 and uint32',
    { s: 1, t: T, dt: 1, v: [Int32Array.of(-(2 ** 31)), Uint32Array.of(2 ** 32 - 1)] },
    [[T, 0, 1, -(2 ** 31), 2 ** 32 - 1]],
  ],
  [
    'text, booleans, nulls in lists',
    {
      s: 1,
      t: T,
      d: [2, 0],
      v: [
        ['up', null, 'süß "x"'],
        [true, false, null],
      ],
      q: 65,
    },
    [
      [T, 65, 1, 'up', 1],
      [T + 2, 65, 1, null, 0],
      [T + 2, 65, 1, 'süß "x"', null],
    ],
  ],
  [
    'scalars alone, rows by deltas',
    { s: 1, t: T, d: [9], v: [1.5, 'on'] },
    [
      [T, 0, 1, 1.5, 'on'],
      [T + 9, 0, 1, 1.5, 'on'],
    ],
  ],
  ['one row of scalars', { s: 1, t: T, v: [-2, 3] }, [[T, 0, 1, -2, 3]]],
];

/** One frame with every block of the tables, in turns, so that both sets appear out of order. */
const BLOCKS = [...plain.slice(0, 2), ...scaled, ...plain.slice(2)];
const EVERYTHING: LogRecord = recordOf({
  device: DEVICE,
  n: 1,
  shard: 1,
  ep: 2 ** 50 + 1,
  hashes: Uint8Array.from([...PLAIN.hash, ...SCALED.hash]),
  value: frameValue(
    1,
    BLOCKS.map(([, block]) => block),
  ),
});

function truthOf([, , rows]: Row, isScaled: boolean): PythonRow[] {
  const [left, right] = isScaled ? ['acc/x', 'acc/y'] : ['v', 'w'];
  const head = { device: DEVICE, lane: 1, ep: 2 ** 50 + 1, n: 1 };
  return rows.map(([t, q, fid, x, y]) => {
    const values = { [left]: x ?? null, ...(y === undefined ? {} : { [right]: y }) };
    return { ...head, t, q, fid, values };
  });
}

/** `toEqual` takes 0 and −0 for different and knows all other bits of a float64. */
describeKafka('the reader in Python', () => {
  describePython('that the page shows', () => {
    it('gives every kind of column, time and quality as PROTOCOL has it, bit for bit', async () => {
      const prefix = topicPrefix('python-columns');
      await appendToKafka(prefix, SHARDS, { schemas: [SCALED, PLAIN], records: [EVERYTHING] });
      const truth = BLOCKS.flatMap((row) => truthOf(row, scaled.includes(row)));
      expect(await readWithPython(kafkaBrokers(), prefix)).toEqual(truth);
    });

    it('leaves out what is void, duplicate or no frame, and goes on after an uncertain one', async () => {
      const prefix = topicPrefix('python-filter');
      const records = [
        ...(TAIL_LOG.records ?? []),
        frame(8, { gen: 2, own: 'b' }),
        frame(10, { gen: 2, own: 'b' }),
        frame(6, { gen: 2, own: 'b', uncertain: true }),
        frame(6, { gen: 2, own: 'b' }),
        frame(7, { gen: 2, own: 'b' }),
        { ...frame(12, { gen: 2, own: 'b' }), tg: new Uint8Array(0) },
        recordOf({ kind: 'fence', gen: 2, own: 'c' }),
        frame(11, { gen: 2, own: 'c' }),
        { ...frame(2, { lane: 0 }), log: LOG.alarms },
        { ...frame(2, { lane: 0 }), log: LOG.alarms },
      ];
      await appendToKafka(prefix, SHARDS, { schemas: TAIL_LOG.schemas ?? [], records });
      const rows = await readWithPython(kafkaBrokers(), prefix);
      const frames = [...new Set(rows.map(({ device, lane, n }) => `${device} ${lane} ${n}`))];
      expect(frames.toSorted()).toEqual(
        ['hall 1 5', ...[1, 2].map((n) => `plant/pump 0 ${n}`)].concat(
          [1, 10, 2, 6, 7, 9].map((n) => `plant/pump 1 ${n}`),
        ),
      );
      expect(rows.filter(({ n, lane }) => n === 2 && lane === 1)).toHaveLength(1);
      expect(await sameFromLibrary(prefix)).toEqual(rows.map(textOf).toSorted());
    });
  });
});

const textOf = ({ device, t, q, fid, values }: PythonRow): string =>
  JSON.stringify([device, t, q, fid, Object.entries(values)]);

/** The same rows from the consumer library. */
async function sameFromLibrary(prefix: string): Promise<string[]> {
  const reader = await readLive(kafkaBrokers(), prefix);
  await reader.finish();
  const rows = new Map<string, PythonRow>();
  for (const item of reader.items) {
    if (item.kind !== 'frame') continue;
    for (const [b, block] of item.blocks.entries()) {
      for (const [i, reading] of [...readingsOf([block])].entries()) {
        const row = Math.floor(i / block.cols.length);
        const key = `${item.topic} ${item.shard} ${item.offset} ${b} ${row}`;
        const name = reading.topic.slice(item.device.length + 1);
        const { device, lane, epoch: ep, n } = item;
        const { t, q, fid } = reading;
        const v = typeof reading.v === 'bigint' ? Number(reading.v) : reading.v;
        const known = rows.get(key)?.values;
        rows.set(key, { device, lane, ep, n, t, q, fid, values: { ...known, [name]: v } });
      }
    }
  }
  return [...rows.values()].map(textOf).toSorted();
}
