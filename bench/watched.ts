import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { slowDiskDirectory } from './data-directory.ts';
import { NODE_FLAGS } from './node-flags.ts';
import { Peer } from './peers.ts';
import type { DiskFigures, DiskSpeed } from './slow-disk.ts';
import type { Vitals } from './stalls.ts';

/** Resident memory of a process. Units: bytes. */
export function rssOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return 1024 * Number(kib ?? Number.NaN);
}

/** What a watched gateway says about itself and its disk. */
export interface GatewayVitals extends Vitals {
  readonly disk: Readonly<DiskFigures>;
}

/** A real gateway process that can be asked how it is: see `watched-gateway.ts`. */
export class WatchedGateway {
  readonly peer: Peer;
  readonly http: string;
  readonly ws: string;
  readonly #data: string;

  private constructor(peer: Peer, data: string, ready: string) {
    const [, , http = '', ws = ''] = ready.split(' ');
    this.peer = peer;
    this.#data = data;
    this.http = http;
    this.ws = ws;
  }

  static start(speed: DiskSpeed, ...flags: string[]): Promise<WatchedGateway> {
    const isSlow = speed.bytesPerSecond > 0;
    const data = isSlow ? slowDiskDirectory() : mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
    return WatchedGateway.#open(speed, data, ['--listen', '127.0.0.1:0', ...flags]);
  }

  static async #open(speed: DiskSpeed, data: string, flags: readonly string[]) {
    const fixed = ['--log', 'file', '--data', data];
    const args = [JSON.stringify(speed), ...fixed, '--log-level', 'error', ...flags];
    const peer = new Peer(...NODE_FLAGS, 'bench/watched-gateway.ts', ...args);
    return new WatchedGateway(peer, data, await peer.line());
  }

  get port(): number {
    return Number(new URL(this.http).port);
  }

  get rss(): number {
    return rssOf(this.peer.child.pid as number);
  }

  /** `kill -9`, and the next one on the same data and port at once. */
  async replace(speed: DiskSpeed): Promise<WatchedGateway> {
    const { child } = this.peer;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    return WatchedGateway.#open(speed, this.#data, ['--listen', `127.0.0.1:${this.port}`]);
  }

  /** Flags that let `tail` read its log. */
  get logFlags(): readonly string[] {
    return ['--log', 'file', '--data', this.#data];
  }

  /** What it did since it was asked last. */
  async vitals(): Promise<GatewayVitals> {
    this.peer.child.stdin.write('?\n');
    return JSON.parse(await this.peer.line());
  }

  /** Stops its disk, or lets it go on. */
  disk(order: 'hold' | 'release'): void {
    this.peer.child.stdin.write(`${order}\n`);
  }

  /** One of its metrics; labels go with the name. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.http}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? Number.NaN);
  }

  /** Ends it; `last` is done with its log before that is removed. */
  async end(last?: () => Promise<void>): Promise<void> {
    await this.peer.end();
    await last?.();
    rmSync(this.#data, { recursive: true });
  }
}
