import { readdirSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openFileLog } from '../../src/adapters/log/file-log.ts';
import { batchOf, letterOf, schemaOf } from '../support/batches.ts';
import { runCli } from '../support/run-cli.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const FIRST = join('log', '00000000000000000000.seg');

let place: TemporaryDirectory;
let data: string;
beforeEach(async () => {
  place = await temporaryDirectory();
  data = join(place.path, 'data');
  const log = await openFileLog({ directory: data, shards: 4, segmentBytes: 8192, warn: () => {} });
  for (let row = 0; row < 9; row += 1) await log.append(batchOf({ value: 'x'.padEnd(1000, '.') }));
  await log.close();
});
afterEach(() => place.remove());

const run = (verb: string, ...more: string[]) => runCli(['log', verb, '--data', data, ...more]);

/** Everything in the directory, byte for byte. */
const everything = (): string[] =>
  readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
    .map((path) => `${path} ${statSync(path).mtimeMs} ${readFileSync(path).toString('base64')}`);

async function write(name: string, position: number, bytes: Uint8Array): Promise<void> {
  const file = await open(join(data, name), 'r+');
  await file.write(bytes, 0, bytes.length, position);
  await file.close();
}

it('tells that a log is whole, in figures, and changes nothing', async () => {
  const before = everything();
  const { code, stdout, stderr } = await run('verify');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^whole: 9 records, \d+ bytes, 2 segments, 0 sets, 0 rejects\n$/);
  expect(everything()).toEqual(before);
});

it('runs beside the gateway that has the lock', async () => {
  const log = await openFileLog({ directory: data, shards: 4, segmentBytes: 8192, warn: () => {} });
  const batch = batchOf({ value: 'y' });
  batch.schemas.push(schemaOf(1));
  batch.deadLetters.push(letterOf({}));
  await log.append(batch);
  expect((await run('verify')).stdout).toMatch(/^whole: 10 records, .* 1 sets, 1 rejects\n$/);
  await log.close();
});

it('names file and byte of damage, exits with 1 and changes nothing', async () => {
  await write(FIRST, 1500, Uint8Array.of(0xff));
  const before = everything();
  const { code, stdout, stderr } = await run('verify');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/the log is damaged: .*00000000000000000000\.seg, byte \d+: /);
  expect(everything()).toEqual(before);
});

it('a torn tail is no fault, and is told', async () => {
  const last = join('log', '00000000000000000007.seg');
  await write(last, 4000, Uint8Array.of(1, 2, 3));
  const { code, stdout } = await run('verify');
  expect(code).toBe(0);
  expect(stdout).toMatch(/; torn: .*00000000000000000007\.seg byte \d+\n$/);
});

it('damage in a side log counts, too', async () => {
  const log = await openFileLog({ directory: data, shards: 4, segmentBytes: 8192, warn: () => {} });
  for (const byte of [1, 2]) {
    const batch = batchOf({});
    batch.schemas.push(schemaOf(byte));
    await log.append(batch);
  }
  await log.close();
  await write('schemas.log', 20, Uint8Array.of(0xff, 0xfe));
  const { code, stderr } = await run('verify');
  expect(code).toBe(1);
  expect(stderr).toContain('schemas.log, byte 0: ');
});

it('what is no log, or no verb, is 78', async () => {
  expect((await runCli(['log', 'verify', '--data', join(place.path, 'no')])).code).toBe(78);
  const { code, stderr } = await runCli(['log', 'mend']);
  expect(code).toBe(78);
  expect(stderr).toContain('expected verify or info');
});

it('info tells which log it is', async () => {
  const { code, stdout } = await run('info');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^log [0-9a-f]{32} version 1 shards 4 segments 2\n$/);
});
