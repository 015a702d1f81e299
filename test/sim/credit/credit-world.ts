import { Dice } from '../random.ts';
import { Timeline } from '../timeline.ts';
import type { Credit, CreditOptions } from './credit-port.ts';
import { Device, type DeviceSpec, type SentFrame, type Surroundings } from './device.ts';
import { Gateway, type GatewaySpec } from './gateway.ts';
import { LogModel, type LogSpec } from './log-model.ts';
import { type LaneNumber, Measures, SAMPLE_MS } from './measures.ts';

const MS_PER_SECOND = 1000;
const MIB = 1024 * 1024;

/** What a world is like before anybody is in it. */
export interface WorldSpec extends Partial<GatewaySpec> {
  readonly log: LogSpec;
  /** Logs of this kind, each with an append of its own. */
  readonly pipes?: number;
  /** From when to when is measured. Units: s. */
  readonly measuredS: readonly [number, number];
}

/** What a world is run with. */
export interface WorldOptions {
  readonly seed: number;
  readonly makeCredit: (options: CreditOptions) => Credit;
}

/** Devices, a network, a gateway and its logs, in virtual time. A seed decides all of it. */
export class CreditWorld {
  readonly spec: WorldSpec;
  readonly measures: Measures;
  readonly devices: Device[] = [];
  readonly logs: readonly LogModel[];
  readonly gateway: Gateway;
  /** For what a scenario draws. */
  readonly dice: Dice;
  readonly #timeline = new Timeline();
  readonly #around: Surroundings;

  constructor(spec: WorldSpec, { seed, makeCredit }: WorldOptions) {
    this.spec = spec;
    this.dice = new Dice(seed, 'scenario');
    this.measures = new Measures(spec.measuredS[0] * MS_PER_SECOND);
    const count = spec.pipes ?? 1;
    this.logs = Array.from({ length: count }, (_, pipe) => {
      return new LogModel(spec.log, seed, `log ${pipe}`);
    });
    const { measures, logs } = this;
    const timeline = this.#timeline;
    this.gateway = new Gateway(
      {
        budgetBytes: 256 * MIB,
        sessions: undefined,
        frameCpuMs: 0,
        flowCpuMs: 0,
        hasDuplicates: false,
        ...spec,
      },
      { timeline, measures, logs, makeCredit },
    );
    const network = new Dice(seed, 'network');
    this.#around = {
      timeline,
      measures,
      random: network.random,
      opened: (device: Device) => this.gateway.open(device),
      arrived: (frame: SentFrame) => this.gateway.arrived(frame),
      told: (device: Device, lane: LaneNumber, bytes: number) =>
        this.gateway.told(device, lane, bytes),
    };
  }

  /** Units: s. */
  get nowS(): number {
    return this.#timeline.ms / MS_PER_SECOND;
  }

  /** What was measured over. Units: s. */
  get measuredS(): number {
    return this.spec.measuredS[1] - this.spec.measuredS[0];
  }

  /** A device that connects at once, or when its spec says. */
  add(spec: DeviceSpec): Device {
    const device = new Device(spec, this.#around);
    this.devices.push(device);
    device.connect((spec.connectAtS ?? 0) * MS_PER_SECOND);
    return device;
  }

  /** So many devices, made from their number. */
  addMany(count: number, make: (index: number) => DeviceSpec): readonly Device[] {
    return Array.from({ length: count }, (_, index) => this.add(make(index)));
  }

  group(name: string): readonly Device[] {
    return this.devices.filter(({ group }) => group === name);
  }

  at(seconds: number, act: () => void): void {
    this.#timeline.at(seconds * MS_PER_SECOND, act);
  }

  disconnect(device: Device): void {
    device.disconnect();
    this.gateway.close(device);
  }

  reconnect(device: Device, afterS: number): void {
    device.connect(this.#timeline.ms + afterS * MS_PER_SECOND);
  }

  /** From now on a device produces so much on a lane. */
  setRate(device: Device, lane: LaneNumber, bytesPerSecond: number): void {
    device.supply(lane).setRate(bytesPerSecond, this.#timeline.ms);
    device.stir();
  }

  /** A device has more to send on a lane. */
  addBacklog(device: Device, lane: LaneNumber, bytes: number): void {
    device.supply(lane).add(bytes);
    device.stir();
  }

  /** A device forgets what waits on a lane, and goes on with another rate. */
  restart(device: Device, lane: LaneNumber, bytesPerSecond: number): void {
    device.supply(lane).empty(this.#timeline.ms);
    this.setRate(device, lane, bytesPerSecond);
  }

  /** What waits on a lane of a device. Units: bytes. */
  waiting(device: Device, lane: LaneNumber): number {
    return device.supply(lane).bytes(this.#timeline.ms);
  }

  /** The log of a pipe stops, or goes on. */
  setDown(isDown: boolean, pipe = 0): void {
    const log = this.logs[pipe];
    if (!log) throw new Error(`no log ${pipe}`);
    log.isDown = isDown;
    if (!isDown) this.gateway.resume(pipe);
  }

  run(): void {
    this.#tick();
    this.#timeline.run(this.spec.measuredS[1] * MS_PER_SECOND, () => false);
    const waits = this.devices.map(({ waitsMs }) => waitsMs);
    for (const ms of waits) this.measures.blocked(ms, this.#timeline.ms);
  }

  #tick(): void {
    this.#timeline.after(SAMPLE_MS, () => {
      this.gateway.tick();
      this.measures.sample(this.#timeline.ms, this.gateway.credit.targetMs);
      this.#tick();
    });
  }
}
