import type { SimDevice } from './device.ts';
import type { Fact } from './facts.ts';
import type { AppendFault, LogWeather } from './log-client.ts';
import { MinimalDevice } from './minimal-device.ts';
import type { Link } from './network.ts';
import type { SimNode } from './node.ts';
import type { PlannedFault, TimedFault } from './plan.ts';
import { Dice } from './random.ts';
import type { World } from './world.ts';

/** While the log has a fault, so many appends suffer it. */
const APPEND_SHARE = 0.5;
/** A network fault strikes this share of the connections. */
const LINK_SHARE = 0.3;
const CLOCK_STEP_MS = 600_000;
/** An uplink that flaps breaks so soon after a `welcome` was sent. Units: ms. */
const FLAP_MS_MAX = 60;

/** Does to a world what its plan says, and counts what really struck. */
export class Faults {
  readonly weather: LogWeather;
  readonly #world: World;
  readonly #dice: Dice;
  readonly #flapDice: Dice;
  /** Until when the uplink of a device flaps. Units: ms of virtual time. */
  readonly #flapping = new Map<string, number>();
  /** Faults of the log that are on just now. */
  readonly #active = new Set<PlannedFault>();
  #isOver = false;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
    this.#flapDice = new Dice(world.plan.seed, 'flaps that strike');
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
    this.#flapping.clear();
  }

  see(fact: Fact): void {
    if (fact.kind === 'told' && fact.message.k === 'welcome') this.#welcomed(fact.link);
  }

  #begin(fault: PlannedFault): void {
    const { name, forMs } = fault;
    const { tally, devices, dashboards } = this.#world;
    switch (name) {
      case 'network slow':
        return this.#onLinks(name, (link) => link.slow(forMs));
      case 'connection reset':
        return this.#onLinks(name, (link) => link.cut('reset'));
      case 'client gone, data late':
        return this.#onLinks(name, (link) => link.cut('client gone'));
      case 'connection half-open':
        return this.#onLinks(name, (link) => link.cut('half-open'));
      case 'connection one way':
        return this.#onLinks(name, (link) => link.cut('one way'));
      case 'log slow':
      case 'log refuses':
      case 'log writes, then times out':
      case 'log request lands late':
      case 'log writes in part':
      case 'log read fails':
        return this.#disturbLog(fault);
      case 'gateway crash':
        return this.#crash();
      case 'gateway takeover':
        return this.#takeOver();
      case 'gateway drain':
        return this.#onNode(name, (node) => node.drain());
      case 'clock step':
        return this.#onNode(name, ({ clock }) => clock.step(this.#clockStep()));
      case 'device reboot':
        tally.strike(name);
        return this.#dice.pick(devices).reboot(null);
      case 'device reboot with memory':
        return this.#rebootWithMemory();
      case 'device reboot with stale memory':
        return this.#rebootWithStaleMemory(forMs);
      case 'dashboard stalls':
        tally.strike(name);
        return this.#dice.pick(dashboards).stall(forMs);
      case 'connection lost at welcome':
        return this.#flap(forMs);
    }
  }

  /** Some devices lose their connection, and for a while every other one that they get. */
  #flap(forMs: number): void {
    const { devices, timeline } = this.#world;
    for (const { path, link } of devices) {
      if (!this.#flapDice.chance(LINK_SHARE)) continue;
      this.#flapping.set(path, timeline.ms + forMs);
      link?.cut('reset');
    }
  }

  /**
   * The connection breaks, mostly before the first frame or its ack gets through: what `hello` said
   * is then all that the gateway has learnt from the session.
   */
  #welcomed(link: Link): void {
    const { timeline, tally } = this.#world;
    if (timeline.ms >= (this.#flapping.get(link.party) ?? 0)) return;
    timeline.after(this.#flapDice.between(0, FLAP_MS_MAX), () => {
      if (this.#isOver || !link.isClientOpen) return;
      tally.strike('connection lost at welcome');
      link.cut('reset');
    });
  }

  #onLinks(name: TimedFault, act: (link: Link) => void): void {
    const open = [...this.#world.links].filter(({ isClientOpen }) => isClientOpen);
    for (const link of open.filter(() => this.#dice.chance(LINK_SHARE))) {
      act(link);
      this.#world.tally.strike(name);
    }
  }

  #onNode(name: TimedFault, act: (node: SimNode) => void): void {
    const { running, tally } = this.#world;
    if (running.length === 0) return;
    tally.strike(name);
    act(this.#dice.pick(running));
  }

  #disturbLog(fault: PlannedFault): void {
    this.#active.add(fault);
    this.#world.timeline.after(fault.forMs, () => this.#active.delete(fault));
  }

  #clockStep(): number {
    return this.#dice.between(-CLOCK_STEP_MS, CLOCK_STEP_MS);
  }

  /** Three gateways at once would be more than a mistaken operator starts. */
  #takeOver(): void {
    const { running, tally } = this.#world;
    if (running.length !== 1) return;
    tally.strike('gateway takeover');
    this.#world.takeOver();
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
    const [device, program] = this.#someMinimal(() => true) ?? [];
    if (!device || !program?.flash) return;
    this.#world.tally.strike('device reboot with memory');
    device.reboot(program.flash);
  }

  /** The flash is older than what was acked since: the gateway's acks have to give it away. */
  #rebootWithStaleMemory(afterMs: number): void {
    const [device, before] = this.#someMinimal(({ habits }) => habits.qos0Share === 0) ?? [];
    const flash = before?.flash;
    if (!device || !flash) return;
    this.#world.timeline.after(afterMs, () => {
      const { program } = device;
      if (this.#isOver || this.#world.running.length !== 1) return;
      if (!(program instanceof MinimalDevice) || !program.isStaleFor(flash)) return;
      this.#world.tally.strike('device reboot with stale memory');
      device.reboot(flash);
    });
  }

  /** A device whose firmware is the minimal one, with its program. */
  #someMinimal(
    isFit: (device: SimDevice) => boolean,
  ): readonly [SimDevice, MinimalDevice] | undefined {
    const found: (readonly [SimDevice, MinimalDevice])[] = [];
    for (const device of this.#world.devices) {
      const { program } = device;
      if (program instanceof MinimalDevice && isFit(device)) found.push([device, program]);
    }
    return found.length > 0 ? this.#dice.pick(found) : undefined;
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
