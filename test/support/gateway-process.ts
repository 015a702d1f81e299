import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliChild, type CliResult, startCli } from './run-cli.ts';

/** A fresh directory below the system's temporary one. */
export const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), 'tidegate-test-'));

/** Sends a signal to a child and waits for its end. */
export function killed(child: CliChild, signal: NodeJS.Signals): Promise<CliResult> {
  child.process.kill(signal);
  return child.ended;
}

/** A real gateway process with a directory of its own. */
export interface RunningGateway {
  readonly child: CliChild;
  readonly data: string;
  /** The flags that name its log, for `serve` and `tail`. */
  readonly log: readonly string[];
  readonly http: string;
  readonly ws: string;
  readonly port: number;
  /** SIGTERM, waits for the end and removes the directory. */
  stop(): Promise<CliResult>;
}

/** Starts a gateway, on the file log unless `log` says otherwise, and waits for its ready line. */
export async function startGateway(
  options: {
    readonly data?: string;
    readonly log?: readonly string[];
    readonly port?: number;
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<RunningGateway> {
  const data = options.data ?? temporaryDirectory();
  const listen = `127.0.0.1:${options.port ?? 0}`;
  const log = options.log ?? ['--log', 'file', '--data', data];
  const child = startCli(['serve', ...log, '--listen', listen, ...(options.args ?? [])], {
    env: options.env ?? {},
  });
  const ready = await child.stdoutWith(/^tidegate ready .*\n/);
  const [, , http = '', ws = ''] = ready.split(' ');
  return {
    child,
    data,
    log,
    http,
    ws,
    port: Number(new URL(http).port),
    stop: async () => {
      const ended = await killed(child, 'SIGTERM');
      if (options.data === undefined) rmSync(data, { recursive: true, force: true });
      return ended;
    },
  };
}

/** The value of one metric of a running gateway; `name` may carry labels. */
export async function metric(
  http: string,
  name: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const text = await (await fetch(`${http}/metrics`, { headers })).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? Number.NaN);
}
