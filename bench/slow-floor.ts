import { rmSync } from 'node:fs';
import { openFileLog } from '../src/adapters/log/file-log.ts';
import { recordBytes } from '../src/adapters/log/record-codec.ts';
import { RecordBatch } from '../src/model/batch.ts';
import { slowDiskDirectory } from './data-directory.ts';
import { type DiskSpeed, SlowDisk } from './slow-disk.ts';

/**
 * What the slowed file log does by itself: appends of 1 MiB one after the other, then small ones.
 * Arguments: JSON `DiskSpeed`, bytes of a frame, seconds. Prints one line of JSON (`Floor`).
 */
export interface Floor {
  /** Frames per second in appends of 1 MiB. */
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  /** What one frame is in the log. */
  readonly recordBytes: number;
  /** An append of one frame. Units: ms. */
  readonly smallMs: { readonly p50: number; readonly p99: number };
}

const APPEND_BYTES = 1024 * 1024;
const SMALL_APPENDS = 200;

const [speed = '{}', frameBytes = '644', seconds = '3'] = process.argv.slice(2);
const directory = slowDiskDirectory();
const { files } = new SlowDisk(JSON.parse(speed) as DiskSpeed);
const log = await openFileLog({ directory, shards: 24, warn: () => undefined, files });

/** Rows as the gateway writes them: key, header with one hash, frame. */
function batchOf(bytesMax: number): RecordBatch {
  const batch = new RecordBatch();
  const key = new TextEncoder().encode('bench/12');
  const [tg, value] = [new Uint8Array(49).fill(1), new Uint8Array(Number(frameBytes)).fill(7)];
  do batch.add(0, batch.rows % 24, key, tg, value);
  while (batch.size + recordBytes(batch, 0) <= bytesMax);
  return batch;
}

const large = batchOf(APPEND_BYTES);
const small = batchOf(0);
// The first append of all makes a segment.
await log.append(small);
const begun = performance.now();
let frames = 0;
while (performance.now() - begun < 1000 * Number(seconds)) {
  await log.append(large);
  frames += large.rows;
}
const framesPerSecond = (1000 * frames) / (performance.now() - begun);
const took: number[] = [];
for (let i = 0; i < SMALL_APPENDS; i += 1) {
  const from = performance.now();
  await log.append(small);
  took.push(performance.now() - from);
}
await log.close();
rmSync(directory, { recursive: true });
took.sort((a, b) => a - b);
const floor: Floor = {
  framesPerSecond,
  bytesPerSecond: framesPerSecond * recordBytes(large, 0),
  recordBytes: recordBytes(large, 0),
  smallMs: { p50: took[SMALL_APPENDS >> 1] ?? 0, p99: took[Math.floor(SMALL_APPENDS * 0.99)] ?? 0 },
};
process.stdout.write(`${JSON.stringify(floor)}\n`);
