import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkJournal } from '../support/check-journal.ts';
import { startGateway, temporaryDirectory } from '../support/gateway-process.ts';
import { type LogLine, tailed } from '../support/read-log.ts';
import { runCli } from '../support/run-cli.ts';

/** The summary of `simulate --json`, as far as it is looked at. */
interface Summary {
  readonly framesSent: number;
  readonly framesAcked: number;
  readonly framesRejected: number;
  readonly unacked: number;
  readonly ackMs: { readonly p50: number };
}

const summaryOf = (stdout: string): Summary =>
  JSON.parse(stdout.trim().split('\n').at(-1) as string) as Summary;

/** A short run of a scenario against a gateway of its own; the log must hold what was acked. */
async function lived(scenario: string): Promise<Summary> {
  const gateway = await startGateway();
  const journal = join(temporaryDirectory(), 'journal');
  const fleet = ['--url', gateway.ws, '--devices', '3', '--rate', '200', '--duration', '2500ms'];
  const how = ['--scenario', scenario, '--journal', journal, '--json'];
  const run = await runCli(['simulate', ...fleet, ...how]);
  expect(run.code, run.stderr).toBe(0);
  const log = await tailed<LogLine>(gateway.log, 'readings', '--all');
  const { acked, missing, wrong } = checkJournal(readFileSync(journal, 'utf8'), log);
  await gateway.stop();
  expect(acked).toBeGreaterThan(0);
  expect(wrong).toEqual([]);
  // What was refused is acked too, and no reader gets it.
  expect(missing).toHaveLength(scenario === 'poison' ? summaryOf(run.stdout).framesRejected : 0);
  return summaryOf(run.stdout);
}

test('poison: refused frames are told, the others are acked', async () => {
  const summary = await lived('poison');
  expect(summary.framesRejected).toBeGreaterThan(0);
  expect(summary.framesAcked + summary.framesRejected).toBe(summary.framesSent);
});

test('slow: acks take the round trip of the link', async () => {
  const summary = await lived('slow');
  expect(summary.ackMs.p50).toBeGreaterThanOrEqual(590);
  expect(summary.framesAcked).toBe(summary.framesSent);
});

test('late, skewed, burst: everything is acked', async () => {
  for (const scenario of ['late', 'skewed', 'burst']) {
    const summary = await lived(scenario);
    expect(summary.framesAcked).toBe(summary.framesSent);
    expect(summary.unacked).toBe(0);
  }
});
