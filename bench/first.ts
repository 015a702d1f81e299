import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/**
 * What a frame costs the gateway (file log, aggregating) next to a ws server that discards the same
 * frames. Both serve the same load one after the other, again and again; medians and spread.
 */
const isQuick = process.argv.includes('--quick');
const SECONDS = isQuick ? 1 : 10;
const REPETITIONS = isQuick ? 2 : 5;
const DEVICES = 50;
/** Rows of three int16 columns: 644-byte and 120-byte frames. */
const SHAPES = [100, 12] as const;
const ROOT = join(import.meta.dirname, '..');

interface Run {
  readonly framesPerSecond: number;
  readonly readingsPerSecond: number;
  readonly cpuUsPerFrame: number;
  readonly bytes: number;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** A child process of this Node whose stdout is read line by line. */
class Peer {
  readonly child: Child;
  readonly #lines: AsyncIterator<string>;

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface(this.child.stdout)[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('a child process ended too early');
    return value;
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }
}

interface Target {
  readonly name: string;
  readonly url: string;
  readonly mode: 'credit' | 'flood';
  /** CPU time so far. Units: µs. */
  cpuUs(): Promise<number>;
  /** Frames finished so far. */
  frames(): Promise<number>;
  end(): Promise<void>;
}

async function startGateway(): Promise<Target> {
  const data = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
  const args = ['serve', '--log', 'file', '--data', data, '--listen', '127.0.0.1:0'];
  const peer = new Peer('src/main.ts', ...args, '--log-level', 'warn');
  const [, , http = '', ws = ''] = (await peer.line()).split(' ');
  const metric = async (pattern: RegExp): Promise<number> => {
    const text = await (await fetch(`${http}/metrics`)).text();
    return Number(pattern.exec(text)?.[1] ?? Number.NaN);
  };
  return {
    name: 'gateway',
    url: ws,
    mode: 'credit',
    cpuUs: async () => 1e6 * (await metric(/^process_cpu_seconds_total (\S+)/m)),
    frames: () => metric(/frames_settled_total\{outcome="durable"\} (\S+)/),
    end: async () => {
      await peer.end();
      rmSync(data, { recursive: true });
    },
  };
}

async function startDiscard(): Promise<Target> {
  const peer = new Peer('bench/discard-server.ts');
  const port = await peer.line();
  const ask = async (): Promise<{ frames: number; cpuUs: number }> => {
    peer.child.stdin.write('?\n');
    return JSON.parse(await peer.line());
  };
  return {
    name: 'discard',
    url: `ws://127.0.0.1:${port}`,
    mode: 'flood',
    cpuUs: async () => (await ask()).cpuUs,
    frames: async () => (await ask()).frames,
    end: () => peer.end(),
  };
}

let loads = 0;

async function measure(target: Target, rows: number): Promise<Run> {
  loads += 1;
  const before = { cpuUs: await target.cpuUs(), frames: await target.frames() };
  const args = [target.url, target.mode, rows, DEVICES, SECONDS, `bench${loads}`].map(String);
  const load = new Peer('bench/load.ts', ...args);
  const { rows: readings, bytes } = JSON.parse(await load.line());
  const frames = (await target.frames()) - before.frames;
  return {
    framesPerSecond: frames / SECONDS,
    readingsPerSecond: (frames * readings) / SECONDS,
    cpuUsPerFrame: ((await target.cpuUs()) - before.cpuUs) / frames,
    bytes,
  };
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
};

const tell = (runs: readonly Run[], of: (run: Run) => number, digits: number): string => {
  const values = runs.map(of);
  const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)];
  const text = (value: number): string => value.toFixed(digits);
  return `${text(middle)} (${text(low)}–${text(high)})`;
};

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

async function compare(rows: number): Promise<void> {
  const targets = [await startGateway(), await startDiscard()];
  const runs = targets.map((): Run[] => []);
  for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
    for (const [i, target] of targets.entries()) runs[i]?.push(await measure(target, rows));
  }
  say(`\n${runs[0]?.[0]?.bytes}-byte frames, ${rows} rows × 3 int16, ${DEVICES} devices`);
  for (const [i, target] of targets.entries()) {
    const mine = runs[i] ?? [];
    say(
      `  ${target.name.padEnd(8)} frames/s ${tell(mine, (run) => run.framesPerSecond, 0)}` +
        `  readings/s ${tell(mine, (run) => run.readingsPerSecond, 0)}` +
        `  CPU-µs/frame ${tell(mine, (run) => run.cpuUsPerFrame, 2)}`,
    );
  }
  const ratios = (runs[0] ?? []).map(
    (run, i) => run.cpuUsPerFrame / (runs[1]?.[i]?.cpuUsPerFrame ?? 1),
  );
  say(`  gateway ÷ discard, CPU per frame: ${median(ratios).toFixed(2)}`);
  for (const target of targets) await target.end();
}

say(
  `${REPETITIONS} interleaved repetitions of ${SECONDS} s, median (min–max), ${availableParallelism()} cores, Node ${process.versions.node}`,
);
for (const rows of SHAPES) await compare(rows);
