import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordOf } from '../support/log-records.ts';
import { type CliResult, runCli, startCli } from '../support/run-cli.ts';
import {
  ACC,
  frame,
  RECV,
  RESULT,
  RESULT_RECORD,
  SHARDS,
  T,
  TAIL_LOG,
  TEMP,
} from '../support/tail-fixture.ts';
import { appendTo, frameValue } from '../support/tail-log.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-tail-'));
  await appendTo(folder, SHARDS, TAIL_LOG);
});
afterAll(() => rm(folder, { recursive: true }));

const tail = (...argv: string[]): Promise<CliResult> =>
  runCli(['tail', '--log', 'file', '--data', folder, ...argv]);

async function jsonLines(...argv: string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await tail('--json', ...argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('tail --json', () => {
  it('gives a frame to the letter of INTERFACE', async () => {
    const { stdout } = await tail('--json');
    expect(stdout.split('\n')[0]).toBe(
      '{"topic":"readings","shard":0,"offset":1,"kind":"frame","device":"plant/pump","lane":1,' +
        '"ep":1,"n":1,"lost":0,"gen":1,"own":"6161616161616161","recv":1761962400158000,' +
        '"clockOffset":0,"uncertain":false,"void":false,"duplicate":false,"blocks":[' +
        '{"t":[1761962400123000,1761962400123010],"q":[0,64],"fid":4,"cols":[' +
        '{"topic":"plant/pump/acc/x","unit":"m/s2","v":[2.5,0.5]},' +
        '{"topic":"plant/pump/acc/count","unit":"","v":["9007199254740993",5]}]},' +
        '{"t":[1761962400123000,1761962400123001,1761962400123001],"q":0,"fid":1,"cols":[' +
        '{"topic":"plant/pump/state","unit":"","v":["up",null,"say \\"hi\\""]}]},' +
        '{"t":[1761962400123000],"q":0,"fid":1,"cols":[' +
        '{"topic":"plant/pump/acc/x","unit":"m/s2","v":[null]}]}],"wm":1761962400123099}',
    );
  });

  it('shows each frame once, and nothing else, without --all', async () => {
    const lines = await jsonLines();
    expect(lines.map(({ kind, device, n }) => [kind, device, n])).toEqual([
      ['frame', 'plant/pump', 1],
      ['frame', 'plant/pump', 2],
      ['frame', 'plant/pump', 9],
      ['frame', 'hall', 5],
    ]);
    expect(lines.every((line) => line['void'] === false && line['duplicate'] === false)).toBe(true);
  });

  it('shows everything with --all', async () => {
    const lines = await jsonLines('--all');
    const seen = lines.map((line) => [
      line['kind'],
      line['n'],
      line['void'] ? 'void' : line['duplicate'] ? 'duplicate' : '',
    ]);
    expect(seen).toEqual([
      ['fence', 0, ''],
      ['frame', 1, ''],
      ['frame', 2, ''],
      ['frame', 2, 'duplicate'],
      ['stub', 3, ''],
      ['mark', 0, ''],
      ['fence', 0, ''],
      ['frame', 4, 'void'],
      ['frame', 9, ''],
      ['frame', 5, ''],
    ]);
    expect(lines.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 0]);
    expect(lines[8]).toMatchObject({ uncertain: true, gen: 2, own: '6262626262626262' });
  });

  it('gives what fence, mark and stub say, after the keys that all have', async () => {
    const lines = await jsonLines('--all');
    const keys = (await jsonLines()).map((line) => Object.keys(line))[1];
    expect(lines[0]).toMatchObject({ kind: 'fence', device: '', ep: 0, blocks: [], node: 'gw-1' });
    expect(Object.keys(lines[0] ?? {})).toEqual([...(keys ?? []), 'node']);
    expect(lines[4]).toMatchObject({ kind: 'stub', device: 'plant/pump', blocks: [], code: 4021 });
    expect(lines[5]).toMatchObject({
      kind: 'mark',
      blocks: [],
      marks: [
        { device: 'plant/pump', class: 'live', watermark: T },
        { device: 'hall', class: 'backfill', watermark: T + 5 },
      ],
    });
  });

  it('cuts to the series that match', async () => {
    const lines = await jsonLines('--all', '--series', '+/pump/acc/x');
    const topics = lines.map(({ blocks }) =>
      (blocks as { cols: { topic: string }[] }[]).flatMap(({ cols }) => cols.map((c) => c.topic)),
    );
    const topic = 'plant/pump/acc/x';
    expect(topics).toEqual([[topic, topic], [topic], [topic], [topic], [topic]]);
    expect(await jsonLines('--series', 'nothing/#')).toEqual([]);
  });

  it('reads the alarms log', async () => {
    const lines = await jsonLines('--topic', 'alarms');
    expect(lines).toMatchObject([{ topic: 'alarms', lane: 0, n: 1, offset: 0 }]);
  });

  it('gives an aggregates record as its result, with shard and offset', async () => {
    expect(await jsonLines('--topic', 'aggregates')).toEqual([{ shard: 0, offset: 0, ...RESULT }]);
    const cut = { shard: 0, offset: 0, ...RESULT, series: { 'acc/x': RESULT.series['acc/x'] } };
    expect(await jsonLines('--topic', 'aggregates', '--series', '#')).toHaveLength(1);
    expect(await jsonLines('--topic', 'aggregates', '--series', '+/+/+/x')).toEqual([cut]);
  });

  it('shows a result that was written twice once, with --all both', async () => {
    expect(await jsonLines('--topic', 'aggregates', '--all')).toEqual([
      { shard: 0, offset: 0, ...RESULT },
      { shard: 0, offset: 1, ...RESULT, duplicate: true },
    ]);
    const { stdout } = await tail('--topic', 'aggregates', '--all');
    expect(stdout.match(/aggregates 0:1 {2}DUPLICATE$/gm)).toHaveLength(1);
  });

  it('gives dead letters to the letter of INTERFACE', async () => {
    const { stdout } = await tail('--json', '--topic', 'rejects');
    expect(stdout).toBe(
      '{"topic":"rejects","shard":1,"offset":0,"device":"plant/pump","lane":1,"ep":1,"n":3,' +
        `"code":4021,"recv":${RECV},"bytes":"owAD"}\n`,
    );
  });
});

describe('tail for humans', () => {
  it.each<[string, RegExp[]]>([
    [
      '--all',
      [
        /^2025-11-01T02:00:00\.158000Z {2}readings 0:1 {2}frame {2}plant\/pump {2}lane 1 ep 1 n 1$/m,
        /^ +plant\/pump\/acc\/x {2}2\.5 0\.5 m\/s2$/m,
        /fence {2}node gw-1$/m,
        /stub {2}plant\/pump .* 4021 shape$/m,
        /mark\n {4}plant\/pump {2}live {2}watermark 2025-11-01T02:00:00\.123000Z$/m,
        /n 4 {2}VOID$/m,
        /n 2 {2}DUPLICATE$/m,
        /n 9 {2}uncertain$/m,
      ],
    ],
    [
      '--topic=aggregates',
      [/1000 ms {2}final {2}live {2}plant\/pump/, /^ {4}acc\/x {2}n=2 mean=0\.1 m\/s2$/m],
    ],
    [
      '--topic=rejects',
      [/rejects 1:0 {2}plant\/pump {2}lane 1 ep 1 n 3 {2}4021 shape {2}3 bytes$/m],
    ],
  ])('%s', async (argument, patterns) => {
    const { code, stdout } = await tail(argument);
    expect(code).toBe(0);
    for (const pattern of patterns) expect(stdout).toMatch(pattern);
  });
});

describe('tail --follow', () => {
  it('shows what comes later, with definitions that come later, and ends at Ctrl-C with 0', async () => {
    const directory = join(folder, 'growing');
    await appendTo(directory, SHARDS, { schemas: [ACC], records: [frame(1)] });
    const child = startCli(['tail', '--follow', '--json', '--log', 'file', '--data', directory]);
    await child.stdoutWith(/"n":1,/);
    await appendTo(directory, SHARDS, { records: [frame(2)] });
    await child.stdoutWith(/"n":2,/);
    const value = frameValue(3, [{ s: 1, t: T, v: [21.5] }]);
    const record = recordOf({ device: 'hall', n: 3, hashes: TEMP.hash, value });
    await appendTo(directory, SHARDS, { schemas: [TEMP], records: [record] });
    expect(await child.stdoutWith(/"n":3,/)).toContain(
      '"topic":"hall/temp","unit":"Cel","v":[21.5]',
    );
    child.process.kill('SIGINT');
    const { code, stdout, stderr } = await child.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
  });

  it('ends quietly when its reader goes away', async () => {
    const directory = join(folder, 'left');
    await appendTo(directory, SHARDS, { schemas: [ACC], records: [frame(1)] });
    const child = startCli(['tail', '--follow', '--json', '--log', 'file', '--data', directory]);
    await child.stdoutWith(/"n":1,/);
    child.process.stdout?.destroy();
    await appendTo(directory, SHARDS, { records: [frame(2)] });
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('what cannot be decoded', () => {
  it('says so, the rest is shown, and the exit code is 1', async () => {
    const directory = join(folder, 'broken');
    const unknown = frame(1, { hashes: new Uint8Array(16) });
    const damaged = frame(2, { value: Uint8Array.of(1, 2, 3) });
    await appendTo(directory, SHARDS, { schemas: [ACC], records: [unknown, damaged, frame(3)] });
    const argv = ['tail', '--json', '--log', 'file', '--data', directory];
    const { code, stdout, stderr } = await runCli(argv);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'tidegate tail: 2 records could not be decoded.\n',
    });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { n: 1, blocks: [], error: 'the definition of set 1 is not in the log' },
      { n: 2, blocks: [], error: expect.stringContaining('damaged') as string },
      { n: 3, blocks: [{ cols: [{}, {}] }] },
    ]);
  });

  it('a stranger among the results is told, and the results are shown', async () => {
    const directory = join(folder, 'strange');
    const strangers = ['no result', '[]', 'null'].map((text) => ({
      ...RESULT_RECORD,
      tg: new Uint8Array(0),
      value: new TextEncoder().encode(text),
    }));
    await appendTo(directory, SHARDS, { records: [...strangers, RESULT_RECORD] });
    for (const more of [['--json'], [], ['--series', '#']]) {
      const argv = ['tail', '--topic', 'aggregates', '--log', 'file', '--data', directory, ...more];
      const { code, stdout, stderr } = await runCli(argv);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: 'tidegate tail: 3 records of aggregates are no results.\n',
      });
      expect(stdout).toContain('acc/x');
    }
  });

  it('a header of a later version ends it with 78', async () => {
    const directory = join(folder, 'later');
    const record = frame(1);
    const tg = Uint8Array.from(record.tg);
    tg[0] = 2;
    await appendTo(directory, SHARDS, { schemas: [ACC], records: [{ ...record, tg }] });
    const { code, stderr } = await runCli(['tail', '--log', 'file', '--data', directory]);
    expect(code).toBe(78);
    expect(stderr).toContain('the record at offset 0 of readings, shard 0, has a header');
  });
});
