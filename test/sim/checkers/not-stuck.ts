import { WHY } from '../../../src/model/why.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { Link } from '../network.ts';
import type { World } from '../world.ts';

const COST = 64;
const BACKFILL = 2;
const CRITICAL = 0;
/** Lane 0 may be at its quota so soon after it was granted something: it has it back by then. */
const QUOTA_MS = 250;

/**
 * C5, C6: when a flow is told and nothing of a lane is unsettled, the lane has room for a largest
 * frame, or the flow says why not; lane 0 has, but for a moment when it was granted its quota just
 * now. What the flow does not cover is unsettled: more may be settled in the step that tells it.
 */
class NotStuck implements Checker {
  readonly name = 'C5 C6 nobody is stuck without a reason';
  readonly kinds = ['told'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  /** Lane 0 of each connection: its limit, and when that grew. */
  readonly #grants = new WeakMap<Link, { lim: number; atMs: number }>();

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
    for (const [c, ack, lim] of entries) {
      const lane = lanes.get(c);
      if (c === CRITICAL) this.#note(link, lim);
      if (!lane || c === BACKFILL || lane.lastAdmitted > ack) continue;
      if ((device?.lanes[c]?.unsettled ?? 1) > 0) continue;
      const room = lim - lane.received;
      if (room >= lane.mf + COST) continue;
      if (c === CRITICAL ? why === WHY.quota && this.#isAtQuota(link) : why !== WHY.none) continue;
      this.#blame(`lane ${c} has room for ${room}, nothing is unsettled, why ${why}`, link.party);
    }
  }

  #note(link: Link, lim: number): void {
    const { ms: atMs } = this.#world.timeline;
    if (lim > (this.#grants.get(link)?.lim ?? 0)) this.#grants.set(link, { lim, atMs });
  }

  #isAtQuota(link: Link): boolean {
    const grantedMs = this.#grants.get(link)?.atMs ?? Number.NEGATIVE_INFINITY;
    return this.#world.timeline.ms - grantedMs <= QUOTA_MS;
  }
}

export const notStuck: MakeChecker = (world, blame) => new NotStuck(world, blame);
