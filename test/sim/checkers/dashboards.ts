import type { Blame, Checker, MakeChecker } from '../checker.ts';
import { COLUMNS, type SimDashboard } from '../dashboard.ts';
import type { Fact } from '../facts.ts';
import type { Link } from '../network.ts';
import type { SimNode } from '../node.ts';
import type { World } from '../world.ts';

const CLASSES = [0, 1, 2] as const;

/** The first window that a dashboard shows otherwise than its gateway; null if there is none. */
export function differenceOf(world: World, dashboard: SimDashboard): string | null {
  const node = dashboard.link?.server;
  const owner = world.running.find((each) => each === node);
  if (!owner?.isOwner || !dashboard.client.isLive) return 'it is not live on a gateway that owns';
  for (const { topic, windows } of owner.gateway.aggregation.series()) {
    for (const classId of CLASSES) {
      const kept = windows[classId];
      const held = dashboard.client.windows(topic, classId);
      for (let i = 0; i < (kept?.count ?? 0); i += 1) {
        const start = kept?.startAt(i) ?? 0;
        const shown = held.get(start);
        const [st, values] = [kept?.statusAt(i), COLUMNS.map((name) => kept?.valueAt(i, name))];
        const isSame = values.every((value, column) => shown?.values[column] === value);
        if (shown?.st !== st || !isSame) return `${topic} class ${classId} at ${start}`;
      }
    }
  }
  return null;
}

/**
 * D1, D3: when nothing changes any more, every dashboard shows what its gateway has, one that has
 * just come as much as one that was always there. D2: an owner of the log never takes back what a
 * dashboard holds; a gateway that has not read to its fence yet, or was deposed, may know less.
 */
class Dashboards implements Checker {
  readonly name = 'D1 D2 D3 dashboards show what is';
  readonly kinds = ['calm', 'told', 'stepped'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  /** Connections that began when their gateway owned the log. */
  readonly #trusted = new WeakSet<Link>();

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'calm') this.#compare();
    else if (fact.kind === 'told' && fact.message.k === 'welcome') this.#welcomed(fact.link);
    else if (fact.kind === 'stepped' && fact.input.kind === 'tick') this.#lookForStale();
  }

  #welcomed(link: Link): void {
    const node = this.#world.running.find((each) => each === link.server);
    if (node?.isOwner && this.#owns(node)) this.#trusted.add(link);
  }

  #lookForStale(): void {
    for (const { client, link, name } of this.#world.dashboards) {
      if (client.stale === 0) continue;
      client.stale = 0;
      const node = this.#world.running.find((each) => each === link?.server);
      if (!node || !link || !this.#trusted.has(link) || !this.#owns(node)) continue;
      this.#blame('an update was older than what it replaces', name);
    }
  }

  #compare(): void {
    for (const dashboard of this.#world.dashboards) {
      const difference = differenceOf(this.#world, dashboard);
      if (difference) this.#blame(`differs: ${difference}`, dashboard.name);
    }
  }

  #owns({ owner }: SimNode): boolean {
    return this.#world.truth.isOwner(owner, this.#world.plan.shards);
  }
}

export const dashboards: MakeChecker = (world, blame) => new Dashboards(world, blame);
