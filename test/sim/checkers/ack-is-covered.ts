import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { LaneView, SessionView } from '../session-book.ts';
import { laneName } from '../truth.ts';
import type { World } from '../world.ts';

/**
 * I1, I2 and I10 from the gateway's side: when an ack is told, everything up to it is in the log as
 * a valid record or stub, or as a hole that one of them declares (I2 looks after the declaring); or
 * it was processed at QoS 0; or it lies below the `first` of a lane of which nothing was known. What
 * stands in the log after a foreign fence is void and covers nothing.
 */
class AckIsCovered implements Checker {
  readonly name = 'I1 I10 acks are covered by the log';
  readonly kinds = ['told', 'reached'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  /** Highest n that reached a gateway at QoS 0, by lane. */
  readonly #processed = new Map<string, number>();
  /** `first − 1` of lanes of which nothing was known at `hello`, by lane. */
  readonly #unknown = new Map<string, number>();

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'told') this.#told(fact);
    else if (fact.kind === 'reached') this.#reached(fact);
  }

  #reached({ link, lane, n }: FactOf<'reached'>): void {
    const view = this.#world.sessions.view(link);
    if (view.lanes.get(lane)?.qos !== 0) return;
    const name = laneName(link.party, lane, view.epoch);
    this.#processed.set(name, Math.max(n, this.#processed.get(name) ?? 0));
  }

  #told({ link, message }: FactOf<'told'>): void {
    if (!link.isDevice || (message.k !== 'welcome' && message.k !== 'flow')) return;
    const view = this.#world.sessions.view(link);
    if (message.k === 'welcome') for (const lane of view.lanes.values()) this.#opened(view, lane);
    for (const [c, ack] of message.f ?? []) this.#acked(view, c, ack);
  }

  /**
   * A gateway knows nothing of a lane if the log has nothing, or if the log is not its own. At QoS 0
   * what is missing counts as processed, whenever it was skipped. [R6.2-8]
   */
  #opened({ link, node, epoch }: SessionView, { lane, first, qos }: LaneView): void {
    const { truth, plan } = this.#world;
    const isKnown = truth.last(link.party, lane, epoch) > 0;
    if (qos > 0 && isKnown && truth.isOwner(node.owner, plan.shards)) return;
    this.#unknown.set(laneName(link.party, lane, epoch), first - 1);
  }

  #acked({ link, epoch, node }: SessionView, lane: number, ack: number): void {
    const name = laneName(link.party, lane, epoch);
    const covered = Math.max(
      this.#world.truth.last(link.party, lane, epoch),
      this.#processed.get(name) ?? 0,
      this.#unknown.get(name) ?? 0,
    );
    if (ack <= covered) return;
    const sentence = `${node.name} told ack ${ack} on lane ${lane}; the log covers ${covered}`;
    this.#blame(sentence, link.party);
  }
}

export const ackIsCovered: MakeChecker = (world, blame) => new AckIsCovered(world, blame);
