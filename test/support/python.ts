import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe } from 'vitest';
import type { EmittedFrame } from './check-journal.ts';
import { codeIn, pageOf } from './doc-code.ts';
import { linesOf } from './read-log.ts';

const PAGE = 'docs/reading-kafka.md';
const PINS = /`pip install ([^`]+)`/;
const PROBE = 'import sys, venv, ensurepip; print(sys.executable, sys.version)';
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

const run = promisify(execFile);
const probe = spawnSync('python3', ['-c', PROBE], { encoding: 'utf8' });
const hasPython = probe.status === 0;

/** A suite that needs Python. Without one it is skipped, loudly; where `CI=true` it fails. */
export const describePython = (name: string, suite: () => void): void => {
  if (!hasPython)
    process.stderr.write('\n!!! no python3 with venv: THE READER IN PYTHON IS NOT RUN\n\n');
  describe.skipIf(!hasPython && process.env['CI'] !== 'true')(name, suite);
};

/** A line of the reader: a row of a frame. */
export interface PythonRow {
  readonly device: string;
  readonly lane: number;
  readonly ep: number;
  readonly n: number;
  readonly t: number;
  readonly q: number;
  readonly fid: number;
  readonly values: { readonly [name: string]: number | string | null };
}

/** Runs the reader that stands in the page, with the packages that the page names. */
export async function readWithPython(
  brokers: readonly string[],
  prefix: string,
): Promise<PythonRow[]> {
  const pins = PINS.exec(pageOf(PAGE))?.[1]?.split(' ') ?? [];
  const python = await pythonWith(pins);
  const args = ['-c', codeIn(PAGE, 'python', 'KafkaConsumer'), brokers.join(','), prefix];
  const { stdout, stderr } = await run(python, args, { maxBuffer: OUTPUT_BYTES_MAX });
  if (stderr !== '') throw new Error(`the reader complains: ${stderr}`);
  return linesOf(stdout);
}

/** By name: tests that run at the same time make one environment. */
const environments = new Map<string, Promise<string>>();

/**
 * The Python of a virtual environment with these packages, made once per machine.
 * Guarantee: an environment that is there is whole, whatever ended the run that made it.
 */
function pythonWith(pins: readonly string[]): Promise<string> {
  const name = createHash('sha256')
    .update([probe.stdout, ...pins].join(' '))
    .digest('hex');
  const made = environments.get(name) ?? makeEnvironment(name.slice(0, 16), pins);
  environments.set(name, made);
  return made;
}

async function makeEnvironment(name: string, pins: readonly string[]): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const directory = join(cache, 'tidegate-tests', `python-${name}`);
  const python = join(directory, 'bin', 'python');
  const ready = join(directory, 'ready');
  if (existsSync(ready)) return python;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await run('python3', ['-m', 'venv', directory]);
  const quiet = ['--quiet', '--disable-pip-version-check'];
  await run(python, ['-m', 'pip', 'install', ...quiet, ...pins]);
  mkdirSync(ready);
  return python;
}

/** The frames whose rows the reader printed, in its order. */
export function framesOf(rows: readonly PythonRow[]): EmittedFrame[] {
  const frames: PythonRow[][] = [];
  for (const row of rows) {
    const last = frames.at(-1)?.[0];
    const { device, lane, ep, n } = row;
    const isSame = last?.device === device && last.lane === lane && last.ep === ep && last.n === n;
    if (isSame) frames.at(-1)?.push(row);
    else frames.push([row]);
  }
  return frames.map(frameOf);
}

function frameOf(rows: readonly PythonRow[]): EmittedFrame {
  const { device, lane, ep, n, q, fid, values } = rows[0] as PythonRow;
  const cols = Object.keys(values).map((name) => ({
    topic: `${device}/${name}`,
    unit: '',
    v: rows.map((row) => row.values[name] as number | null),
  }));
  return { device, lane, ep, n, blocks: [{ t: rows.map(({ t }) => t), q, fid, cols }] };
}
