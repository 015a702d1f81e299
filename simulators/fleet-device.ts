import type { DeviceEffect, DeviceInput, DeviceOptions } from '../src/client/device-io.ts';
import { DeviceSession } from '../src/client/device-session.ts';
import { LANE } from '../src/model/reading.ts';
import { type Now, wallUs } from '../src/model/time.ts';
import { DeviceSocket } from './device-socket.ts';
import type { LinkOptions } from './slow-link.ts';
import type { Source } from './source.ts';

/** After the last reading no other comes for this long: what the final `ping` promises. Units: µs. */
const LAST_WATERMARK_US = 3_000_000;

/** Who listens to what a device does. */
export interface DeviceListener {
  now(): Now;
  /** An effect, after it was carried out. */
  onEffect(device: FleetDevice, effect: DeviceEffect, now: Now): void;
  /** The device wants a turn at this time: perhaps earlier than it did before. */
  onWake(wakeAtMs: number): void;
}

/** What a device of a fleet has in common with the others. */
export interface FleetDeviceOptions extends Omit<DeviceOptions, 'sets' | 'lanes'> {
  /** The credential for the next connection of a device. */
  readonly credentialOf: (device: string) => Promise<string>;
  /** Absent: as fast as it is. */
  readonly link?: LinkOptions | undefined;
  /** The network is there; absent: always. */
  readonly isUp?: (() => boolean) | undefined;
}

/** One simulated device: what it measures, its session, its socket. */
export class FleetDevice {
  readonly source: Source;
  readonly session: DeviceSession;
  /** The device does nothing before. Units: ms, monotonic. */
  readonly startMs: number;
  /** Welcomes so far. */
  welcomes = 0;
  readonly #socket: DeviceSocket;
  readonly #listener: DeviceListener;
  #isSampling = true;

  constructor(
    source: Source,
    { credentialOf, link, isUp, ...options }: FleetDeviceOptions,
    startMs: number,
    listener: DeviceListener,
  ) {
    const { sets, lanes } = source;
    this.source = source;
    this.startMs = startMs;
    this.session = new DeviceSession({ ...options, sets, lanes });
    this.#listener = listener;
    const credential = (): Promise<string> => credentialOf(source.device);
    const { codec } = options;
    this.#socket = new DeviceSocket({ codec, credential, link, isUp }, (input) => this.step(input));
  }

  /** True once there is nothing more to do, for good or bad. */
  get isOver(): boolean {
    return this.session.phase === 'ended';
  }

  get isSampling(): boolean {
    return this.#isSampling;
  }

  /** When the device wants its next turn. `wallAheadUs`: wall clock minus monotonic clock. */
  dueMs(wallAheadUs: number): number {
    if (this.isOver) return Number.POSITIVE_INFINITY;
    const sourceMs = this.#isSampling
      ? (this.source.dueUs - wallAheadUs) / 1000
      : Number.POSITIVE_INFINITY;
    return Math.max(this.startMs, Math.min(this.session.wakeAtMs, sourceMs));
  }

  /** Measures what is due, and lets the session do what is due. */
  turn(now: Now): void {
    if (this.isOver || now.monoMs < this.startMs) return;
    if (this.#isSampling && this.source.dueUs <= now.wallUs) {
      this.source.take(now.wallUs, (lane, blocks) => this.step({ kind: 'form', lane, blocks }));
      if (this.source.dueUs === Number.POSITIVE_INFINITY) this.finish(now);
    } else if (this.session.wakeAtMs <= now.monoMs) this.step({ kind: 'tick' });
  }

  /** No more readings: sends what there is, tells the last watermark, waits for the acks. */
  finish(now: Now): void {
    if (!this.#isSampling || this.isOver) return;
    this.#isSampling = false;
    this.source.stop(now.wallUs, (lane, blocks) => this.step({ kind: 'form', lane, blocks }));
    this.step({ kind: 'finish', watermarks: this.#lastWatermarks });
  }

  /** What was kept from an outage is no newer than the live readings beside it. */
  get #lastWatermarks(): readonly (readonly [number, number])[] {
    const { newest, lanes } = this.source;
    const live = newest.get(LANE.live);
    const isLate = lanes.includes(LANE.backfill) && live !== undefined;
    const told = [...newest, ...(isLate ? [[LANE.backfill, live] as const] : [])];
    return told.map(([lane, t]) => [lane, t + LAST_WATERMARK_US] as const);
  }

  /** The network breaks off. */
  cut(): void {
    this.#socket.cut();
  }

  /** Gives the session an input and carries out what it wants. */
  step(input: DeviceInput): void {
    const now = this.#listener.now();
    const told = this.#byItsClock(now);
    for (const effect of this.session.step(input, told, this.#socket.unflushedBytes)) {
      this.#carryOut(effect);
      this.#listener.onEffect(this, effect, now);
    }
    this.#listener.onWake(this.session.wakeAtMs);
  }

  /** What the device believes the time is. */
  #byItsClock({ monoMs, wallUs: us }: Now): Now {
    return { monoMs, wallUs: wallUs(us + (this.source.skewUs ?? 0)) };
  }

  #carryOut(effect: DeviceEffect): void {
    if (effect.kind === 'send' || effect.kind === 'sendFrame') this.#socket.send(effect.bytes);
    else if (effect.kind === 'connect') this.#socket.connect(effect.url);
    else if (effect.kind === 'close') this.#socket.close(effect.code);
  }
}
