import type { SimDevice } from './device.ts';
import type { AppendFault, LogWeather } from './log-client.ts';
import { MinimalDevice } from './minimal-device.ts';
import type { Cut, Link } from './network.ts';
import type { PlannedFault } from './plan.ts';
import type { Dice } from './random.ts';
import type { World } from './world.ts';

/** While the log has a fault, so many appends suffer it. */
const APPEND_SHARE = 0.5;
/** A network fault strikes this share of the connections. */
const LINK_SHARE = 0.3;
const CLOCK_STEP_MS = 600_000;

const APPEND_FAULTS: ReadonlySet<string> = new Set<AppendFault>([
  'log slow',
  'log refuses',
  'log writes, then times out',
  'log request lands late',
  'log writes in part',
]);
const CUTS: Readonly<Record<string, Cut>> = {
  'connection reset': 'reset',
  'client gone, data late': 'client gone',
  'connection half-open': 'half-open',
  'connection one way': 'one way',
};

/** Does to a world what its plan says, and counts what really struck. */
export class Faults {
  readonly weather: LogWeather;
  readonly #world: World;
  readonly #dice: Dice;
  /** Faults of the log that are on just now. */
  readonly #active = new Set<PlannedFault>();
  #isOver = false;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
    this.weather = { faultOf: () => this.#faultOf(), readFails: () => this.#readFails() };
  }

  begin(): void {
    const { timeline, plan } = this.#world;
    for (const fault of plan.faults) {
      timeline.at(fault.atMs, () => {
        if (!this.#isOver) this.#begin(fault);
      });
    }
  }

  /** Nothing more goes wrong. */
  end(): void {
    this.#isOver = true;
    this.#active.clear();
  }

  #begin(fault: PlannedFault): void {
    const { name, forMs } = fault;
    const cut = CUTS[name];
    if (cut) this.#cutLinks(name as 'connection reset', cut);
    else if (APPEND_FAULTS.has(name) || name === 'log read fails') {
      this.#active.add(fault);
      this.#world.timeline.after(forMs, () => this.#active.delete(fault));
    } else this.#strike(fault);
  }

  #strike({ name, forMs }: PlannedFault): void {
    const world = this.#world;
    switch (name) {
      case 'network slow':
        for (const link of this.#someLinks()) {
          link.slow(forMs);
          world.tally.strike(name);
        }
        return;
      case 'gateway crash':
        return this.#crash();
      case 'gateway takeover':
        if (world.running.length !== 1) return;
        world.tally.strike(name);
        return world.takeOver();
      case 'gateway drain':
        if (world.running.length === 0) return;
        world.tally.strike(name);
        return this.#dice.pick(world.running).drain();
      case 'clock step':
        if (world.running.length === 0) return;
        world.tally.strike(name);
        return this.#dice
          .pick(world.running)
          .clock.step(this.#dice.between(-CLOCK_STEP_MS, CLOCK_STEP_MS));
      case 'device reboot':
        world.tally.strike(name);
        return this.#dice.pick(world.devices).reboot(null);
      case 'device reboot with memory':
        return this.#rebootWithMemory();
      case 'device reboot with stale memory':
        return this.#rebootWithStaleMemory(forMs);
      case 'dashboard stalls':
        world.tally.strike(name);
        return this.#dice.pick(world.dashboards).stall(forMs);
      default:
        return;
    }
  }

  #crash(): void {
    const world = this.#world;
    if (world.running.length === 0) return;
    world.tally.strike('gateway crash');
    const underWay = this.#dice.pick(world.running).crash();
    if (underWay > 0) world.tally.strike('crash with appends in flight');
  }

  /** The flash has the next numbers; what was retained is gone all the same. */
  #rebootWithMemory(): void {
    const device = this.#someMinimal(() => true);
    const { flash } = (device?.program ?? {}) as Partial<MinimalDevice>;
    if (!device || !flash) return;
    this.#world.tally.strike('device reboot with memory');
    device.reboot(flash);
  }

  /** The flash is older than what was acked since: the gateway's acks have to give it away. */
  #rebootWithStaleMemory(afterMs: number): void {
    const device = this.#someMinimal(({ habits }) => habits.qos0Share === 0);
    const { flash } = (device?.program ?? {}) as Partial<MinimalDevice>;
    if (!device || !flash) return;
    this.#world.timeline.after(afterMs, () => {
      const program = device.program as MinimalDevice;
      if (this.#isOver || this.#world.running.length !== 1 || !program.isStaleFor(flash)) return;
      this.#world.tally.strike('device reboot with stale memory');
      device.reboot(flash);
    });
  }

  #someMinimal(isFit: (device: SimDevice) => boolean): SimDevice | undefined {
    const minimal = this.#world.devices.filter(({ program }) => program instanceof MinimalDevice);
    return this.#dice.pick(minimal.filter(isFit));
  }

  #cutLinks(name: 'connection reset', cut: Cut): void {
    for (const link of this.#someLinks()) {
      link.cut(cut);
      this.#world.tally.strike(name);
    }
  }

  #someLinks(): Link[] {
    const open = [...this.#world.links].filter(({ isClientOpen }) => isClientOpen);
    return open.filter(() => this.#dice.chance(LINK_SHARE));
  }

  #faultOf(): AppendFault | null {
    for (const { name } of this.#active) {
      if (name === 'log read fails' || !this.#dice.chance(APPEND_SHARE)) continue;
      this.#world.tally.strike(name);
      return name as AppendFault;
    }
    return null;
  }

  #readFails(): boolean {
    for (const { name } of this.#active) {
      if (name !== 'log read fails' || !this.#dice.chance(APPEND_SHARE)) continue;
      this.#world.tally.strike(name);
      return true;
    }
    return false;
  }
}
