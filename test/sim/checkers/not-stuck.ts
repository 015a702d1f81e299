import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { World } from '../world.ts';

const COST = 64;
const BACKFILL = 2;

/**
 * C5, C6: when a flow is told and nothing of a lane is unsettled, the lane has room for a largest
 * frame, or the flow says why not; lane 0 always has.
 */
class NotStuck implements Checker {
  readonly name = 'C5 C6 nobody is stuck without a reason';
  readonly kinds = ['told'] as const;
  readonly #world: World;
  readonly #blame: Blame;

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind !== 'told' || !fact.link.isDevice) return;
    if (fact.message.k === 'flow' || fact.message.k === 'welcome') this.#told(fact);
  }

  #told({ link, message }: FactOf<'told'>): void {
    const { node, lanes, why } = this.#world.sessions.view(link);
    const device = node.gateway.ingest.devices.find(link.party);
    const entries = message.k === 'flow' || message.k === 'welcome' ? (message.f ?? []) : [];
    for (const [c, , lim] of entries) {
      const lane = lanes.get(c);
      if (!lane || c === BACKFILL || (device?.lanes[c]?.unsettled ?? 1) > 0) continue;
      const room = lim - lane.received;
      if (room >= lane.mf + COST || (why !== 0 && c > 0)) continue;
      this.#blame(`lane ${c} has room for ${room}, nothing is unsettled, why ${why}`, link.party);
    }
  }
}

export const notStuck: MakeChecker = (world, blame) => new NotStuck(world, blame);
