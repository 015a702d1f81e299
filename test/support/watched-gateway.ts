import { onTestFinished } from 'vitest';
import { metric } from './gateway-process.ts';
import { freePort } from './kafka/kafka.ts';
import { type CliChild, type CliResult, startCli } from './run-cli.ts';

const LOOK_MS = 100;

/** A line of a gateway's log. */
export interface LogLine {
  /** Shape: 30 info, 40 warn, 50 error, 60 fatal. */
  readonly level: number;
  readonly msg: string;
  readonly state?: string;
  readonly waitedMs?: number;
}

/** What `/readyz` answers. */
export interface ReadyAnswer {
  readonly status: number;
  readonly ready: boolean;
  readonly log: { readonly kind: string; readonly state: string };
  readonly reasons: readonly string[];
}

/** A real gateway process that need not become ready, with what its operator sees of it. */
export class WatchedGateway {
  readonly http: string;
  readonly ws: string;
  /** The flags that name its log, for `serve` and `tail`. */
  readonly log: readonly string[];
  readonly #child: CliChild;

  private constructor(port: number, log: readonly string[], more: readonly string[]) {
    this.http = `http://127.0.0.1:${port}`;
    this.ws = `ws://127.0.0.1:${port}/v1`;
    this.log = log;
    this.#child = startCli(['serve', ...log, '--listen', `127.0.0.1:${port}`, ...more]);
  }

  /** Starts one on these brokers and resolves when it listens. It ends with the test at the latest. */
  static async start(
    brokers: readonly string[],
    prefix: string,
    ...more: string[]
  ): Promise<WatchedGateway> {
    const kafka = ['--kafka-brokers', brokers.join(','), '--kafka-prefix', prefix];
    const log = ['--log', 'kafka', ...kafka];
    const gateway = new WatchedGateway(await freePort(), log, more);
    onTestFinished(() => void gateway.#child.process.kill('SIGKILL'));
    await gateway.#until(async () => (await fetch(`${gateway.http}/healthz`)).ok);
    return gateway;
  }

  get ended(): Promise<CliResult> {
    return this.#child.ended;
  }

  /** What it has written to stderr so far. */
  get lines(): LogLine[] {
    return linesOf(this.#child.output.stderr);
  }

  /** Resolves when it has printed its ready line. */
  ready(): Promise<string> {
    return this.#child.stdoutWith(/^tidegate ready .*\n/);
  }

  async readiness(): Promise<ReadyAnswer> {
    const response = await fetch(`${this.http}/readyz`);
    return { status: response.status, ...((await response.json()) as Omit<ReadyAnswer, 'status'>) };
  }

  /** Resolves with how long it took until `/readyz` answered with this status. Units: ms. */
  async answersReady(status: 200 | 503): Promise<number> {
    const begun = performance.now();
    await this.#until(async () => (await this.readiness()).status === status);
    return performance.now() - begun;
  }

  metric(name: string): Promise<number> {
    return metric(this.http, name);
  }

  /** Resident memory. Units: MB. */
  async residentMb(): Promise<number> {
    return Math.round((await this.metric('process_resident_memory_bytes')) / 1e6);
  }

  /** SIGTERM, and its end. */
  stop(): Promise<CliResult> {
    this.#child.process.kill('SIGTERM');
    return this.ended;
  }

  async #until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds().catch(() => false))) {
      const { exitCode } = this.#child.process;
      if (exitCode !== null) throw new Error(`it ended: ${this.#child.output.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

/** The lines of a log in JSON; what is no JSON is left out. */
export const linesOf = (stderr: string): LogLine[] =>
  stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);
