import { setTimeout as sleep } from 'node:timers/promises';
import { metric } from '../support/gateway-process.ts';
import { Child, type Ended } from './child.ts';

/** A gateway that is not ready by then never will be. Units: ms. */
const READY_MS_MAX = 90_000;

const LOOK_MS = 100;
const LAST_WORDS_CHARS = 3000;

/** How a gateway is run. */
export interface GatewayOptions {
  /** Where `src` is. */
  readonly root: string;
  readonly port: number;
  /** What follows `serve --listen …`. */
  readonly args: readonly string[];
  /** Told when the process ends and nobody wanted that. */
  readonly onProblem: (sentence: string) => void;
}

/** A line of the gateway's log. */
interface LogLine {
  readonly time: string;
  readonly msg: string;
  readonly state?: string;
}

/** What the logs of a gateway tell of its way through bad weather. */
export interface GatewayStory {
  /** From the first sign of trouble to the log's taking records again. Units: ms. */
  readonly recoveriesMs: readonly number[];
  /** From the start of the process to its being ready. Units: ms. */
  readonly startsMs: readonly number[];
  /** Reasons of trouble, with how often each came. */
  readonly reasons: ReadonlyMap<string, number>;
}

/** A gateway on one port, whatever becomes of its processes. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #children: Child[] = [];
  readonly #startsMs: number[] = [];
  #isWanted = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#options.port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/v1`;
  }

  get http(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts a process and resolves when it is ready. */
  async start(): Promise<void> {
    const { root, port, args } = this.#options;
    const begun = performance.now();
    this.#isWanted = true;
    const child = new Child(root, ['serve', '--listen', `127.0.0.1:${port}`, ...args]);
    this.#children.push(child);
    await child.printed(/^tidegate ready /, READY_MS_MAX);
    this.#startsMs.push(performance.now() - begun);
    void child.ended.then((ended) => this.#ended(child, ended));
  }

  /** kill -9 or another signal, and nothing starts again by itself. */
  end(signal: NodeJS.Signals): Promise<Ended> {
    this.#isWanted = false;
    return this.#child.end(signal);
  }

  /** From now on an end is what is wanted: resolves with it, or null if it does not come. */
  expectEnd(msMax: number): Promise<Ended | null> {
    this.#isWanted = false;
    return Promise.race([this.#child.ended, sleep(msMax, null, { ref: false })]);
  }

  /** Resolves when so many devices are connected. Rejects if they do not come. */
  async hasSessions(count: number, msMax: number): Promise<void> {
    const end = performance.now() + msMax;
    for (let sessions = -1; sessions < count; await sleep(LOOK_MS)) {
      sessions = await metric(this.http, 'tidegate_sessions').catch(() => -1);
      if (performance.now() > end) throw new Error(`${sessions} of ${count} devices are connected`);
    }
  }

  /** Everything that its processes have written about the log. */
  get story(): GatewayStory {
    const reasons = new Map<string, number>();
    const recoveriesMs: number[] = [];
    for (const { stderr } of this.#children) {
      let since: number | null = null;
      for (const line of logLines(stderr)) {
        const at = Date.parse(line.time);
        if (line.state === 'stalled') {
          since ??= at;
          const reason = line.msg.replaceAll(/\d+/g, '#');
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        } else if (line.msg === 'the log takes records again' && since !== null) {
          recoveriesMs.push(at - since);
          since = null;
        }
      }
    }
    return { recoveriesMs, startsMs: this.#startsMs, reasons };
  }

  /** The end of what the last process wrote, for whoever looks for the reason of a failure. */
  get lastWords(): string {
    return this.#children.at(-1)?.stderr.slice(-LAST_WORDS_CHARS) ?? '';
  }

  /** Everything that its processes have written, one after the other. */
  get logs(): string {
    return this.#children
      .map(({ stdout, stderr }) => `${stdout}${stderr}`)
      .join('--- next process\n');
  }

  get #child(): Child {
    const child = this.#children.at(-1);
    if (!child) throw new Error('the gateway was never started');
    return child;
  }

  /** Somebody has to serve the devices, so that they come to an end. */
  #ended(child: Child, { code, signal }: Ended): void {
    if (!this.#isWanted) return;
    const last = logLines(child.stderr).at(-1)?.msg ?? child.stderr.slice(-300);
    this.#options.onProblem(`the gateway ended with ${code ?? signal}: ${last}`);
    this.start().catch((error: unknown) => this.#options.onProblem(String(error)));
  }
}

const logLines = (stderr: string): LogLine[] =>
  stderr.split('\n').flatMap((text) => {
    try {
      return [JSON.parse(text) as LogLine];
    } catch {
      return [];
    }
  });
