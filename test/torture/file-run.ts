import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkJournal } from '../support/check-journal.ts';
import { freePort } from '../support/kafka/kafka.ts';
import { seeded } from '../support/random.ts';
import { filtered, type LogLine, tailed } from '../support/read-log.ts';
import { Fleet, type FleetReport } from './fleet.ts';
import { Gateway } from './gateway.ts';
import { type Outcome, type Plan, spreadOf } from './plan.ts';

/** A kill comes so long after the gateway was ready. Units: ms. */
const UP_MS = [500, 3000] as const;

/** A device that was cut off often waits for up to a minute before it tries again. Units: ms. */
const BACK_MS_MAX = 90_000;

/** One run on the embedded log: kill -9, again and again. */
export async function runOnFile(plan: Plan): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-torture-'));
  const data = join(directory, 'data');
  const problems: string[] = [];
  const gateway = new Gateway({
    root: plan.root,
    port: await freePort(),
    args: ['--log', 'file', '--data', data, '--shards', `${plan.shards}`],
    onProblem: (sentence) => problems.push(sentence),
  });
  try {
    await gateway.start();
    const begun = performance.now();
    const fleet = new Fleet({ ...plan, ...fleetOf(gateway.url, directory) });
    await killAgainAndAgain(plan, gateway);
    await sleep(Math.max(0, plan.seconds * 1000 - (performance.now() - begun)));
    await gateway
      .hasSessions(plan.devices, BACK_MS_MAX)
      .catch((error: unknown) => problems.push(String(error)));
    const report = await fleet.finish();
    await gateway.end('SIGTERM');
    const lines = [
      ...(await tailed<LogLine>(data, 'readings', '--all')),
      ...(await tailed<LogLine>(data, 'alarms', '--all')),
    ];
    if (report.unacked > 0) problems.push(`${report.unacked} frames were not acknowledged`);
    return outcome(plan, { verdict: checkJournal(fleet.journal, lines), problems }, [
      ...figures(lines, report),
      ['starts until ready', spreadOf(gateway.story.startsMs)],
    ]);
  } finally {
    await gateway.end('SIGKILL').catch(() => undefined);
    rmSync(directory, { recursive: true, force: true });
  }
}

const fleetOf = (url: string, directory: string) => ({
  url,
  journal: join(directory, 'journal.ndjson'),
  codec: 'cbor' as const,
  prefix: 'cbor',
});

async function killAgainAndAgain({ kills, seed, say }: Plan, gateway: Gateway): Promise<void> {
  const random = seeded(seed);
  for (let kill = 1; kill <= kills; kill += 1) {
    await sleep(UP_MS[0] + random() * (UP_MS[1] - UP_MS[0]));
    say(`kill ${kill}`);
    await gateway.end('SIGKILL');
    await gateway.start();
  }
}

const outcome = (
  { kills }: Plan,
  {
    verdict: { acked, missing, wrong },
    problems,
  }: { verdict: ReturnType<typeof checkJournal>; problems: string[] },
  figures: Outcome['figures'],
): Outcome => ({ kills, acked, missing, wrong, problems, figures });

function figures(lines: readonly LogLine[], { reconnects }: FleetReport): Outcome['figures'] {
  return [
    ['reconnects', reconnects],
    ['records', lines.length],
    ['frames that readers get', filtered(lines).length],
    ['fences', lines.filter(({ kind }) => kind === 'fence').length],
  ];
}
