import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { checkJournal } from '../support/check-journal.ts';
import { killed, startGateway } from '../support/gateway-process.ts';
import { type LogLine, linesOf, tailed } from '../support/read-log.ts';
import { AMBIENT, fileOf, MACHINE } from '../support/recordings.ts';
import { startCli } from '../support/run-cli.ts';

const KILLS = Number(process.env['KILLS'] ?? 3);
/** The longer recording takes about 13 s at this speed. */
const SPEEDUP = Number(process.env['REPLAY_SPEEDUP'] ?? 2_000_000);
/** A kill comes at a random moment of these, after the gateway is ready. Units: ms. */
const UP_MS = [500, 2000] as const;

/**
 * The gateway dies by kill -9 in the middle of a replay, again and again; the devices come back by
 * themselves. Then a reader of the log gets every acknowledged frame exactly once, in order.
 */
test('nothing acknowledged is lost by kill -9', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-kill-'));
  const data = join(directory, 'data');
  const journal = join(directory, 'journal.ndjson');
  let gateway = await startGateway({ data });
  const { port, ws } = gateway;
  const files = [fileOf(MACHINE), fileOf(AMBIENT)];
  const args = ['--url', ws, '--replay', ...files, '--speedup', `${SPEEDUP}`, '--journal', journal];
  const fleet = startCli(['simulate', ...args, '--json']);
  for (let kill = 0; kill < KILLS; kill += 1) {
    await sleep(UP_MS[0] + Math.random() * (UP_MS[1] - UP_MS[0]));
    await killed(gateway.child, 'SIGKILL');
    gateway = await startGateway({ data, port });
  }
  const { code, stdout, stderr } = await fleet.ended;
  const [summary] = linesOf<Record<string, number>>(stdout).slice(-1);
  expect(code, stderr).toBe(0);
  expect(summary?.['unacked']).toBe(0);
  expect(summary?.['reconnects']).toBeGreaterThanOrEqual(2);
  const lines = await tailed<LogLine>(data, 'readings', '--all');
  const aggregates = await tailed<{ shard: number; offset: number }>(data, 'aggregates');
  await gateway.stop();

  const verdict = checkJournal(readFileSync(journal, 'utf8'), lines);
  expect(verdict).toEqual({ acked: summary?.['framesAcked'], missing: [], wrong: [] });
  expect(verdict.acked).toBeGreaterThan(100);
  const names = aggregates.map(({ shard, offset, ...result }) => JSON.stringify(result));
  expect(new Set(names).size).toBe(names.length);
});
