import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** The Node of the devDependency, whatever runs the tests. */
const NODE = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));

/** What a command left behind. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command in a real child process. */
export interface CliChild {
  readonly process: ChildProcess;
  readonly ended: Promise<CliResult>;
  /** What it has written so far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Resolves with stdout so far as soon as it matches; rejects if the command ends before. */
  stdoutWith(pattern: RegExp): Promise<string>;
}

/** Where and with what a command runs. Variables of this process that configure Tidegate are left out. */
export interface CliPlace {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `tidegate …`. The caller ends it. */
export function startCli(argv: readonly string[], { cwd, env }: CliPlace = {}): CliChild {
  const child = spawn(NODE, [MAIN, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutOurs(process.env), ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output }));
  });
  const stdoutWith = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(output.stdout)) resolve(output.stdout);
      };
      child.stdout.on('data', look);
      look();
      void ended.then((result) => reject(new Error(`ended first: ${JSON.stringify(result)}`)));
    });
  return { process: child, ended, output, stdoutWith };
}

/** Runs `tidegate …` to its end. */
export const runCli = (argv: readonly string[], place?: CliPlace): Promise<CliResult> =>
  startCli(argv, place).ended;

const withoutOurs = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(TIDEGATE_|KAFKA_BROKERS$)/.test(name)),
  );
