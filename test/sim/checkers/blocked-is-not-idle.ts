import { CLASS_OF_LANE } from '../../../src/model/reading.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { SessionView } from '../session-book.ts';
import type { World } from '../world.ts';

const COST = 64;
const BACKFILL = 2;
/** A class has to be silent for so long; clocks of gateways are wrong by less than 1 %. Units: ms. */
const IDLE_MS = 10_000 * 0.99;

/** When the sender of a lane had no credit for a largest frame, as far as it was told. Units: ms. */
interface Wait {
  isOn: boolean;
  /** When the last one was over. */
  toMs: number;
}

/**
 * T3: no class is judged idle while its lane has no credit for a largest frame, or has been told of
 * it, by `welcome` or a `flow`, less than the time of silence before. [R9.2-4], [R9.2-6]
 */
class BlockedIsNotIdle implements Checker {
  readonly name = 'T3 blocked is not idle';
  readonly kinds = ['told', 'judged', 'marked'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  /** The newest session of each device, by gateway and path. */
  readonly #newest = new Map<string, SessionView>();
  /** The last wait, by session and lane. */
  readonly #waits = new Map<string, Wait>();

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
    const { ms } = this.#world.timeline;
    for (const { lane, lim, received, mf } of view.lanes.values()) {
      const key = keyOf(view, lane);
      // A wait ended with its welcome: what was judged before concerned another session, or none.
      const wait = this.#waits.get(key) ?? { isOn: false, toMs: ms };
      this.#waits.set(key, wait);
      const isBlocked = lim - received < mf + COST;
      if (!isBlocked && wait.isOn) wait.toMs = ms;
      wait.isOn = isBlocked;
    }
  }

  #marked({ node, entry }: FactOf<'marked'>): void {
    const view = this.#newest.get(`${node.name} ${entry.device}`);
    if (!view || view.isOver || !view.link.isServerOpen) return;
    for (const { lane } of view.lanes.values()) {
      const wait = this.#waits.get(keyOf(view, lane));
      if (lane === BACKFILL || CLASS_OF_LANE[lane] !== entry.class || !wait) continue;
      const why = this.#whyNot(wait);
      if (why) this.#blame(`lane ${lane} ${why} and is judged idle`, entry.device);
    }
  }

  #whyNot({ isOn, toMs }: Wait): string | null {
    if (isOn) return 'has no credit';
    const isSoon = this.#world.timeline.ms < toMs + IDLE_MS;
    return isSoon ? 'has just been told of credit' : null;
  }
}

/** Gateways number their sessions themselves. */
const keyOf = ({ node, link }: SessionView, lane: number): string =>
  `${node.owner} ${link.session} ${lane}`;

export const blockedIsNotIdle: MakeChecker = (world, blame) => new BlockedIsNotIdle(world, blame);
