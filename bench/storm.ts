import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { Peer, say } from './peers.ts';
import type { Stall, Vitals } from './stalls.ts';
import type { Storm, StormEnd } from './storm-load.ts';
import { type Line, Verdict } from './verdict.ts';
import { WatchedGateway } from './watched.ts';

/**
 * A reconnect storm: all devices lose their connections at once and come back by their own policy,
 * first because the network broke, then because the gateway was killed and started again. A process
 * that does nothing watches the same machine: what it stalls at too is not the gateway's.
 */
const isQuick = process.argv.includes('--quick');
const DEVICES = isQuick ? 200 : 5000;
/** Frames per second of one device. */
const RATE = 0.5;
const CALM_MS = isQuick ? 500 : 5000;
const LIVE_MS_MOST = 30_000;
const LOOP_MS_MOST = 50;
/** Longer stalls have to be explained. Units: ms. */
const STALL_MS = 100;
const FRAME = /"device":"([^"]+)".*?"ep":(\d+),"n":(\d+)/;
const DISK = { baseMs: 0, bytesPerSecond: 0 } as const;
const FULL = { budget: isQuick ? '2MiB' : '8MiB', devices: isQuick ? 300 : 1500 } as const;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ask = (peer: Peer, order: string): Promise<string> => {
  peer.child.stdin.write(`${order}\n`);
  return peer.line();
};

function stormLines({ storm, vitals }: { storm: Storm; vitals: Vitals }): Line[] {
  const ends = Object.entries(storm.ends).map(([code, times]) => `${times} × ${code}`);
  const { p50, p99, max } = vitals.loop;
  return [
    {
      what: 'all live again after',
      figure: `${(storm.liveMs / 1000).toFixed(1)} s`,
      bound: `≤ ${LIVE_MS_MOST / 1000} s`,
      isMet: storm.liveMs <= LIVE_MS_MOST,
    },
    {
      what: 'all that was held acked after',
      figure: `${(storm.caughtUpMs / 1000).toFixed(1)} s`,
      bound: `${storm.held} frames`,
      isMet: null,
    },
    {
      what: 'event-loop delay p99',
      figure: `${p99.toFixed(1)} ms`,
      bound: `≤ ${LOOP_MS_MOST} ms (p50 ${p50.toFixed(1)}, max ${max.toFixed(0)})`,
      isMet: p99 <= LOOP_MS_MOST,
    },
    {
      what: 'the same of the load',
      figure: `${storm.loopP99Ms.toFixed(1)} ms`,
      bound: '',
      isMet: null,
    },
    {
      what: 'connections that ended',
      figure: ends.join(', '),
      bound: `refused without Retry-After: ${storm.withoutRetryAfter} of ${storm.refused}`,
      isMet: storm.withoutRetryAfter === 0,
    },
  ];
}

/** What kept the loop from turning, as far as the process can know. */
function causeOf({ ms, cpuMs, waitedMs, gcMs }: Stall): string {
  if (waitedMs > ms / 2) return 'no core was free';
  if (gcMs > ms / 2) return 'garbage collection';
  return cpuMs < ms / 2 ? 'it was not let run' : 'its own work';
}

/** Long stalls of the gateway and of the idle process, side by side. */
function printStalls(gateway: readonly Stall[], idle: readonly Stall[], sinceMs: number): void {
  const long = gateway.filter(({ ms }) => ms > STALL_MS);
  say(
    `  stalls above ${STALL_MS} ms: gateway ${long.length}, idle process ${idle.filter(({ ms }) => ms > STALL_MS).length}`,
  );
  for (const stall of long) {
    const { atMs, ms, cpuMs, waitedMs, gcMs } = stall;
    const meanwhile = idle.filter(
      (other) => other.atMs > atMs - ms && other.atMs - other.ms < atMs,
    );
    const seen =
      meanwhile.length === 0
        ? 'none'
        : meanwhile.map((other) => `${other.ms.toFixed(0)} ms`).join(', ');
    const at = ((atMs - sinceMs) / 1000).toFixed(2).padStart(6);
    say(
      `    at ${at} s: ${ms.toFixed(0)} ms (CPU ${cpuMs.toFixed(0)}, waited for a core ${waitedMs.toFixed(0)}, collector ${gcMs.toFixed(0)}: ${causeOf(stall)}); idle process: ${seen}`,
    );
  }
}

/** What `tail` finds in the log. */
interface Logged {
  /** Frames, each counted once. */
  readonly once: number;
  /** How often one was there again. */
  readonly again: number;
}

async function inTheLog(flags: readonly string[]): Promise<Logged> {
  const tail = spawn(process.execPath, ['src/main.ts', 'tail', '--json', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const seen = new Set<string>();
  let again = 0;
  for await (const line of createInterface(tail.stdout)) {
    const name = FRAME.exec(line)?.slice(1).join(':');
    if (name === undefined) continue;
    if (seen.has(name)) again += 1;
    seen.add(name);
  }
  return { once: seen.size, again };
}

async function storms(verdict: Verdict): Promise<void> {
  const idle = new Peer('bench/watched-idle.ts');
  await idle.line();
  let gateway = await WatchedGateway.start(DISK);
  const load = new Peer(
    'bench/storm-load.ts',
    JSON.stringify({ url: gateway.ws, devices: DEVICES, rate: RATE }),
  );
  await load.line();
  await sleep(CALM_MS);
  for (const kind of ['cut', 'kill'] as const) {
    await gateway.vitals();
    await ask(idle, '?');
    const sinceMs = Date.now();
    load.child.stdin.write(kind === 'cut' ? 'cut\n' : 'watch\n');
    if (kind === 'kill') gateway = await gateway.replace(DISK);
    const storm: Storm = JSON.parse(await load.line());
    const vitals = await gateway.vitals();
    const watched: Vitals = JSON.parse(await ask(idle, '?'));
    const title = { cut: 'the network breaks', kill: 'the gateway is killed and started again' };
    verdict.print(`${DEVICES} devices: ${title[kind]}`, stormLines({ storm, vitals }));
    printStalls(vitals.stalls, watched.stalls, sinceMs);
    await sleep(CALM_MS);
  }
  const end: StormEnd = JSON.parse(await ask(load, 'finish'));
  await gateway.end(async () => printEnd(verdict, end, await inTheLog(gateway.logFlags)));
  await idle.end();
}

function printEnd(verdict: Verdict, end: StormEnd, log: Logged): void {
  const isWhole = end.acked === end.formed && log.once === end.acked && end.faults === 0;
  verdict.print('what was acked', [
    {
      what: 'formed, acked, in the log',
      figure: `${end.formed}, ${end.acked}, ${log.once}`,
      bound: `all the same; taken back: ${end.faults}`,
      isMet: isWhole,
    },
    { what: 'in the log twice', figure: `${log.again}`, bound: '0', isMet: log.again === 0 },
  ]);
}

/** More devices than there is room for: who is refused is told when to come again. */
async function fullNode(verdict: Verdict): Promise<void> {
  const gateway = await WatchedGateway.start(DISK, '--budget', FULL.budget);
  const load = new Peer('bench/crowd-load.ts', gateway.ws, String(FULL.devices));
  const { live, refused, withoutRetryAfter, others } = JSON.parse(await load.line());
  await gateway.end();
  verdict.print(`${FULL.devices} devices at a node with a budget of ${FULL.budget}`, [
    {
      what: 'let in, refused',
      figure: `${live}, ${refused}`,
      bound: `ended otherwise: ${others}`,
      isMet: others === 0,
    },
    {
      what: 'refused without Retry-After',
      figure: `${withoutRetryAfter}`,
      bound: `0 of ${refused}`,
      isMet: withoutRetryAfter === 0 && refused > 0,
    },
  ]);
}

say(`${availableParallelism()} cores, Node ${process.versions.node}`);
const verdict = new Verdict();
await storms(verdict);
await fullNode(verdict);
verdict.end();
