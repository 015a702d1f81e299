import { Aggregation } from '../src/aggregation/aggregation.ts';
import type { Schema } from '../src/model/reading.ts';
import { LOG, type LogRecord } from '../src/model/record.ts';
import { encodeBlocks, encodeData } from '../src/wire/encode.ts';
import { FrameReader } from '../src/wire/frame-reader.ts';
import type { ColumnValues } from '../src/wire/messages.ts';
import { emptyHeader } from '../src/wire/record-header.ts';

/**
 * What aggregation costs per frame and per reading, next to reading the same frame and to a map
 * entry per (series, window). Candidates take turns, and the median of the rounds is printed.
 */

const ROUNDS = 11;
const ROUND_MS = 60;
const WINDOW_US = 1_000_000;
const START_US = 1_761_962_400_000_000;
const SCALE = 0.01;
const NAMES = ['x', 'y', 'z'];

const schema: Schema = {
  of: 'acc',
  columns: NAMES.map((name) => ({ name, unit: 'm/s2', scale: SCALE, offset: 0 })),
  hash: new Uint8Array(16).fill(7),
  bytes: new Uint8Array(0),
};

/** Frames of many devices whose time is set in place, so that making them costs nothing. */
class Frames {
  readonly rows: number;
  readonly records: LogRecord[] = [];
  readonly header = { ...emptyHeader(), lane: 1, hashes: schema.hash };
  readonly #views: DataView[] = [];
  readonly #timeAt: number;
  readonly #frameUs: number;
  #frame = 0;

  constructor(devices: number, rows: number, rateHz: number) {
    this.rows = rows;
    this.#frameUs = (rows * 1_000_000) / rateHz;
    const dt = rows > 1 ? { dt: 1_000_000 / rateHz } : {};
    const wave = (i: number): number => Math.round(2000 * Math.sin(i / 7));
    const column = (k: number): ColumnValues =>
      Int16Array.from({ length: rows }, (_, i) => wave(i + k));
    const blocks = encodeBlocks('cbor', [
      { s: 1, t: START_US, v: NAMES.map((_, k) => column(k)), ...dt },
    ]);
    const value = Buffer.from(encodeData('cbor', { c: 1, n: 1, lost: 0 }, blocks));
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(START_US));
    this.#timeAt = value.indexOf(time);
    for (let i = 0; i < devices; i += 1) {
      const own = new Uint8Array(value);
      const key = Buffer.from(`bench/${i.toString().padStart(4, '0')}`);
      this.records.push({ log: LOG.readings, shard: 0, offset: 0, key, tg: key, value: own });
      this.#views.push(new DataView(own.buffer));
    }
  }

  /** The next device's next frame. */
  next(): LogRecord {
    const i = this.#frame % this.records.length;
    const t = START_US + Math.floor(this.#frame / this.records.length) * this.#frameUs;
    this.#frame += 1;
    this.#views[i]?.setBigUint64(this.#timeAt, BigInt(Math.floor(t)));
    this.header.recv = t + this.#frameUs;
    return this.records[i] as LogRecord;
  }
}

const nothing = () => undefined;
let results = 0;
const reader = new FrameReader();
const times = new Float64Array(4096);
const values = new Float64Array(4096);

const aggregating = (frames: Frames): (() => void) => {
  const sink = { result: () => (results += 1), changed: nothing, appeared: nothing };
  const aggregation = new Aggregation({ shards: 1, schemas: () => schema, sink });
  return () => aggregation.apply(frames.next(), frames.header);
};

function read(record: LogRecord): void {
  if (reader.read(record.value) !== null || reader.shape(0, 3) !== null) throw new Error('bad');
  reader.times(0, times);
}

const reading = (frames: Frames) => () => {
  read(frames.next());
  for (let column = 0; column < 3; column += 1) reader.numbers(0, column, values);
};

/** What one would write first: an object per window in a map, found anew for every reading. */
const naive = (frames: Frames) => {
  type Figures = { n: number; min: number; max: number; sum: number; last: number };
  const windows = new Map<string, Figures>();
  return () => {
    const record = frames.next();
    read(record);
    const device = record.key.toString();
    NAMES.forEach((name, column) => {
      reader.numbers(0, column, values);
      for (let row = 0; row < frames.rows; row += 1) {
        const start = Math.floor((times[row] as number) / WINDOW_US) * WINDOW_US;
        const key = `${device}/acc/${name}@${start}`;
        const value = (values[row] as number) * SCALE;
        const window = windows.get(key);
        if (window === undefined) {
          windows.set(key, { n: 1, min: value, max: value, sum: value, last: value });
          if (windows.size > 10_000) windows.clear();
          continue;
        }
        window.n += 1;
        window.min = Math.min(window.min, value);
        window.max = Math.max(window.max, value);
        window.sum += value;
        window.last = value;
      }
    });
  };
};

/** Microseconds per call in one round. */
function round(call: () => void): number {
  const start = process.hrtime.bigint();
  let calls = 0;
  let elapsed = 0n;
  while (elapsed < BigInt(ROUND_MS) * 1_000_000n) {
    for (let i = 0; i < 200; i += 1) call();
    calls += 200;
    elapsed = process.hrtime.bigint() - start;
  }
  return Number(elapsed) / calls / 1000;
}

const median = (all: readonly number[]): number =>
  [...all].sort((a, b) => a - b)[all.length >> 1] as number;

const cases = [
  { what: '1 device, 3 × 100 rows', devices: 1, rows: 100, rateHz: 1000 },
  { what: '1000 devices, 3 × 100 rows', devices: 1000, rows: 100, rateHz: 1000 },
  { what: '1000 devices, 3 × 10 rows', devices: 1000, rows: 10, rateHz: 100 },
  { what: '1 device, 3 × 1 row, a window each', devices: 1, rows: 1, rateHz: 1 },
];
for (const { what, devices, rows, rateHz } of cases) {
  const candidates = { reading, aggregating, naive };
  const figures = Object.entries(candidates).map(([name, make]) => ({
    name,
    call: make(new Frames(devices, rows, rateHz)),
    us: [] as number[],
  }));
  for (let i = 0; i < ROUNDS; i += 1) for (const { call, us } of figures) us.push(round(call));
  process.stdout.write(`${what}\n`);
  const base = median(figures[0]?.us.slice(2) ?? []);
  for (const { name, us } of figures) {
    const each = median(us.slice(2));
    const beyond = ((each - base) * 1000) / (3 * rows);
    process.stdout.write(
      `${each.toFixed(2).padStart(9)} µs  ${name.padEnd(12)} ${beyond.toFixed(1).padStart(7)} ns per reading beyond reading\n`,
    );
  }
}
process.stdout.write(results > 0 ? '' : 'no results\n');
