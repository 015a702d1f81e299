import { CLASS_OF_LANE } from '../../../src/model/reading.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { SessionView } from '../session-book.ts';
import type { World } from '../world.ts';

const COST = 64;
const BACKFILL = 2;
/** A class has to be silent for so long; clocks of gateways are wrong by less than 1 %. Units: ms. */
const IDLE_MS = 10_000 * 0.99;
/** A record says when to a microsecond: what happened at the same moment is not told apart. */
const RESOLUTION_MS = 0.001;

/** When the sender of a lane had no credit for a largest frame, as far as it was told. Units: ms. */
interface Wait {
  isOn: boolean;
  fromMs: number;
  /** While it is on: when the one before was over. */
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
      // Before its welcome it had none; what was decided then concerned an earlier session.
      const wait = this.#waits.get(key) ?? { isOn: true, fromMs: ms, toMs: 0 };
      this.#waits.set(key, wait);
      const isBlocked = lim - received < mf + COST;
      if (isBlocked && !wait.isOn) wait.fromMs = ms;
      else if (!isBlocked && wait.isOn) wait.toMs = ms;
      wait.isOn = isBlocked;
    }
  }

  #marked({ node, entry, agoMs }: FactOf<'marked'>): void {
    const view = this.#newest.get(`${node.name} ${entry.device}`);
    if (!view || view.isOver || !view.link.isServerOpen || agoMs < 0) return;
    const ms = this.#world.timeline.ms - agoMs;
    for (const { lane } of view.lanes.values()) {
      const wait = this.#waits.get(keyOf(view, lane));
      if (lane === BACKFILL || CLASS_OF_LANE[lane] !== entry.class || !wait) continue;
      const why = this.#whyNot(wait, ms);
      if (why) this.#blame(`lane ${lane} ${why} and is judged idle`, entry.device);
    }
  }

  #whyNot({ isOn, fromMs, toMs }: Wait, ms: number): string | null {
    if (ms > fromMs + RESOLUTION_MS && isOn) return 'has no credit';
    const isSoon = ms > toMs + RESOLUTION_MS && ms < toMs + IDLE_MS;
    return isSoon ? 'has just been told of credit' : null;
  }
}

export const blockedIsNotIdle: MakeChecker = (world, blame) => new BlockedIsNotIdle(world, blame);

/** Gateways number their sessions themselves. */
const keyOf = ({ node, link }: SessionView, lane: number): string =>
  `${node.owner} ${link.session} ${lane}`;
