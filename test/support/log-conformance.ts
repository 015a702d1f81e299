import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ShardLog } from '../../src/adapters/log/shard-log.ts';
import { LOG } from '../../src/model/record.ts';
import {
  batchOf,
  fullBatch,
  letterOf,
  readAll,
  readAllSchemas,
  rowOf,
  schemaOf,
  textOf,
} from './batches.ts';

/** One place where a log lives, fresh for each test. */
export interface LogHome {
  /** Opens the log there; a second time after a close, if it survives one. */
  open(shards: number): Promise<ShardLog>;
  dispose(): Promise<void>;
}

/** An implementation under test. */
export interface LogKindUnderTest {
  readonly kind: ShardLog['kind'];
  readonly dur: ShardLog['dur'];
  /** Whether a log finds its records again when it is opened once more. */
  readonly survivesClose: boolean;
  home(): Promise<LogHome>;
}

const SHARDS = 4;

/** The suite that every `ShardLog` has to pass. */
export function describeShardLog(under: LogKindUnderTest): void {
  describe(`the ${under.kind} log`, () => {
    let home: LogHome;
    let log: ShardLog;
    const reopened = async (): Promise<ShardLog> => {
      await log.close();
      log = await home.open(SHARDS);
      return log;
    };

    beforeEach(async () => {
      home = await under.home();
      log = await home.open(SHARDS);
    });

    afterEach(async () => {
      await log.close();
      await home.dispose();
    });

    it('says what it is', () => {
      expect(log).toMatchObject({ kind: under.kind, dur: under.dur, shards: SHARDS });
      expect(log.state).toEqual({ kind: 'ok' });
    });

    it('is empty at first', async () => {
      expect(await readAll(log)).toEqual([]);
      expect(await readAllSchemas(log)).toEqual([]);
      expect(log.nextOffset(LOG.readings, 3)).toBe(0);
    });

    it('gives consecutive offsets per log and shard, in the order of the rows', async () => {
      const rows = [
        { shard: 1 },
        { shard: 2 },
        { shard: 1 },
        { log: LOG.alarms, shard: 1 },
      ] as const;
      const first = await log.append(batchOf(...rows));
      expect([...first.offsets]).toEqual([0, 0, 1, 0]);
      const second = await log.append(batchOf(...rows));
      expect([...second.offsets]).toEqual([2, 1, 3, 1]);
      expect(log.nextOffset(LOG.readings, 1)).toBe(4);
      expect(log.nextOffset(LOG.readings, 2)).toBe(2);
      expect(log.nextOffset(LOG.alarms, 1)).toBe(2);
      expect(log.nextOffset(LOG.aggregates, 1)).toBe(0);
    });

    it('reads back every byte, in order within each log and shard', async () => {
      const tg = Uint8Array.from({ length: 60 }, (_, at) => at);
      await log.append(
        batchOf(
          { log: LOG.aggregates, shard: 3, key: 'plant/ümlaut', tg, value: '{"n":1}' },
          { log: LOG.readings, shard: 0, key: '', tg, value: new Uint8Array(0) },
          { log: LOG.readings, shard: 0, key: 'x'.repeat(255), tg: new Uint8Array(0) },
        ),
      );
      const rows = await readAll(log);
      const inShard = (shard: number) => rows.filter((row) => row.shard === shard);
      expect(inShard(3)).toEqual([
        {
          log: LOG.aggregates,
          shard: 3,
          offset: 0,
          key: 'plant/ümlaut',
          tg,
          value: new TextEncoder().encode('{"n":1}'),
        },
      ]);
      expect(inShard(0).map(({ offset, key }) => [offset, key.length])).toEqual([
        [0, 0],
        [1, 255],
      ]);
      expect(inShard(0)[0]?.value).toEqual(new Uint8Array(0));
      expect(inShard(0)[1]?.tg).toEqual(new Uint8Array(0));
    });

    it('takes the largest aggregates record', async () => {
      const value = new Uint8Array(256 * 1024).fill(7);
      await log.append(batchOf({ log: LOG.aggregates, value }));
      expect((await readAll(log))[0]?.value).toEqual(value);
    });

    it('serves appends in the order of the calls', async () => {
      const calls = Array.from({ length: 50 }, (_, call) =>
        log.append(batchOf({ value: `${call}` })),
      );
      const offsets = (await Promise.all(calls)).map(({ offsets: [offset] }) => offset);
      expect(offsets).toEqual(calls.map((_, call) => call));
      expect((await readAll(log)).map(textOf)).toEqual(calls.map((_, call) => `${call}`));
    });

    it('takes a large batch, and the same batch again once it is through', async () => {
      const batch = fullBatch(8000, 644);
      const { offsets } = await log.append(batch);
      expect(offsets.at(-1)).toBe(1999);
      batch.clear();
      batch.add(0, 0, new Uint8Array(1), new Uint8Array(1), new TextEncoder().encode('again'));
      expect([...(await log.append(batch)).offsets]).toEqual([2000]);
      let rows = 0;
      let last = '';
      await log.read((record) => {
        rows += 1;
        if (record.shard === 0) last = textOf(record);
      });
      expect([rows, last]).toEqual([8001, 'again']);
    });

    it('takes an empty batch', async () => {
      expect((await log.append(batchOf())).offsets).toHaveLength(0);
    });

    it('writes a set definition once, in order, before the rows count', async () => {
      const batch = batchOf({ value: 'uses 1 and 2' });
      batch.schemas.push(schemaOf(1, 'one'), schemaOf(2, 'two'));
      await log.append(batch);
      const again = batchOf();
      again.schemas.push(schemaOf(2, 'two'), schemaOf(3, 'three'), schemaOf(3, 'three'));
      await log.append(again);
      const known = [schemaOf(1, 'one'), schemaOf(2, 'two'), schemaOf(3, 'three')];
      expect(await readAllSchemas(log)).toEqual(known);
    });

    it('takes dead letters, with rows and without', async () => {
      const batch = batchOf({ value: 'stub' });
      batch.deadLetters.push(letterOf({}));
      expect([...(await log.append(batch)).offsets]).toEqual([0]);
      const alone = batchOf();
      alone.deadLetters.push(letterOf({ n: 6 }));
      expect((await log.append(alone)).offsets).toHaveLength(0);
      expect(await readAll(log)).toHaveLength(1);
    });

    it('reads to the end as it stood when the call was made', async () => {
      await log.append(batchOf({ value: 'before' }));
      const rows: string[] = [];
      const reading = log.read((record) => rows.push(textOf(rowOf(record))));
      await Promise.all([reading, log.append(batchOf({ value: 'after' }))]);
      expect(rows).toEqual(['before']);
    });

    it('passes on what the reader throws, and can be read again', async () => {
      await log.append(batchOf({}));
      const fault = new Error('the reader has had enough');
      const reading = log.read(() => {
        throw fault;
      });
      await expect(reading).rejects.toBe(fault);
      expect(await readAll(log)).toHaveLength(1);
    });

    it('refuses a row of a shard it does not have, and goes on', async () => {
      await expect(log.append(batchOf({}, { shard: SHARDS }))).rejects.toThrow('shard');
      expect([...(await log.append(batchOf({}))).offsets]).toEqual([0]);
    });

    it('lets running appends finish when it is closed, and takes no more', async () => {
      const running = log.append(batchOf({ value: 'last' }));
      const closing = log.close();
      await expect(log.append(batchOf({}))).rejects.toThrow('closed');
      expect([...(await running).offsets]).toEqual([0]);
      await closing;
    });

    if (!under.survivesClose) return;

    it('finds everything again, and counts on', async () => {
      const batch = batchOf({ shard: 1, value: 'one' }, { shard: 2, value: 'two' });
      batch.schemas.push(schemaOf(1, 'one'));
      await log.append(batch);
      await log.append(batchOf({ shard: 1, value: 'three' }));
      await reopened();
      expect(log.nextOffset(LOG.readings, 1)).toBe(2);
      const next = batchOf({ shard: 1, value: 'four' });
      next.schemas.push(schemaOf(1, 'one'), schemaOf(2, 'two'));
      expect([...(await log.append(next)).offsets]).toEqual([2]);
      await reopened();
      const rows = await readAll(log);
      const ofShard1 = rows.filter(({ shard }) => shard === 1);
      expect(ofShard1.map((row) => [row.offset, textOf(row)])).toEqual([
        [0, 'one'],
        [1, 'three'],
        [2, 'four'],
      ]);
      expect(await readAllSchemas(log)).toEqual([schemaOf(1, 'one'), schemaOf(2, 'two')]);
    });
  });
}
