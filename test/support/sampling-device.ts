import {
  connectDevice,
  type DeviceClient,
  type DeviceEvent,
  type DeviceOptions,
} from '../../src/adapters/device/device-client.ts';

/** One reading that a device took. */
export interface Sample {
  readonly topic: string;
  /** Units: µs. */
  readonly t: number;
  readonly v: number | string;
}

/** How a device samples. */
export interface SamplingOptions extends Pick<DeviceOptions, 'url' | 'codec' | 'ringBytes'> {
  readonly path: string;
  /** Units: ms. */
  readonly everyMs: number;
  /** Each sample becomes a frame of its own, so that holes can be counted in samples. */
  readonly isFrameEach?: boolean;
}

const SERIES = {
  temperature: { unit: 'Cel' },
  pressure: { unit: 'Pa' },
  mode: {},
  overheat: { lane: 'critical' },
} as const;
/**
 * Multiples of 2⁻³⁰ below 64: their sums have no rounding, and each takes a float64 on the wire, so
 * that all frames of one sample are equally long and a full ring drops them strictly in order.
 */
const OFF_EIGHTH = 2 ** -4 + 2 ** -30;
const MODES = ['idle', 'run', 'stop'] as const;
/** Every so many samples the mode is told, and whether it is too hot. */
const MODE_EVERY = 25;
const ALARM_EVERY = 50;
/** Long after the first frames of a session. Units: ms. */
const SETTLED_MS = 500;

/**
 * A real device that samples by schedule: sample k is taken at `start + k × everyMs`, and its values
 * are a function of k, such that their sums are exact whatever the order in which they are added.
 */
export class SamplingDevice {
  readonly path: string;
  readonly sampled: Sample[] = [];
  readonly events: DeviceEvent[] = [];
  readonly everyMs: number;
  readonly #options: SamplingOptions;
  readonly #startMs: number;
  readonly #client: DeviceClient;
  readonly #flushes: Promise<void>[] = [];
  #next = 0;
  #sessions = 0;
  #returnedMs = Number.POSITIVE_INFINITY;
  #isAsked = false;
  #isHome = false;
  /** The newest sample when the second session began; −1: there was none yet. */
  newestAtReturn = -1;

  constructor(options: SamplingOptions, startMs: number) {
    const { path, url, codec, ringBytes } = options;
    this.path = path;
    this.everyMs = options.everyMs;
    this.#options = options;
    this.#startMs = startMs;
    this.#client = connectDevice({ url, token: path, series: SERIES, codec, ringBytes });
    this.#client.on((event) => this.#hear(event));
  }

  /** It was connected a second time, and everything from before has met its end. */
  get isHome(): boolean {
    return this.#isHome;
  }

  /** How many samples were taken. */
  get samples(): number {
    return this.#next;
  }

  /** Which sample was taken at this time. */
  indexOf(timeUs: number): number {
    return (timeUs / 1000 - this.#startMs) / this.everyMs;
  }

  /** When sample k was taken. Units: ms. */
  timeMs(k: number): number {
    return this.#startMs + k * this.everyMs;
  }

  /** Takes the samples that are due. */
  sample(nowMs: number): void {
    for (; this.#startMs + this.#next * this.everyMs <= nowMs; this.#next += 1) this.#take();
    this.#askForHome(nowMs);
  }

  /** Takes a last sample of every series, and ends when all is safe. Units: ms. */
  async finish(timeMs: number): Promise<void> {
    this.#write({ temperature: 0, pressure: 0, mode: 'end', overheat: 0 }, timeMs);
    await this.#client.close();
    await Promise.all(this.#flushes);
  }

  /** Ends at once. */
  leave(): Promise<void> {
    return this.#client.close(0);
  }

  /** How many readings the client has told of in events of this kind. */
  told(kind: 'acked' | 'dropped' | 'deferred' | 'rejected' | 'thinned'): number {
    return this.events.reduce(
      (sum, event) => (event.kind === kind ? sum + event.readings : sum),
      0,
    );
  }

  #hear(event: DeviceEvent): void {
    this.events.push(event);
    if (event.kind !== 'live') return;
    this.#sessions += 1;
    if (this.#sessions !== 2) return;
    this.newestAtReturn = this.#next - 1;
    this.#returnedMs = Date.now();
  }

  /** Asks when all is home. Not at once: to ask is to send what waits for others, too. */
  #askForHome(nowMs: number): void {
    if (this.#isAsked || nowMs < this.#returnedMs + SETTLED_MS) return;
    this.#isAsked = true;
    const isHome = this.#client.flush().then(() => {
      this.#isHome = true;
    });
    this.#flushes.push(isHome);
  }

  #take(): void {
    const k = this.#next;
    const timeMs = this.#startMs + k * this.everyMs;
    const temperature = (((k * 37) % 801) - 400) / 8 + OFF_EIGHTH;
    this.#write({ temperature, pressure: 100_000 + ((k * 13) % 997) }, timeMs);
    if (this.#options.isFrameEach) {
      this.#flushes.push(this.#client.flush());
      return;
    }
    if (k % MODE_EVERY === 0) this.#write({ mode: MODES[(k / MODE_EVERY) % 3] as string }, timeMs);
    if (k % ALARM_EVERY === 0) this.#write({ overheat: (k / ALARM_EVERY) % 2 }, timeMs);
  }

  #write(values: Readonly<Record<string, number | string>>, timeMs: number): void {
    for (const [name, v] of Object.entries(values)) {
      this.sampled.push({ topic: `${this.path}/${name}`, t: timeMs * 1000, v });
    }
    if (!this.#client.write(values, timeMs)) throw new Error(`${this.path} has ended`);
  }
}
