import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Crowd } from './crowd-load.ts';
import { Peer, say } from './peers.ts';
import type { Stall, Vitals } from './stalls.ts';
import type { Storm, StormEnd } from './storm-load.ts';
import { accountOf } from './storm-log.ts';
import { type Line, Verdict } from './verdict.ts';
import { WatchedGateway } from './watched.ts';

/**
 * A reconnect storm: all devices lose their connections at once and come back by their own policy,
 * first because the network broke, then because the gateway was killed and started again. A process
 * that does nothing watches the same machine: what it stalls at too is not the gateway's.
 */
const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    devices: { type: 'string' },
    /** How much the log holds before the storms. Units: MiB. */
    filled: { type: 'string' },
  },
});
const isQuick = flags.quick === true;
const DEVICES = Number(flags.devices ?? (isQuick ? 200 : 5000));
const FILLED_BYTES = 1024 ** 2 * Number(flags.filled ?? 0);
const FILL_S = 5;
/** Frames per second of one device. */
const RATE = 0.5;
const CALM_MS = isQuick ? 500 : 5000;
/** Devices that came together have their heartbeats together, 20 s later. */
const AFTER_MS = isQuick ? 500 : 22_000;
const LIVE_MS_MOST = 30_000;
const LOOP_MS_MOST = 50;
/** Longer stalls have to be explained. Units: ms. */
const STALL_MS = 100;
const DISK = { baseMs: 0, bytesPerSecond: 0 } as const;
/** Room for three in five of those who come. */
const FULL = { budget: isQuick ? '2MiB' : '45MiB', devices: isQuick ? 300 : 5000 } as const;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ask = (peer: Peer, order: string): Promise<string> => {
  peer.child.stdin.write(`${order}\n`);
  return peer.line();
};

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const shown = (what: string, figure: string, bound = ''): Line => ({
  what,
  figure,
  bound,
  isMet: null,
});

/** What was seen of a storm. */
interface Seen {
  readonly storm: Storm;
  /** Of the gateway, until all were welcomed, and after that. */
  readonly vitals: readonly [Vitals, Vitals];
  readonly idle: Vitals;
}

function stormLines({ storm, vitals }: Seen): Line[] {
  const ends = Object.entries(storm.ends).map(([code, times]) => `${times} × ${code}`);
  const [{ loop }] = vitals;
  const acks = storm.ackP99Ms.map((ms) => `${ms?.toFixed(0)} ms`).join(', ');
  return [
    {
      what: 'all live again after',
      figure: seconds(storm.liveMs),
      bound: `≤ ${seconds(LIVE_MS_MOST)}, a new frame acked`,
      isMet: storm.liveMs <= LIVE_MS_MOST,
    },
    shown('all welcomed, all alarms acked', [storm.welcomedMs, storm.alarmMs].map(seconds).join()),
    shown('all that was held acked after', seconds(storm.caughtUpMs), `${storm.held} frames`),
    shown('ack p99 meanwhile, lanes 0, 1', acks),
    {
      what: 'event-loop delay p99 until welcomed',
      figure: `${loop.p99.toFixed(1)} ms`,
      bound: `≤ ${LOOP_MS_MOST} ms (p50 ${loop.p50.toFixed(1)}, max ${loop.max.toFixed(0)})`,
      isMet: loop.p99 <= LOOP_MS_MOST,
    },
    shown(
      'the same after that, of the load',
      [vitals[1].loop.p99, storm.loopP99Ms].map((ms) => `${ms.toFixed(1)} ms`).join(),
    ),
    shown('connections that ended', ends.join(', ')),
    {
      what: 'refused and not told until when',
      figure: `${storm.untold}`,
      bound: `0 of ${storm.refused}`,
      isMet: storm.untold === 0,
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

const TITLES = {
  cut: 'the network breaks',
  kill: 'the gateway is killed and started again',
} as const;

/** Other devices, which leave again, fill the log. */
async function fill(gateway: WatchedGateway, bytes: number): Promise<void> {
  const load = { url: gateway.ws, mode: 'credit', devices: 50, rows: 100, seconds: FILL_S };
  for (let i = 0; (await gateway.metric('tidegate_delivery_batch_bytes_sum')) < bytes; i += 1) {
    await new Peer('bench/load.ts', JSON.stringify({ ...load, prefix: `fill${i}` })).line();
  }
}

async function storms(verdict: Verdict): Promise<void> {
  const idle = new Peer('bench/watched-idle.ts');
  await idle.line();
  let gateway = await WatchedGateway.start(DISK);
  await fill(gateway, FILLED_BYTES);
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
    if (kind === 'kill') {
      gateway = await gateway.replace(DISK);
      say(`\nready again after ${seconds(Date.now() - sinceMs)}`);
    }
    await load.line();
    const welcomed = await gateway.vitals();
    const storm: Storm = JSON.parse(await load.line());
    const vitals = [welcomed, await gateway.vitals()] as const;
    const seen: Seen = { storm, vitals, idle: JSON.parse(await ask(idle, '?')) };
    verdict.print(`${DEVICES} devices: ${TITLES[kind]}`, stormLines(seen));
    const stalls = vitals.flatMap((one) => one.stalls);
    printStalls(stalls, seen.idle.stalls, sinceMs);
    await sleep(AFTER_MS);
    const after = await gateway.vitals();
    const { p99, max } = after.loop;
    verdict.print(`the ${seconds(AFTER_MS)} after`, [
      shown('event-loop delay p99', `${p99.toFixed(1)} ms`, `max ${max.toFixed(0)}`),
    ]);
    printStalls(after.stalls, JSON.parse(await ask(idle, '?')).stalls, sinceMs);
  }
  const end: StormEnd = JSON.parse(await ask(load, 'finish'));
  await gateway.end(() => printEnd(verdict, end, gateway.logFlags));
  await idle.end();
}

async function printEnd(verdict: Verdict, end: StormEnd, logFlags: readonly string[]) {
  const { formed, acked, logged, missing, twice } = await accountOf(end, logFlags);
  verdict.print('what was acked', [
    {
      what: 'formed, acked, in the log',
      figure: `${formed}, ${acked}, ${logged}`,
      bound: `all the same; taken back: ${end.faults}`,
      isMet: acked === formed && logged === acked && end.faults === 0,
    },
    {
      what: 'acked, and not in the log',
      figure: `${missing}`,
      bound: '0',
      isMet: missing === 0,
    },
    { what: 'in the log twice', figure: `${twice}`, bound: '0', isMet: twice === 0 },
  ]);
}

/** More devices than there is room for: who is refused is told when to come again. */
async function fullNode(verdict: Verdict): Promise<void> {
  const gateway = await WatchedGateway.start(DISK, '--budget', FULL.budget);
  const load = new Peer('bench/crowd-load.ts', gateway.ws, String(FULL.devices));
  const crowd: Crowd = JSON.parse(await load.line());
  const { loop } = await gateway.vitals();
  await gateway.end();
  const { live, refusedBefore, refusedBehind, untold, toldMs, others } = crowd;
  const refused = refusedBefore + refusedBehind;
  verdict.print(`${FULL.devices} devices at a node with a budget of ${FULL.budget}`, [
    {
      what: 'let in, refused before, behind',
      figure: `${live}, ${refusedBefore}, ${refusedBehind}`,
      bound: `ended otherwise: ${others}`,
      isMet: others === 0,
    },
    {
      what: 'refused and not told until when',
      figure: `${untold}`,
      bound: `0 of ${refused}`,
      isMet: untold === 0 && refused > 0,
    },
    shown('told to come again within', toldMs.map(seconds).join('–')),
    {
      what: 'event-loop delay p99',
      figure: `${loop.p99.toFixed(1)} ms`,
      bound: `≤ ${LOOP_MS_MOST} ms (max ${loop.max.toFixed(0)})`,
      isMet: loop.p99 <= LOOP_MS_MOST,
    },
  ]);
}

say(`${availableParallelism()} cores, Node ${process.versions.node}`);
const verdict = new Verdict();
await storms(verdict);
await fullNode(verdict);
verdict.end();
