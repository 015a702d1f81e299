import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('../integration/c/', import.meta.url));
/** The words of the Makefile there, which people use; the tests need no make. */
const FLAGS = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror'];
const SANITIZE = ['-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const CORE = ['cbor', 'ring', 'parse', 'write', 'tidegate', 'sha1', 'websocket', 'reconnect'];
const PROGRAMS = {
  device: [...CORE, 'vibration', 'ws-socket', 'session', 'main'],
  check: [...CORE, 'vibration', 'check'],
  fuzz: [...CORE, 'fuzz'],
} as const;

/** What a program left behind. */
export interface CResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running program. */
export interface CProgram {
  readonly process: ChildProcess;
  readonly ended: Promise<CResult>;
}

/** Where the programs stand: the device as people build it, and all of them with the sanitizers. */
export interface CPrograms {
  readonly device: string;
  readonly sanitized: Readonly<Record<keyof typeof PROGRAMS, string>>;
}

/**
 * Compiles the C programs into `directory`.
 * Rejects: with what the compiler said, or a sentence if there is none. It never skips: a device
 * that is not ours is the proof that the protocol page is enough.
 */
export async function compilePrograms(directory: string): Promise<CPrograms> {
  const device = join(directory, 'device');
  await Promise.all([
    compile(directory, [...FLAGS, '-o', device, ...PROGRAMS.device.map(sourceOf), '-lm']),
    compileSanitized(directory),
  ]);
  const path = (name: string): string => join(directory, `${name}-sanitized`);
  return {
    device,
    sanitized: { device: path('device'), check: path('check'), fuzz: path('fuzz') },
  };
}

const sourceOf = (name: string): string => join(SOURCES, `${name}.c`);

/** The objects once, then a program each: the sanitizers make compiling slow. */
async function compileSanitized(directory: string): Promise<void> {
  const flags = [...FLAGS, ...SANITIZE];
  const names = [...new Set(Object.values(PROGRAMS).flat())];
  await compile(directory, [...flags, '-c', ...names.map(sourceOf)]);
  for (const [program, parts] of Object.entries(PROGRAMS)) {
    const objects = parts.map((name) => `${name}.o`);
    await compile(directory, [...flags, '-o', `${program}-sanitized`, ...objects, '-lm']);
  }
}

async function compile(directory: string, argv: readonly string[]): Promise<void> {
  const { code, stderr } = await startC('cc', argv, directory).ended;
  if (code !== 0) throw new Error(`cc ended with ${code}: ${stderr}`);
}

/** Starts a program and collects what it prints. The caller ends it, or lets it end. */
export function startC(path: string, argv: readonly string[], cwd?: string): CProgram {
  const child = spawn(path, argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<CResult>((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${path} cannot be run: ${why(error)}`)));
    child.once('close', (code) => resolve({ code, ...output }));
  });
  return { process: child, ended };
}

const why = (error: NodeJS.ErrnoException): string =>
  error.code === 'ENOENT'
    ? 'not found; install a C compiler (on Debian: gcc, libc6-dev)'
    : error.message;

/** The numbers of the device's summary, `formed=… sent=… …`. */
export function summaryOf(stdout: string): Readonly<Record<string, number>> {
  const pairs = stdout
    .trim()
    .split(' ')
    .map((pair) => pair.split('='));
  return Object.fromEntries(pairs.map(([name = '', value]) => [name, Number(value)]));
}
