import { type DeviceListener, FleetDevice } from '../../simulators/fleet-device.ts';
import { Journal } from '../../simulators/journal.ts';
import { SyntheticSource } from '../../simulators/synthetic-source.ts';
import { Tally } from '../../simulators/tally.ts';
import { Clock } from '../../src/adapters/host/clock.ts';
import type { DeviceEffect } from '../../src/client/device-io.ts';
import type { Now } from '../../src/model/time.ts';

/** What the fleet of a chaos run is like. */
export interface ChaosFleetOptions {
  readonly url: string;
  readonly devices: number;
  readonly journal: string;
  /** Frames per second of one device. */
  readonly frameRate: number;
}

const TURN_MS = 10;
/** So much of the time that the protocol asks a device to wait: the run is short. */
const HASTE = 0.03;
/** Least heartbeat: half-open connections are found soon. */
const HEARTBEAT_MS = 5000;

/** Devices that speak the protocol over real sockets, and write down what they were promised. */
export class ChaosFleet implements DeviceListener {
  readonly tally = new Tally();
  welcomes = 0;
  readonly #clock = new Clock();
  readonly #journal: Journal;
  readonly #devices: readonly FleetDevice[];
  #timer: NodeJS.Timeout | null = null;

  constructor({ url, devices, journal, frameRate }: ChaosFleetOptions) {
    const { monoMs, wallUs } = this.#clock.now();
    const session = {
      url,
      codec: 'cbor',
      ringBytesMax: 1024 ** 2,
      random: () => HASTE * Math.random(),
      heartbeatMs: HEARTBEAT_MS,
      keepsBlocks: true,
      credentialOf: (device: string) => Promise.resolve(device),
    } as const;
    this.#journal = new Journal(journal);
    this.#devices = Array.from({ length: devices }, (_, i) => {
      const source = new SyntheticSource({
        device: `chaos/${i}`,
        series: 1,
        rate: 2 * frameRate,
        batch: 2,
        signal: 'mix',
        alarmRate: i % 10 === 0 ? frameRate / 2 : 0,
        seed: i,
        startUs: wallUs,
      });
      return new FleetDevice(source, session, monoMs + i, this);
    });
  }

  get unacked(): number {
    return this.#devices.reduce((sum, { session }) => sum + session.ring.count, 0);
  }

  get phases(): Record<string, number> {
    const phases: Record<string, number> = {};
    for (const { session } of this.#devices) {
      phases[session.phase] = (phases[session.phase] ?? 0) + 1;
    }
    return phases;
  }

  start(): void {
    this.#timer = setTimeout(() => this.#turn(), TURN_MS);
  }

  /** No more readings: resolves when every device has its acks and has left. */
  async finish(): Promise<void> {
    const now = this.#clock.now();
    for (const device of this.#devices) device.finish(now);
    while (this.#devices.some((device) => !device.isOver)) {
      await new Promise((resolve) => setTimeout(resolve, TURN_MS));
    }
    this.close();
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    for (const device of this.#devices) if (!device.isOver) device.step({ kind: 'leave' });
    this.#journal.close();
  }

  now(): Now {
    return this.#clock.now();
  }

  onEffect(device: FleetDevice, effect: DeviceEffect, now: Now): void {
    this.tally.note(effect, now.monoMs);
    this.#journal.note(device.source.device, (s) => device.session.setOf(s), effect);
    if (effect.kind === 'welcomed') this.welcomes += 1;
  }

  /** The turn comes soon enough. */
  onWake(): void {}

  #turn(): void {
    const now = this.#clock.now();
    for (const device of this.#devices) device.turn(now);
    this.#timer = setTimeout(() => this.#turn(), TURN_MS);
  }
}
