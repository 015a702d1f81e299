import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileLog } from '../../src/adapters/log/file-log.ts';
import type { LogState } from '../../src/adapters/log/shard-log.ts';
import { batchOf, readAll, textOf } from '../support/batches.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const APPENDER = fileURLToPath(new URL('../support/append-until-killed.ts', import.meta.url));
const KILLS = 5;

let place: TemporaryDirectory;
let unmount = (): void => {};
beforeEach(async () => {
  place = await temporaryDirectory();
});
afterEach(async () => {
  unmount();
  unmount = () => {};
  await place.remove();
});

/** Starts the appender, kills it after `rows` more rows were acknowledged; the last of them. */
async function appendUntilKilled(directory: string, first: number, rows: number): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [APPENDER, directory, `${first}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let acked = first - 1;
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if (line.startsWith('acked ')) acked = Math.max(acked, Number(line.slice(6)));
    if (acked >= first + rows) child.kill('SIGKILL');
  }
  expect((await exited)[1]).toBe('SIGKILL');
  return acked;
}

describe('kill -9', () => {
  it('loses no acknowledged row, and invents none', async () => {
    const directory = join(place.path, 'data');
    let first = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const acked = await appendUntilKilled(directory, first, 300 + kill * 777);
      const log = await openFileLog({ directory, shards: 4, warn: () => {} });
      const found = (await readAll(log)).map((row) => Number(textOf(row).replace(/\.+$/, '')));
      expect(found).toEqual(found.map((_, row) => row));
      expect(found.length).toBeGreaterThan(acked);
      first = found.length;
      await log.close();
    }
  });
});

/** Mounts a small file system in memory; false where that is not allowed. */
function mountSmallDisk(path: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', path], { stdio: 'pipe' });
  } catch {
    return false;
  }
  // Lazily: a test that failed may have left files open.
  unmount = () => execFileSync('umount', ['-l', path]);
  return true;
}

describe('a disk that is really full', () => {
  it('stalls the log until there is room, and loses nothing', async (context) => {
    if (!mountSmallDisk(place.path)) {
      process.stderr.write('NOT RUN: the full-disk test needs the right to mount a tmpfs\n');
      context.skip('needs the right to mount a tmpfs');
    }
    await stallAndGoOn(place.path);
  }, 30_000);
});

async function stallAndGoOn(disk: string): Promise<void> {
  const ballast = join(disk, 'ballast');
  await writeFile(ballast, new Uint8Array(2.5 * 1024 * 1024));
  const directory = join(disk, 'data');
  const options = { directory, shards: 4, segmentBytes: 1024 * 1024, warn: () => {} };
  const log = await openFileLog(options);
  const states: LogState[] = [];
  const stalled = Promise.withResolvers<void>();
  log.onState = (state) => {
    states.push(state);
    if (state.kind === 'stalled') stalled.resolve();
  };
  const appends: Promise<unknown>[] = [];
  const append = (call: number) => {
    const value = new Uint8Array(100_000);
    new DataView(value.buffer).setUint32(0, call);
    appends.push(log.append(batchOf({ value })));
  };
  // 3.5 MiB are left: after three segments of ten rows each there is no room for a fourth.
  for (let call = 0; call < 35; call += 1) append(call);
  await stalled.promise;
  expect(log.state).toMatchObject({ kind: 'stalled', reason: expect.stringContaining('ENOSPC') });
  append(35);
  await rm(ballast);
  await Promise.all(appends);
  expect(states.at(-1)).toEqual({ kind: 'ok' });
  await log.close();
  const again = await openFileLog(options);
  const calls = (await readAll(again)).map(({ value }) => Buffer.from(value).readUInt32BE());
  expect(calls).toEqual(appends.map((_, call) => call));
  await again.close();
}

/** The flags of the descriptors of all segments that this process has open. */
function openSegments(directory: string): number[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      if (!path.startsWith(directory) || !path.endsWith('.seg')) return [];
      const [, flags = ''] =
        /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
      return [Number.parseInt(flags, 8)];
    } catch {
      // The descriptor that lists the directory is closed by now.
      return [];
    }
  });
}

describe.runIf(process.platform === 'linux')('a segment', () => {
  it('is open so that a write is on the disk when it ends, after a start and a change too', async () => {
    const directory = join(place.path, 'data');
    for (let start = 0; start < 3; start += 1) {
      const log = await openFileLog({ directory, shards: 4, segmentBytes: 8192, warn: () => {} });
      for (let row = 0; row < 10; row += 1) {
        await log.append(batchOf({ value: new Uint8Array(1000) }));
        const durable = openSegments(directory).map((flags) => (flags & constants.O_DSYNC) !== 0);
        // The current one, and that of the dead letters.
        expect(durable).toEqual([true, true]);
      }
      await log.close();
    }
  });
});
