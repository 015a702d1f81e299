import type { FlowEntry } from '../../../src/wire/messages.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { Link } from '../network.ts';
import type { SessionView } from '../session-book.ts';
import { laneName } from '../truth.ts';
import type { World } from '../world.ts';

/**
 * C2: a limit never decreases on a connection; an ack never decreases within an epoch, whichever
 * owner of the log tells it. Acks of QoS 0 may be forgotten with the gateway that told them.
 */
class NeverBack implements Checker {
  readonly name = 'C2 limits and acks never go back';
  readonly kinds = ['told'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  readonly #limits = new Map<Link, Map<number, number>>();
  /** Highest ack told, by lane. */
  readonly #acks = new Map<string, number>();
  readonly #wasQos0 = new Set<string>();

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind !== 'told' || !fact.link.isDevice) return;
    const { message } = fact;
    if (message.k === 'welcome' || message.k === 'flow') this.#told(fact, message.f ?? []);
  }

  #told({ link }: FactOf<'told'>, entries: readonly FlowEntry[]): void {
    const view = this.#world.sessions.view(link);
    for (const [c, ack, lim] of entries) {
      this.#limit(link, c, lim);
      this.#ack(view, c, ack);
    }
  }

  #limit(link: Link, c: number, lim: number): void {
    const limits = this.#limits.get(link) ?? new Map<number, number>();
    this.#limits.set(link, limits);
    const before = limits.get(c) ?? 0;
    if (lim < before) this.#blame(`lane ${c}: limit ${lim} follows ${before}`, link.party);
    limits.set(c, lim);
  }

  #ack({ link, node, epoch, lanes }: SessionView, c: number, ack: number): void {
    const { truth, plan } = this.#world;
    const name = laneName(link.party, c, epoch);
    if (lanes.get(c)?.qos === 0) this.#wasQos0.add(name);
    if (this.#wasQos0.has(name) || !truth.isOwner(node.owner, plan.shards)) return;
    const before = this.#acks.get(name) ?? 0;
    if (ack < before) this.#blame(`lane ${c}: ack ${ack} follows ${before}`, link.party);
    this.#acks.set(name, Math.max(ack, before));
  }
}

export const neverBack: MakeChecker = (world, blame) => new NeverBack(world, blame);
