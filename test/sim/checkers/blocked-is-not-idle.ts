import { CLASS_OF_LANE } from '../../../src/model/reading.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { SessionView } from '../session-book.ts';
import type { World } from '../world.ts';

const COST = 64;
const BACKFILL = 2;

/** T3: no class is judged idle while its lane has no credit for a largest frame. [R9.2-6] */
class BlockedIsNotIdle implements Checker {
  readonly name = 'T3 blocked is not idle';
  readonly kinds = ['told', 'judged', 'marked'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  /** The newest session of each device, by gateway and path. */
  readonly #newest = new Map<string, SessionView>();
  /** Since when a lane has been blocked, by session and lane. Units: ms. */
  readonly #blockedSince = new Map<string, number>();

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'marked') this.#marked(fact);
    else if (fact.kind === 'told' || fact.kind === 'judged') {
      if (fact.link.isDevice) this.#look(this.#world.sessions.view(fact.link));
    }
  }

  #look(view: SessionView): void {
    if (view.welcomeNo === 0) return;
    const name = `${view.node.name} ${view.link.party}`;
    const newest = this.#newest.get(name);
    if (!newest || newest.welcomeNo < view.welcomeNo) this.#newest.set(name, view);
    for (const { lane, lim, received, mf } of view.lanes.values()) {
      const key = `${view.link.session} ${lane}`;
      if (lim - received >= mf + COST) this.#blockedSince.delete(key);
      else if (!this.#blockedSince.has(key)) this.#blockedSince.set(key, this.#world.timeline.ms);
    }
  }

  #marked({ node, entry, agoMs }: FactOf<'marked'>): void {
    const view = this.#newest.get(`${node.name} ${entry.device}`);
    if (!view || view.isOver || !view.link.isServerOpen || agoMs < 0) return;
    for (const { lane } of view.lanes.values()) {
      const sinceMs = this.#blockedSince.get(`${view.link.session} ${lane}`);
      if (lane === BACKFILL || CLASS_OF_LANE[lane] !== entry.class || sinceMs === undefined)
        continue;
      if (this.#world.timeline.ms - agoMs <= sinceMs) continue;
      this.#blame(`lane ${lane} has no credit and is judged idle`, entry.device);
    }
  }
}

export const blockedIsNotIdle: MakeChecker = (world, blame) => new BlockedIsNotIdle(world, blame);
