import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileLog, openFileLog } from '../../src/adapters/log/file-log.ts';
import { StartError } from '../../src/adapters/log/start-error.ts';
import { batchOf, letterOf, readAll, schemaOf, textOf } from '../support/batches.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const APPENDER = fileURLToPath(new URL('../support/append-until-killed.ts', import.meta.url));
const FIRST = '00000000000000000000.seg';

let place: TemporaryDirectory;
let directory: string;
let warnings: string[];
beforeEach(async () => {
  place = await temporaryDirectory();
  directory = join(place.path, 'data');
  warnings = [];
});
afterEach(() => place.remove());

const opened = (shards = 4): Promise<FileLog> =>
  openFileLog({
    directory,
    shards,
    segmentBytes: 8192,
    warn: (sentence) => warnings.push(sentence),
  });

/** The error with which the log refuses to open. */
async function refusal(shards = 4): Promise<StartError> {
  const fault: unknown = await opened(shards).then(
    () => null,
    (error: unknown) => error,
  );
  if (fault instanceof StartError) return fault;
  throw new Error('the log opened, or failed with something else', { cause: fault });
}

/** A closed log of `rows` rows of 1000 bytes: seven to a segment. */
async function written(rows: number): Promise<void> {
  const log = await opened();
  for (let row = 0; row < rows; row += 1) {
    await log.append(batchOf({ value: `${row}`.padEnd(1000, '.') }));
  }
  await log.close();
}

async function found(): Promise<number[]> {
  const log = await opened();
  const rows = await readAll(log);
  await log.close();
  return rows.map((row) => Number(textOf(row).replace(/\.+$/, '')));
}

async function flip(name: string, position: number): Promise<void> {
  const file = await open(join(directory, name), 'r+');
  const byte = new Uint8Array(1);
  await file.read(byte, 0, 1, position);
  byte[0] = (byte[0] as number) ^ 1;
  await file.write(byte, 0, 1, position);
  await file.close();
}

const meta = (text: string): Promise<void> => writeFile(join(directory, 'META.json'), text);

describe('a data directory', () => {
  it('is made with its version, its shards and an id of its own', async () => {
    const log = await opened();
    const said: unknown = JSON.parse(await readFile(join(directory, 'META.json'), 'utf8'));
    expect(said).toEqual({ version: 1, shards: 4, logId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(said).toHaveProperty('logId', log.logId);
    await log.close();
    const again = await opened();
    expect(again.logId).toBe(log.logId);
    await again.close();
    const names = (await readdir(directory)).sort();
    expect(names).toEqual(['LOCK', 'META.json', 'log', 'rejects', 'schemas.log']);
  });

  it('is refused while this process has it open', async () => {
    const log = await opened();
    const { exitCode, message } = await refusal();
    expect(exitCode).toBe(69);
    expect(message).toContain(`${directory} is in use by another process`);
    await log.close();
    await (await opened()).close();
  });

  it('is refused while another process has it, and free after its kill -9', async () => {
    const child = spawn(process.execPath, [APPENDER, directory, '0'], { stdio: 'pipe' });
    await once(child.stdout, 'data');
    expect((await refusal()).exitCode).toBe(69);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await opened()).close();
  });

  it('is refused with another number of shards', async () => {
    await (await opened()).close();
    const { exitCode, message } = await refusal(12);
    expect(exitCode).toBe(78);
    expect(message).toContain('was set up with 4 shards and cannot be used with 12');
    await (await opened()).close();
  });

  it('is refused if it is of another version', async () => {
    await (await opened()).close();
    await meta('{"version":2,"parts":4}');
    const { exitCode, message } = await refusal();
    expect(exitCode).toBe(78);
    expect(message).toContain('is of version 2, and this Tidegate knows only version 1');
  });

  it.each(['', '{', '[]', 'null', '{"version":1}', '{"version":1,"shards":4}', '{"version":"1"}'])(
    'is refused if META.json reads %j',
    async (text) => {
      await (await opened()).close();
      await meta(text);
      const { exitCode, message } = await refusal();
      expect(exitCode).toBe(78);
      expect(message).toContain('META.json is damaged');
    },
  );

  it('is refused if META.json is missing beside a log', async () => {
    await written(1);
    await rm(join(directory, 'META.json'));
    const { exitCode, message } = await refusal();
    expect(exitCode).toBe(78);
    expect(message).toContain('META.json is missing');
  });

  it('is refused if it is a file', async () => {
    await writeFile(directory, 'not a directory');
    const { exitCode, message } = await refusal();
    expect(exitCode).toBe(78);
    const sentence = `cannot use the data directory ${directory}: it is a file, not a directory`;
    expect(message).toBe(sentence);
  });

  // A recursive mkdir of Node never ends there.
  it.runIf(existsSync('/proc'))('is refused where no directory can be made', async () => {
    directory = '/proc/tidegate/data';
    const { exitCode, message } = await refusal();
    expect(exitCode).toBe(78);
    expect(message).toContain(`cannot use the data directory ${directory}: ENOENT`);
  });

  it('is made with its parents', async () => {
    directory = join(place.path, 'a', 'b', 'data');
    await written(1);
    expect(await found()).toEqual([0]);
  });

  it('is refused if LOCK is something else', async () => {
    await mkdir(directory);
    await writeFile(join(directory, 'LOCK'), 'this is no lock file of ours'.repeat(100));
    const { exitCode, message } = await refusal();
    expect(exitCode).toBe(78);
    expect(message).toContain('cannot lock');
  });
});

describe('the log at the start', () => {
  it('goes on where it ended, in the middle of a segment and at its end', async () => {
    await written(9);
    expect(await found()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(warnings).toEqual([]);
  });

  it('uses what a killed process left of the next segment', async () => {
    await written(3);
    await writeFile(join(directory, 'log', 'next.tmp'), new Uint8Array(20_000).fill(9));
    await written(20);
    expect(await found()).toHaveLength(23);
  });

  it('cuts a record that is not whole at the end, and says so', async () => {
    await written(3);
    await flip(`log/${FIRST}`, 2 * 1035 + 500);
    expect(await found()).toEqual([0, 1]);
    expect(warnings).toEqual([
      expect.stringContaining(
        `${join(directory, 'log', FIRST)}: removed 1035 bytes from byte 2070`,
      ),
    ]);
    await written(1);
    expect(await found()).toEqual([0, 1, 0]);
    expect(warnings).toHaveLength(1);
  });

  it('goes on after its last segment was cut short', async () => {
    await written(3);
    await truncate(join(directory, 'log', FIRST), 2 * 1035 + 100);
    expect(await found()).toEqual([0, 1]);
    await written(20);
    expect(await found()).toHaveLength(22);
  });

  it('refuses damage that whole records follow, and changes nothing', async () => {
    await written(5);
    await flip(`log/${FIRST}`, 1035 + 500);
    const before = await readFile(join(directory, 'log', FIRST));
    const { exitCode, message } = await refusal();
    expect(exitCode).toBe(78);
    expect(message).toContain(`the log is damaged: ${join(directory, 'log', FIRST)}, byte 1035:`);
    expect(message).toContain('whole records follow it, from byte 2070 on');
    expect(message).toContain('Restore the data directory from a copy');
    expect(await readFile(join(directory, 'log', FIRST))).toEqual(before);
    expect(warnings).toEqual([]);
  });

  it('refuses damage in a segment that others follow', async () => {
    await written(10);
    await flip(`log/${FIRST}`, 6 * 1035 + 500);
    const { message } = await refusal();
    expect(message).toContain(`${FIRST}, byte ${6 * 1035}: record 6 should be there`);
  });

  it('refuses a log without one of its segments', async () => {
    await written(20);
    const second = join(directory, 'log', '00000000000000000007.seg');
    await rename(second, join(place.path, 'kept'));
    expect((await refusal()).message).toContain('record 7 should be there');
    await rename(join(place.path, 'kept'), second);
    await rm(join(directory, 'log', FIRST));
    expect((await refusal()).message).toContain('the segment is missing');
  });

  it('cuts the end of the dead letters and of the schemas, and refuses damage before', async () => {
    const log = await opened();
    const batch = batchOf();
    for (let n = 0; n < 3; n += 1) {
      batch.deadLetters.push(letterOf({ n }));
      batch.schemas.push(schemaOf(n));
    }
    await log.append(batch);
    await log.close();
    const letter = 16 + 38 + 3 + 1;
    await flip(`rejects/${FIRST}`, 3 * letter - 1);
    const schema = 16 + 16 + 6;
    await flip('schemas.log', 3 * schema - 1);
    await (await opened()).close();
    expect(warnings.sort()).toEqual([
      expect.stringContaining(`${FIRST}: removed ${letter} bytes from byte ${2 * letter}`),
      expect.stringContaining(`schemas.log: removed ${schema} bytes from byte ${2 * schema}`),
    ]);
    await flip(`rejects/${FIRST}`, letter - 1);
    expect((await refusal()).message).toContain(`${FIRST}, byte 0: the record is not whole`);
    await flip(`rejects/${FIRST}`, letter - 1);
    await flip('schemas.log', schema - 1);
    expect((await refusal()).message).toContain('schemas.log, byte 0: the record is not whole');
  });

  it('is let go when it refuses to open', async () => {
    await written(5);
    await flip(`log/${FIRST}`, 1035 + 500);
    await refusal();
    expect((await refusal()).exitCode).toBe(78);
    await flip(`log/${FIRST}`, 1035 + 500);
    expect(await found()).toHaveLength(5);
  });
});
