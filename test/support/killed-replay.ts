import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { killed, type RunningGateway, startGateway } from './gateway-process.ts';
import { linesOf } from './read-log.ts';
import { fileOf } from './recordings.ts';
import { RECORDED } from './replay.ts';
import { startCli } from './run-cli.ts';

/** A kill comes at a random moment of these, after the gateway is ready. Units: ms. */
const UP_MS = [500, 2000] as const;

/** What happens during a replay. */
export interface KilledReplayOptions {
  readonly log: readonly string[];
  readonly speedup: number;
  /** How often the gateway dies by kill -9. */
  readonly kills: number;
  /** Called when the first gateway is ready. */
  readonly started?: () => Promise<void>;
  /** What else goes wrong, after that. */
  readonly worse?: () => Promise<void>;
}

/** What is left of it. */
export interface KilledReplay {
  /** The last gateway: the caller stops it. */
  readonly gateway: RunningGateway;
  readonly journal: string;
  readonly framesAcked: number;
}

/**
 * Replays both recordings while the gateway dies, again and again; the devices come back by
 * themselves, and at the end everything is acknowledged.
 */
export async function killedReplay(options: KilledReplayOptions): Promise<KilledReplay> {
  const { log, speedup, kills } = options;
  const journal = join(mkdtempSync(join(tmpdir(), 'tidegate-kill-')), 'journal.ndjson');
  let gateway = await startGateway({ log });
  const { port, ws } = gateway;
  await options.started?.();
  const args = ['--url', ws, '--replay', ...RECORDED.map(fileOf), '--speedup', `${speedup}`];
  const fleet = startCli(['simulate', ...args, '--journal', journal, '--json']);
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(UP_MS[0] + Math.random() * (UP_MS[1] - UP_MS[0]));
    await killed(gateway.child, 'SIGKILL');
    gateway = await startGateway({ log, port });
  }
  await options.worse?.();
  const { code, stdout, stderr } = await fleet.ended;
  const [summary] = linesOf<Record<string, number>>(stdout).slice(-1);
  expect(code, stderr).toBe(0);
  expect(summary?.['unacked']).toBe(0);
  // Two devices, and one of them may be done before the last kill.
  expect(summary?.['reconnects']).toBeGreaterThanOrEqual(Math.min(kills, 2));
  const framesAcked = summary?.['framesAcked'] ?? 0;
  return { gateway, journal: readFileSync(journal, 'utf8'), framesAcked };
}
