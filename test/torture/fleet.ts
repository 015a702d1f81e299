import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child, ROOT } from './child.ts';

/** Devices that have no ack 30 s after their last reading give up; then something is wrong. */
const LAST_ACKS_MS_MAX = 45_000;
/** Two signals closer together count as one. Units: ms. */
const BETWEEN_SIGNALS_MS = 500;

/** What a fleet is like. */
export interface FleetOptions {
  readonly url: string;
  readonly journal: string;
  readonly devices: number;
  /** Frames per second and device. */
  readonly rate: number;
  readonly codec: 'cbor' | 'json';
  readonly prefix: string;
  readonly seed: number;
}

/** What a fleet says at its end. */
export interface FleetReport {
  readonly framesSent: number;
  readonly framesAcked: number;
  readonly framesRejected: number;
  readonly framesLost: number;
  readonly unacked: number;
  readonly reconnects: number;
}

const ROWS_PER_FRAME = 3;
/** Alarms per second and device. */
const ALARM_RATE = 0.5;

/** Simulated devices in a process of their own, with a journal. */
export class Fleet {
  readonly #child: Child;
  readonly #journal: string;

  constructor({ url, journal, devices, rate, codec, prefix, seed }: FleetOptions) {
    this.#journal = journal;
    const numbers = ['--devices', `${devices}`, '--rate', `${rate * ROWS_PER_FRAME}`];
    const frames = ['--batch', `${ROWS_PER_FRAME}`, '--series', '2', '--lane0', `${ALARM_RATE}`];
    const who = ['--codec', codec, '--prefix', prefix, '--seed', `${seed}`];
    const out = ['--journal', journal, '--json'];
    this.#child = new Child(ROOT, [
      'simulate',
      '--url',
      url,
      ...numbers,
      ...frames,
      ...who,
      ...out,
    ]);
  }

  /** What was written down so far. */
  get journal(): string {
    return readFileSync(this.#journal, 'utf8');
  }

  /** Stops measuring and resolves when everything is acknowledged, or the devices give up. */
  async finish(): Promise<FleetReport> {
    await this.#child.end('SIGINT', LAST_ACKS_MS_MAX);
    const line = this.#child.stdout.trim().split('\n').at(-1) ?? '';
    if (!line.startsWith('{')) throw new Error(`a fleet without a report: ${this.#child.stderr}`);
    return JSON.parse(line) as FleetReport;
  }

  /** Ends it as it is; what is not acknowledged stays so. */
  async abandon(): Promise<void> {
    this.#child.signal('SIGINT');
    await sleep(BETWEEN_SIGNALS_MS);
    await this.#child.end('SIGINT');
  }
}
