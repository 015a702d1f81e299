import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { StormEnd } from './storm-load.ts';

/** What the log holds, next to what devices were told. Units: frames. */
export interface Account {
  readonly formed: number;
  readonly acked: number;
  /** Acked and not in the log: what must never be. */
  readonly missing: number;
  /** In the log more than once. */
  readonly twice: number;
  readonly logged: number;
}

const FRAME = /"device":"([^"]+)","lane":(\d+),"ep":(\d+),"n":(\d+),/;
const TOPICS = ['alarms', 'readings'] as const;

/** Looks for every acked frame, by its name, in what `tail` finds. */
export async function accountOf(end: StormEnd, flags: readonly string[]): Promise<Account> {
  const seen = new Set<string>();
  let twice = 0;
  for (const topic of TOPICS) {
    for await (const name of framesOf(topic, flags)) {
      if (seen.has(name)) twice += 1;
      seen.add(name);
    }
  }
  let [formed, acked, missing] = [0, 0, 0];
  for (const [device, epoch, ...lanes] of end.devices) {
    for (const [lane, [n, ack]] of lanes.entries()) {
      formed += n;
      acked += ack;
      for (let i = 1; i <= ack; i += 1) {
        if (!seen.has(`${device}:${lane}:${epoch}:${i}`)) missing += 1;
      }
    }
  }
  return { formed, acked, missing, twice, logged: seen.size };
}

async function* framesOf(topic: string, flags: readonly string[]): AsyncGenerator<string> {
  const args = ['src/main.ts', 'tail', '--json', '--topic', topic, ...flags];
  const tail = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(tail.stdout)) {
    const name = FRAME.exec(line)?.slice(1).join(':');
    if (name?.startsWith('storm/')) yield name;
  }
}
