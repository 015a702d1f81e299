import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

/** The repository. */
export const ROOT = join(import.meta.dirname, '..', '..');

const NODE = join(ROOT, 'node_modules', 'node', 'bin', 'node');
/** A child that does not end by itself within this is killed. Units: ms. */
const END_MS_MAX = 30_000;

/** How a child ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A command of Tidegate in a process of its own. */
export class Child {
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  readonly #process: ChildProcess;

  /** @param root Where `src` is: the repository, or a changed copy of it. */
  constructor(root: string, argv: readonly string[]) {
    const env = Object.entries(process.env).filter(
      ([name]) => !/^(TIDEGATE_|KAFKA_BROKERS$)/.test(name),
    );
    const child = spawn(NODE, [join(root, 'src', 'main.ts'), ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: Object.fromEntries(env),
    });
    this.#process = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    const end = (): void => void child.kill('SIGKILL');
    process.once('exit', end);
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        process.removeListener('exit', end);
        resolve({ code, signal });
      });
    });
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Resolves when stdout matches; rejects if the child ends before, or it takes too long. */
  async printed(pattern: RegExp, msMax: number): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      const look = (): void => {
        if (pattern.test(this.stdout)) resolve();
      };
      this.#process.stdout?.on('data', look);
      look();
    });
    const outcome = await Promise.race([
      seen.then(() => 'seen' as const),
      this.ended.then(({ code, signal }) => `it ended with ${code ?? signal}`),
      after(msMax, `nothing for ${msMax} ms`),
    ]);
    if (outcome !== 'seen') {
      throw new Error(`${pattern} was expected, but ${outcome}: ${this.stderr.slice(-2000)}`);
    }
  }

  /** Sends a signal and waits for the end; a child that does not obey is killed. */
  async end(signal: NodeJS.Signals, msMax = END_MS_MAX): Promise<Ended> {
    this.#process.kill(signal);
    const outcome = await Promise.race([this.ended, after(msMax, null)]);
    if (outcome !== null) return outcome;
    this.#process.kill('SIGKILL');
    return this.ended;
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }
}

function after<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms).unref());
}
