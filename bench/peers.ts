import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { NODE_FLAGS } from './node-flags.ts';

const ROOT = join(import.meta.dirname, '..');

/** A child process of this Node whose stdout is read line by line. */
export class Peer {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface(this.child.stdout)[Symbol.asyncIterator]();
  }

  /** The next line of stdout. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('a child process ended too early');
    return value;
  }

  /** SIGTERM, and waits for the end. */
  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }
}

/** A server that takes frames, and what it has spent on them. */
export interface Target {
  readonly name: string;
  readonly url: string;
  readonly mode: 'credit' | 'flood' | 'window';
  /** CPU time so far. Units: µs. */
  cpuUs(): Promise<number>;
  /** Frames finished so far. */
  frames(): Promise<number>;
  end(): Promise<void>;
}

/** A real gateway process. */
export async function startGateway(...flags: string[]): Promise<Target> {
  const data = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
  const fixed = ['serve', '--data', data, '--listen', '127.0.0.1:0', '--log-level', 'error'];
  const peer = new Peer(...NODE_FLAGS, 'src/main.ts', ...fixed, ...flags);
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

/** The floor: see `bare-server.ts`. */
export async function startBare(
  name: string,
  mode: Target['mode'],
  ...args: string[]
): Promise<Target> {
  const peer = new Peer('bench/bare-server.ts', ...args);
  const port = await peer.line();
  const ask = async (): Promise<{ frames: number; cpuUs: number }> => {
    peer.child.stdin.write('?\n');
    return JSON.parse(await peer.line());
  };
  return {
    name,
    url: `ws://127.0.0.1:${port}`,
    mode,
    cpuUs: async () => (await ask()).cpuUs,
    frames: async () => (await ask()).frames,
    end: () => peer.end(),
  };
}

/** What one load did to a target. */
export interface Run {
  readonly framesPerSecond: number;
  readonly cpuUsPerFrame: number;
  readonly bytes: number;
  readonly ackMs: { readonly p50: number; readonly p99: number };
}

let loads = 0;

/** Lets a load run against a target. */
export async function measure(
  target: Target,
  load: {
    readonly rows: number;
    readonly devices: number;
    readonly seconds: number;
    readonly rate?: number;
  },
): Promise<Run> {
  loads += 1;
  const before = { cpuUs: await target.cpuUs(), frames: await target.frames() };
  const { url, mode } = target;
  const peer = new Peer(
    'bench/load.ts',
    JSON.stringify({ ...load, url, mode, prefix: `bench${loads}` }),
  );
  const { bytes, ackMs } = JSON.parse(await peer.line());
  const frames = (await target.frames()) - before.frames;
  const cpuUs = (await target.cpuUs()) - before.cpuUs;
  return { framesPerSecond: frames / load.seconds, cpuUsPerFrame: cpuUs / frames, bytes, ackMs };
}

/** The middle value. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

/** `median (min–max)` of one figure of several runs. */
export function spread(runs: readonly Run[], of: (run: Run) => number, digits: number): string {
  const values = runs.map(of);
  const text = (value: number): string => value.toFixed(digits);
  return `${text(median(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`;
}

/** Prints a line. */
export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
