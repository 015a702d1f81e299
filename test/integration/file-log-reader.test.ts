import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileLog, openFileLog } from '../../src/adapters/log/file-log.ts';
import { LogReader } from '../../src/adapters/log/log-reader.ts';
import type { ReadOptions } from '../../src/adapters/log/log-source.ts';
import { batchOf, letterOf, schemaOf, textOf } from '../support/batches.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

let place: TemporaryDirectory;
let directory: string;
let log: FileLog;

const opened = (): Promise<FileLog> =>
  openFileLog({ directory, shards: 4, segmentBytes: 8192, warn: () => {} });

beforeEach(async () => {
  place = await temporaryDirectory();
  directory = join(place.path, 'data');
  log = await opened();
});
afterEach(async () => {
  await log.close();
  await place.remove();
});

const append = (value: string) => log.append(batchOf({ value }));

/** The values from the beginning, as text, at most `count` of them. */
async function values(options: ReadOptions = {}, count = Infinity): Promise<string[]> {
  const found: string[] = [];
  const reader = await LogReader.open(directory);
  for await (const record of reader.records(options)) {
    found.push(textOf(record));
    if (found.length === count) break;
  }
  return found;
}

describe('a reader beside the writer', () => {
  it('reads what is there without the lock', async () => {
    expect(await values()).toEqual([]);
    for (let call = 0; call < 30; call += 1) await append(`${call}`.padEnd(1000));
    const found = (await values()).map(Number);
    expect(found).toEqual(found.map((_, call) => call));
    expect(found).toHaveLength(30);
    expect((await LogReader.open(directory)).shards).toBe(4);
  });

  it('follows: from an empty log, over segments, in order', async () => {
    const following = values({ follow: true }, 40);
    for (let call = 0; call < 40; call += 1) {
      if (call % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 150));
      await append(`${call}`.padEnd(1000));
    }
    expect((await following).map(Number)).toEqual(Array.from({ length: 40 }, (_, call) => call));
  });

  it('ends when it is told to', async () => {
    await append('one');
    const ending = new AbortController();
    const reader = await LogReader.open(directory);
    const found: string[] = [];
    for await (const record of reader.records({ follow: true, signal: ending.signal })) {
      found.push(textOf(record));
      setImmediate(() => ending.abort());
    }
    expect(found).toEqual(['one']);
  });

  it('takes a record that is written in part for one that is not there yet', async () => {
    await append('one');
    await append('two'.padEnd(600));
    await log.close();
    const segment = await open(join(directory, 'log', '00000000000000000000.seg'), 'r+');
    const start = 38;
    const rest = Buffer.alloc(400);
    await segment.read(rest, 0, 400, start + 200);
    await segment.write(Buffer.alloc(400), 0, 400, start + 200);
    expect(await values()).toEqual(['one']);
    const following = values({ follow: true }, 2);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await segment.write(rest, 0, 400, start + 200);
    await segment.close();
    expect((await following).map((value) => value.trim())).toEqual(['one', 'two']);
  });

  it('reads dead letters with their offsets, and follows them', async () => {
    const batch = batchOf();
    const letters = [letterOf({ shard: 1 }), letterOf({ shard: 2 }), letterOf({ shard: 1, n: 9 })];
    batch.deadLetters.push(...letters);
    await log.append(batch);
    const reader = await LogReader.open(directory);
    const found: unknown[] = [];
    const late = batchOf();
    late.deadLetters.push(letterOf({ shard: 2, n: 10 }));
    for await (const letter of reader.deadLetters({ follow: true })) {
      found.push(letter);
      if (found.length === 3) await log.append(late);
      if (found.length === 4) break;
    }
    const offsets = [0, 0, 1, 1];
    const all = [...letters, ...late.deadLetters];
    expect(found).toEqual(all.map((letter, at) => ({ ...letter, offset: offsets[at] })));
  });

  it('reads schemas, and then those that came since', async () => {
    const reader = await LogReader.open(directory);
    const read = async (): Promise<number[]> => {
      const found: number[] = [];
      await reader.readSchemas(({ hash }) => found.push(hash[0] as number));
      return found;
    };
    expect(await read()).toEqual([]);
    const batch = batchOf();
    batch.schemas.push(schemaOf(1), schemaOf(2));
    await log.append(batch);
    expect(await read()).toEqual([1, 2]);
    const late = batchOf();
    late.schemas.push(schemaOf(3));
    await log.append(late);
    expect(await read()).toEqual([3]);
  });

  it('names the place of damage', async () => {
    for (let call = 0; call < 10; call += 1) await append(`${call}`.padEnd(1000));
    const first = await open(join(directory, 'log', '00000000000000000000.seg'), 'r+');
    await first.write(Buffer.of(1), 0, 1, 2 * 1035 + 300);
    await expect(values()).rejects.toThrow('00.seg, byte 2070: record 2 is missing');
    await first.write(Buffer.from(' '), 0, 1, 2 * 1035 + 300);
    await first.close();
    const second = await open(join(directory, 'log', '00000000000000000007.seg'), 'r+');
    await second.write(Buffer.of(1), 0, 1, 300);
    await second.close();
    await expect(values()).rejects.toThrow('07.seg, byte 0: the record is not whole');
  });
});

describe('a reader without a log', () => {
  it('says that there is none', async () => {
    const nowhere = join(place.path, 'nowhere');
    await expect(LogReader.open(nowhere)).rejects.toMatchObject({
      exitCode: 78,
      message: expect.stringContaining(`there is no log in ${nowhere}`),
    });
  });

  it('refuses a directory of another version', async () => {
    const later = join(place.path, 'later');
    await mkdir(later);
    await writeFile(join(later, 'META.json'), '{"version":2}');
    await expect(LogReader.open(later)).rejects.toThrow('is of version 2');
  });
});
