/**
 * `npm run bench -- file-log [--quick]`: the embedded log next to a bare fs.write with O_DSYNC, and
 * to one that fs.fdatasync follows, of the same number of bytes into a preallocated file. 644-byte rows, one group after the other,
 * interleaved repetitions, median and spread. CPU is that of the whole process, so the log's side
 * includes filling its segments with zeros in advance.
 */
import fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileLog, openFileLog, SEGMENT_BYTES } from '../src/adapters/log/file-log.ts';
import { recordBytes } from '../src/adapters/log/record-codec.ts';
import { RecordBatch } from '../src/model/batch.ts';

const { O_CREAT, O_DSYNC, O_RDWR } = fs.constants;
const ROW_BYTES = 644;
const isQuick = process.argv.includes('--quick');
const REPETITIONS = isQuick ? 2 : 5;
const MILLISECONDS = isQuick ? 200 : 1000;
const ROWS_PER_GROUP = [1, 24, 100, 400, 3000];

/** What one repetition of one side measured. */
interface Measured {
  readonly cpuUsPerRow: number;
  readonly megabytesPerSecond: number;
  readonly groupMs: number;
}

/** A batch of rows of 644 bytes each, header and key included. */
function batchOf(rows: number): RecordBatch {
  const batch = new RecordBatch();
  const key = new TextEncoder().encode('plant1/line7/press3');
  const tg = new Uint8Array(53).fill(1);
  const value = Uint8Array.from({ length: ROW_BYTES - 3 - key.length - 53 }, (_, at) => at * 31);
  for (let row = 0; row < rows; row += 1) batch.add(0, row % 24, key, tg, value);
  return batch;
}

/** Runs `group` one after the other for a while. */
async function measure(
  rows: number,
  bytes: number,
  group: () => Promise<unknown>,
): Promise<Measured> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let groups = 0;
  for (; performance.now() - start < MILLISECONDS; groups += 1) await group();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return {
    cpuUsPerRow: (user + system) / (groups * rows),
    megabytesPerSecond: (groups * bytes) / ms / 1000,
    groupMs: ms / groups,
  };
}

/** A preallocated file that is overwritten round and round. */
function bareWriter(path: string, bytes: number, how: 'durable' | 'synced') {
  const isDurable = how === 'durable';
  const fd = fs.openSync(path, O_RDWR | O_CREAT | (isDurable ? O_DSYNC : 0));
  const zeros = new Uint8Array(1024 * 1024);
  for (let at = 0; at < SEGMENT_BYTES; at += zeros.length)
    fs.writeSync(fd, zeros, 0, zeros.length, at);
  fs.fsyncSync(fd);
  const group = new Uint8Array(bytes).fill(7);
  let position = 0;
  return {
    group: (): Promise<void> => {
      if (position + bytes > SEGMENT_BYTES) position = 0;
      const at = position;
      position += bytes;
      return new Promise((resolve, reject) => {
        fs.write(fd, group, 0, bytes, at, (fault, count) => {
          if (fault !== null || count !== bytes) reject(fault ?? new Error('short write'));
          else if (isDurable) resolve();
          else fs.fdatasync(fd, (failed) => (failed === null ? resolve() : reject(failed)));
        });
      });
    },
    close: () => fs.closeSync(fd),
  };
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;

function print(name: string, all: readonly Measured[]): void {
  const column = (of: (measured: Measured) => number, digits: number): string => {
    const numbers = all.map(of);
    const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
    const [middle, low, high] = [median(numbers), least, most].map((n) => n.toFixed(digits));
    return `${middle} [${low}–${high}]`.padEnd(24);
  };
  const cpu = column((measured) => measured.cpuUsPerRow, 2);
  const rate = column((measured) => measured.megabytesPerSecond, 1);
  const wait = column((measured) => measured.groupMs, 2);
  process.stdout.write(`${name.padEnd(22)} ${cpu} ${rate} ${wait}\n`);
}

async function appendBoth(directory: string, log: FileLog): Promise<void> {
  process.stdout.write(
    `${'644-byte rows'.padEnd(22)} ${'CPU µs per row'.padEnd(24)} ${'MB/s'.padEnd(24)} ms per group\n`,
  );
  for (const rows of ROWS_PER_GROUP) {
    const batch = batchOf(rows);
    const bytes = rows * recordBytes(batch, 0);
    const durable = bareWriter(join(directory, 'durable'), bytes, 'durable');
    const synced = bareWriter(join(directory, 'synced'), bytes, 'synced');
    const sides = [
      { name: 'log', group: () => log.append(batch), seen: [] as Measured[] },
      { name: 'bare O_DSYNC', group: durable.group, seen: [] as Measured[] },
      { name: 'bare fdatasync', group: synced.group, seen: [] as Measured[] },
    ];
    for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
      for (const { group, seen } of sides) seen.push(await measure(rows, bytes, group));
    }
    durable.close();
    synced.close();
    for (const { name, seen } of sides) print(`${rows} × ${name}`, seen);
  }
}

async function readBack(log: FileLog): Promise<void> {
  let bytes = 0;
  let records = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  await log.read((record) => {
    bytes += record.key.length + record.tg.length + record.value.length;
    records += 1;
  });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const rate = (bytes / seconds / 1e6).toFixed(0);
  const cost = ((user + system) / records).toFixed(2);
  const memory = (process.memoryUsage().rss / 1e6).toFixed(0);
  process.stdout.write(
    `read back ${records} records, ${(bytes / 1e6).toFixed(0)} MB: ${rate} MB/s, ` +
      `${cost} CPU µs per record, ${memory} MB resident\n`,
  );
}

const directory = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
try {
  const log = await openFileLog({ directory: join(directory, 'data'), shards: 24, warn: () => {} });
  await appendBoth(directory, log);
  await readBack(log);
  await log.close();
  const start = performance.now();
  const again = await openFileLog({
    directory: join(directory, 'data'),
    shards: 24,
    warn: () => {},
  });
  process.stdout.write(`start: ${(performance.now() - start).toFixed(0)} ms\n`);
  await again.close();
} finally {
  await rm(directory, { recursive: true });
}
