import { describe, expect, it } from 'vitest';
import { type FileLog, type FileLogOptions, openFileLog } from '../../src/adapters/log/file-log.ts';
import { LogReader } from '../../src/adapters/log/log-reader.ts';
import { segmentName } from '../../src/adapters/log/segments.ts';
import type { LogState } from '../../src/adapters/log/shard-log.ts';
import { batchOf, fullBatch, letterOf, readAll, textOf } from '../support/batches.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { seeded } from '../support/random.ts';

const DIRECTORY = '/disk/data';
const SEGMENT = `${DIRECTORY}/log/${segmentName(0)}`;

/** A log on the double; whatever it waits, is noted and over at once. */
async function opened(files: FaultyFiles, options: Partial<FileLogOptions> = {}) {
  const waits: number[] = [];
  const warnings: string[] = [];
  const states: LogState[] = [];
  const log = await openFileLog({
    directory: DIRECTORY,
    shards: 4,
    segmentBytes: 8192,
    files,
    warn: (sentence) => warnings.push(sentence),
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    ...options,
  });
  log.onState = (state) => states.push(state);
  return { log, waits, warnings, states };
}

const fresh = () => new FaultyFiles(seeded(7));
const values = async (log: FileLog): Promise<string[]> => (await readAll(log)).map(textOf);
const row = (value: string | Uint8Array) => batchOf({ value });

describe('group commit', () => {
  it('makes everything that waits durable with one sync', async () => {
    const files = fresh();
    const { log } = await opened(files);
    await log.append(row('first'));
    const before = files.syncs;
    const together = Array.from({ length: 20 }, (_, call) => log.append(row(`a${call}`)));
    const late = together[0]?.then(() => log.append(row('late')));
    await Promise.all([...together, late]);
    expect(files.syncs - before).toBe(2);
  });

  it('splits a batch that is larger than a group, and keeps the order', async () => {
    const { log } = await opened(fresh());
    const large = log.append(fullBatch(100, 500));
    const small = log.append(row('behind'));
    expect((await large).offsets.at(-1)).toBe(24);
    expect([...(await small).offsets]).toEqual([25]);
    const rows = await readAll(log);
    expect(rows).toHaveLength(101);
    expect(rows.at(-1)?.offset).toBe(25);
  });

  it('refuses a row that is larger than a segment, and goes on', async () => {
    const { log } = await opened(fresh());
    await expect(log.append(row(new Uint8Array(8192)))).rejects.toThrow('largest record');
    await log.append(row('fine'));
    expect(await values(log)).toEqual(['fine']);
  });

  it('goes from segment to segment', async () => {
    const files = fresh();
    const { log } = await opened(files);
    for (let call = 0; call < 30; call += 1) await log.append(row(new Uint8Array(1000)));
    const segments = (await files.names(`${DIRECTORY}/log`)).filter((name) =>
      name.endsWith('.seg'),
    );
    expect(segments.sort()).toEqual([0, 7, 14, 21, 28].map(segmentName));
    await log.close();
    const { log: again } = await opened(files);
    expect(await readAll(again)).toHaveLength(30);
  });
});

describe('a full disk', () => {
  it('delays appends, says why, and loses nothing', async () => {
    const files = fresh();
    const { log, waits, states } = await opened(files, {
      sleep: (ms) => {
        waits.push(ms);
        if (waits.length === 6) files.faults.noSpace = 0;
        return Promise.resolve();
      },
    });
    await log.append(row('before'));
    files.faults.noSpace = 1;
    await Promise.all([log.append(row('during')), log.append(row('too'))]);
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(states[0]).toMatchObject({ kind: 'stalled' });
    expect(states[0]).toHaveProperty('reason', expect.stringContaining(`${SEGMENT} (ENOSPC)`));
    expect(states.at(-1)).toEqual({ kind: 'ok' });
    expect(await values(log)).toEqual(['before', 'during', 'too']);
  });

  it('is felt only when the segments that are there are full', async () => {
    const files = fresh();
    const { log, waits, states } = await opened(files, {
      sleep: (ms) => {
        waits.push(ms);
        if (waits.length === 3) files.faults.freeBytes = Infinity;
        return Promise.resolve();
      },
    });
    await log.append(row('opens the first segment'));
    files.faults.freeBytes = 5000;
    for (let call = 0; call < 6; call += 1) await log.append(row(new Uint8Array(1000)));
    // There was no room for a spare; nobody tries again before it is needed.
    const before = files.operations;
    await log.append(row(new Uint8Array(1000)));
    expect(files.operations - before).toBe(2);
    expect(states).toEqual([]);
    await log.append(row(new Uint8Array(1000)));
    expect(waits).toHaveLength(3);
    expect(states.at(-1)).toEqual({ kind: 'ok' });
    expect(await readAll(log)).toHaveLength(9);
  });

  it('gives the room of half a segment back', async () => {
    const files = fresh();
    files.faults.freeBytes = 5000;
    const { log } = await opened(files, {
      sleep: () => {
        expect(files.faults.freeBytes).toBeGreaterThan(4000);
        files.faults.freeBytes = Infinity;
        return Promise.resolve();
      },
    });
    await log.append(row('fine'));
    expect(await values(log)).toEqual(['fine']);
  });

  it('rejects what waits when the log is closed, and frees the directory', async () => {
    const files = fresh();
    const never = () => new Promise<void>(() => {});
    const { log, states } = await opened(files, { sleep: never });
    await log.append(row('acknowledged'));
    files.faults.noSpace = 1;
    const waiting = expect(log.append(row('waits'))).rejects.toThrow('closed while');
    while (states.length === 0) await files.names(DIRECTORY);
    await log.close();
    await waiting;
    files.faults.noSpace = 0;
    const { log: again } = await opened(files);
    expect(await values(again)).toEqual(['acknowledged']);
  });
});

describe('a failed sync', () => {
  it('ends the log: everything is rejected, nothing is synced again', async () => {
    const files = fresh();
    const { log, states } = await opened(files);
    await log.append(row('durable'));
    files.faults.failSync = 1;
    const before = files.syncs;
    const first = log.append(row('lost?'));
    const second = first.catch(() => log.append(row('later')));
    await expect(first).rejects.toThrow('EIO');
    await expect(second).rejects.toThrow('the log has failed');
    expect(states).toEqual([{ kind: 'failed', reason: expect.stringContaining('EIO') }]);
    expect(files.syncs - before).toBe(1);
    files.faults.failSync = 0;
    await expect(log.append(row('more'))).rejects.toThrow('the log has failed');
    await log.close();
    expect(files.syncs - before).toBe(1);
  });

  it('leaves a log whose found records are durable after the next start', async () => {
    let files = fresh();
    const { log } = await opened(files);
    await log.append(row('durable'));
    files.faults.failSync = 1;
    await expect(log.append(row(new Uint8Array(4000).fill(5)))).rejects.toThrow('EIO');
    files = files.kill();
    const { log: second } = await opened(files);
    const found = await readAll(second);
    files = files.powerCut();
    const { log: third } = await opened(files);
    expect(await readAll(third)).toEqual(found);
  });
});

describe('leftovers of a torn append', () => {
  it('do not come back behind the records that are written in their place', async () => {
    let files = fresh();
    const { log } = await opened(files, { segmentBytes: 65536 });
    await log.append(row('acknowledged'));
    const start = 27 + 4 + 4 + 'acknowledged'.length;
    await log.append(batchOf({ value: new Uint8Array(2000).fill(1) }, { value: 'leftover' }));
    // The first record of the group never reached the disk, the second did.
    files.bytesOf(SEGMENT).fill(0, start, start + 2000);
    files = files.kill();
    const { log: second, warnings } = await opened(files, { segmentBytes: 65536 });
    expect(warnings).toEqual([expect.stringMatching(/00\.seg: removed \d+ bytes from byte \d+/)]);
    await second.append(row(new Uint8Array(2000).fill(2)));
    files = files.kill();
    const { log: third } = await opened(files, { segmentBytes: 65536 });
    expect((await readAll(third)).map(({ value }) => value.at(-1))).toEqual(['d'.charCodeAt(0), 2]);
  });

  it('do not come back behind new dead letters', async () => {
    let files = fresh();
    const rejects = `${DIRECTORY}/rejects/${segmentName(0)}`;
    const { log } = await opened(files);
    const letters = batchOf();
    letters.deadLetters.push(letterOf({ n: 1, bytes: new Uint8Array(2000).fill(1) }));
    letters.deadLetters.push(letterOf({ n: 2 }));
    await log.append(letters);
    files.bytesOf(rejects).fill(0, 0, 2000);
    files = files.kill();
    const { log: second, warnings } = await opened(files);
    expect(warnings).toEqual([expect.stringContaining(`${rejects}: removed`)]);
    const again = batchOf();
    again.deadLetters.push(letterOf({ n: 3, bytes: new Uint8Array(2000).fill(1) }));
    await second.append(again);
    files = files.kill();
    await opened(files);
    const found: number[] = [];
    for await (const { n } of (await LogReader.open(DIRECTORY, files)).deadLetters()) found.push(n);
    expect(found).toEqual([3]);
  });
});

describe('a process that is killed at any moment of its first append', () => {
  it.each([1, 2, 3])('leaves nothing that a later power cut could lose, seed %d', async (seed) => {
    for (let dieAfter = 1; dieAfter < 60; dieAfter += 1) {
      let files = new FaultyFiles(seeded(seed * 1000 + dieAfter));
      files.faults.dieAfter = dieAfter;
      const first = opened(files).then(({ log }) => log.append(row('first')));
      await Promise.race([first, files.died]);
      files = files.kill();
      const { log } = await opened(files);
      const offset = (await log.append(row('second'))).offsets[0] as number;
      files = files.powerCut();
      const { log: last } = await opened(files);
      expect((await values(last)).indexOf('second')).toBe(offset);
    }
  });
});

describe('the size of the log', () => {
  it('is told once per step, and at the start', async () => {
    const files = fresh();
    const { log, warnings } = await opened(files, { warnBytes: 3000 });
    await log.append(row(new Uint8Array(2000)));
    expect(warnings).toEqual([]);
    await log.append(row(new Uint8Array(2000)));
    await log.append(row(new Uint8Array(500)));
    expect(warnings).toEqual([expect.stringContaining(`the log in ${DIRECTORY} has grown to`)]);
    await log.append(row(new Uint8Array(2000)));
    expect(warnings).toHaveLength(2);
    await log.close();
    const { warnings: atStart } = await opened(files, { warnBytes: 3000 });
    expect(atStart).toHaveLength(1);
  });
});
