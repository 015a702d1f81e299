import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url),
);

/** What to do with a child's stdout: show it, or read its lines. */
type Stdout = 'inherit' | 'lines';

/**
 * A `tidegate` command in a process of its own, outside our process group: a Ctrl-C reaches it only
 * through us, so that we can end several in the right order.
 */
export class Child {
  readonly #process: ChildProcess;
  /** Resolves with the exit code; one that a signal ended has 128 + its number, as in a shell. */
  readonly ended: Promise<number>;

  constructor(command: string, argv: readonly string[], stdout: Stdout) {
    const output = stdout === 'lines' ? 'pipe' : 'inherit';
    this.#process = spawn(process.execPath, [MAIN, command, ...argv], {
      stdio: ['ignore', output, 'inherit'],
      detached: true,
    });
    // Whatever ends us, a bug included: nothing goes on without us.
    process.once('exit', () => this.#process.kill('SIGTERM'));
    this.ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('exit', (code, signal) => resolve(code ?? exitCodeOf(signal)));
    });
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The first line of stdout, or null if it ends without one. What follows is read and dropped. */
  firstLine(): Promise<string | null> {
    const { stdout } = this.#process;
    if (stdout === null) return Promise.resolve(null);
    const lines = createInterface({ input: stdout });
    return new Promise((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(null));
    });
  }

  /** Asks it to end, or with SIGKILL makes it, and waits until it has. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number> {
    if (this.isRunning) this.#process.kill(signal);
    return this.ended;
  }
}

const exitCodeOf = (signal: NodeJS.Signals | null): number => {
  const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
  return 128 + (signal === null ? 0 : (numbers[signal] ?? 0));
};
