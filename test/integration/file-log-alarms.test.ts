import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFileLog } from '../../src/adapters/log/file-log.ts';
import type { LogFile } from '../../src/adapters/log/files.ts';
import { realFiles } from '../../src/adapters/log/real-files.ts';
import { LOG } from '../../src/model/record.ts';
import { batchOf, fullBatch } from '../support/batches.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const RATE_PER_MS = 20_000;

/** The real disk, with a durable write that takes as long as its bytes deserve. */
function slow(file: LogFile): LogFile {
  return Object.assign(Object.create(file) as LogFile, {
    read: file.read.bind(file),
    truncate: file.truncate.bind(file),
    datasync: file.datasync.bind(file),
    size: file.size.bind(file),
    close: file.close.bind(file),
    write: async (from: Uint8Array, position: number) => {
      await new Promise((resolve) => setTimeout(resolve, from.length / RATE_PER_MS));
      return file.write(from, position);
    },
  });
}

it('says when it is busy, and tells when not any more before it writes anything else', async () => {
  const { path, remove } = await temporaryDirectory();
  const log = await openFileLog({
    directory: join(path, 'data'),
    shards: 4,
    warn: () => undefined,
  });
  const alarm = (value: string) => batchOf({ log: LOG.alarms, value });
  const done: string[] = [];
  const noted = async (name: string, call: Promise<unknown>): Promise<void> => {
    await call;
    done.push(name);
  };
  const calls: Promise<void>[] = [];
  expect(log.isBusy()).toBe(false);
  // Nobody asked meanwhile, so nobody is told.
  let told = 0;
  log.onReady = () => {
    told += 1;
    if (told === 1) calls.push(noted('alarms', log.append(alarm('gathered'))));
  };
  await log.append(alarm('first'));
  expect(told).toBe(0);

  calls.push(noted('bulk', log.append(fullBatch(100, 640))));
  await new Promise((resolve) => setImmediate(resolve));
  expect(log.isBusy()).toBe(true);
  calls.push(noted('more bulk', log.append(batchOf({ log: LOG.aggregates }))));
  while (done.length < 3) await new Promise((resolve) => setImmediate(resolve));
  expect(done).toEqual(['bulk', 'alarms', 'more bulk']);
  expect(told).toBe(1);
  expect(log.isBusy()).toBe(false);
  await log.close();
  await remove();
});

it('serves an alarm ahead of bulk, also in the middle of it', async () => {
  const { path, remove } = await temporaryDirectory();
  const open = async (...[where, mode]: Parameters<typeof realFiles.open>) => {
    const file = await realFiles.open(where, mode);
    return where.endsWith('.seg') && mode === 'durable' ? slow(file) : file;
  };
  const log = await openFileLog({
    directory: join(path, 'data'),
    shards: 4,
    warn: () => undefined,
    segmentBytes: 16 * 1024 * 1024,
    files: { ...realFiles, open },
  });
  const alarm = (value: string) => batchOf({ log: LOG.alarms, value });
  const done: string[] = [];
  const noted = async (name: string, call: Promise<unknown>): Promise<void> => {
    await call;
    done.push(name);
  };
  await log.append(fullBatch(2000, 644));
  // Bulk of several slices, since there were alarms; then one call more behind it.
  for (let i = 0; i < 5; i += 1) await log.append(alarm('first'));
  const parts: number[][] = [];
  const bulk = log.append(fullBatch(8000, 644, 2000), (offsets) => {
    expect(done).not.toContain('bulk');
    parts.push([...offsets]);
  });
  const calls = [
    noted('bulk', bulk),
    noted('results', log.append(batchOf({ log: LOG.aggregates }))),
  ];
  await new Promise((resolve) => setTimeout(resolve, 20));
  calls.push(noted('alarm', log.append(alarm('second'))));
  await Promise.all(calls);
  expect(done).toEqual(['alarm', 'bulk', 'results']);

  const kinds: number[] = [];
  const values: number[] = [];
  await log.read((record) => {
    if (kinds.at(-1) !== record.log) kinds.push(record.log);
    if (record.log === LOG.readings && record.shard === 0) {
      values.push(new DataView(record.value.buffer, record.value.byteOffset).getUint32(0));
    }
  });
  expect(kinds).toEqual([
    LOG.readings,
    LOG.alarms,
    LOG.readings,
    LOG.alarms,
    LOG.readings,
    LOG.aggregates,
  ]);
  expect(values).toEqual(Array.from({ length: 2500 }, (_, i) => 4 * i));
  const { offsets } = await bulk;
  expect([...offsets].slice(0, 5)).toEqual([500, 500, 500, 500, 501]);
  // It was told in parts, each a longer beginning of what came back in the end.
  expect(parts.length).toBeGreaterThan(2);
  const lengths = parts.map((part) => part.length);
  expect(lengths).toEqual([...new Set(lengths)].sort((a, b) => a - b));
  for (const part of parts) expect([...offsets].slice(0, part.length)).toEqual(part);
  expect(lengths.at(-1)).toBeLessThan(offsets.length);
  await log.close();
  await remove();
});
