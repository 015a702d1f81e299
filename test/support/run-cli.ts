import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** The Node of the devDependency, whatever runs the tests. */
export const NODE = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));

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

/** Where and with what a command runs; without the variables of this process named in `OURS`. */
export interface CliPlace {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `tidegate …`. The caller ends it. */
export const startCli = (argv: readonly string[], place?: CliPlace): CliChild =>
  startProgram(NODE, [MAIN, ...argv], place);

/** Starts any program as `startCli` starts `tidegate`. The caller ends it. */
export function startProgram(
  program: string,
  argv: readonly string[],
  { cwd, env }: CliPlace = {},
): CliChild {
  const child = spawn(program, argv, {
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

/** What configures Tidegate, and what `npm test` sets for itself: a second npm would believe it. */
const OURS =
  /^(?:TIDEGATE_|KAFKA_BROKERS$|npm_(?!config_)|npm_config_(?:local_prefix|loglevel)$|INIT_CWD$)/;

const withoutOurs = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.test(name)));
