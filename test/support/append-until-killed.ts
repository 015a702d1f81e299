/**
 * A process that appends to a file log until somebody kills it, and says on stdout what was
 * acknowledged: `ready`, then `acked N` after row N (and all before it) became durable.
 * Arguments: directory, first row number.
 */
import { writeSync } from 'node:fs';
import { openFileLog } from '../../src/adapters/log/file-log.ts';
import { RecordBatch } from '../../src/model/batch.ts';

const directory = process.argv[2] as string;
let next = Number(process.argv[3]);
const warn = (sentence: string): void => {
  process.stderr.write(`${sentence}\n`);
};
const log = await openFileLog({ directory, shards: 4, warn, segmentBytes: 1024 * 1024 });
const say = (line: string): number => writeSync(1, `${line}\n`);

/** A batch of some rows; row N is N as text, padded to some length, in shard N mod 4. */
function batchFrom(first: number): RecordBatch {
  const batch = new RecordBatch();
  for (let row = first; row < first + 1 + (first % 37); row += 1) {
    const value = new TextEncoder().encode(`${row}`.padEnd(10 + ((row * 131) % 900), '.'));
    batch.add(0, row % 4, Uint8Array.of(97), Uint8Array.of(1), value);
  }
  return batch;
}

async function appendForever(): Promise<void> {
  for (;;) {
    const batch = batchFrom(next);
    const last = next + batch.rows - 1;
    next += batch.rows;
    await log.append(batch);
    say(`acked ${last}`);
  }
}

say('ready');
// Two callers, so that there is always one that gathers while the other is on its way.
await Promise.all([appendForever(), appendForever()]);
