import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkJournal } from '../support/check-journal.ts';
import { temporaryDirectory } from '../support/gateway-process.ts';
import { killedReplay } from '../support/killed-replay.ts';
import { type LogLine, tailed } from '../support/read-log.ts';

const KILLS = Number(process.env['KILLS'] ?? 3);
/** The longer recording takes about 13 s at this speed. */
const SPEEDUP = Number(process.env['REPLAY_SPEEDUP'] ?? 2_000_000);

/**
 * The gateway dies by kill -9 in the middle of a replay, again and again. Then a reader of the log
 * gets every acknowledged frame exactly once, in order.
 */
test('nothing acknowledged is lost by kill -9', async () => {
  const log = ['--log', 'file', '--data', join(temporaryDirectory(), 'data')];
  const replay = await killedReplay({ log, speedup: SPEEDUP, kills: KILLS });
  const lines = await tailed<LogLine>(log, 'readings', '--all');
  const aggregates = await tailed<{ shard: number; offset: number }>(log, 'aggregates', '--all');
  await replay.gateway.stop();

  const verdict = checkJournal(replay.journal, lines);
  expect(verdict).toEqual({ acked: replay.framesAcked, missing: [], wrong: [] });
  expect(verdict.acked).toBeGreaterThan(100);
  const names = aggregates.map(({ shard, offset, ...result }) => JSON.stringify(result));
  expect(new Set(names).size).toBe(names.length);
});
