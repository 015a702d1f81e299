import type { FlowEntry } from '../../../src/wire/messages.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact } from '../facts.ts';
import type { Link } from '../network.ts';
import type { SessionView } from '../session-book.ts';
import { laneName } from '../truth.ts';
import type { World } from '../world.ts';

/**
 * C2: on a connection neither a limit nor an ack ever decreases. Within an epoch an ack never does,
 * whichever owner of the log tells it, as far as a record or stub stands behind it. What a gateway
 * merely repeats of a `hello`, first − 1 of a lane that is new to it, is the client's own word
 * [R4.1-18]. Acks of QoS 0 may be forgotten with the gateway that told them.
 */
class NeverBack implements Checker {
  readonly name = 'C2 limits and acks never go back';
  readonly kinds = ['told'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  /** What was told last on a connection, by lane. */
  readonly #told = new Map<Link, Map<number, FlowEntry>>();
  /** Highest ack told that the log vouches for, by lane. */
  readonly #acks = new Map<string, number>();
  readonly #wasQos0 = new Set<string>();

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind !== 'told' || !fact.link.isDevice) return;
    const { message, link } = fact;
    if (message.k !== 'welcome' && message.k !== 'flow') return;
    const view = this.#world.sessions.view(link);
    for (const entry of message.f ?? []) {
      this.#connection(link, entry);
      this.#epoch(view, entry);
    }
  }

  #connection(link: Link, entry: FlowEntry): void {
    const told = this.#told.get(link) ?? new Map<number, FlowEntry>();
    this.#told.set(link, told);
    const [c, ack, lim] = entry;
    const [, ackBefore, limBefore] = told.get(c) ?? [c, 0, 0];
    told.set(c, entry);
    if (lim < limBefore) this.#blame(`lane ${c}: limit ${lim} follows ${limBefore}`, link.party);
    if (ack < ackBefore) this.#blame(`lane ${c}: ack ${ack} follows ${ackBefore}`, link.party);
  }

  #epoch({ link, node, epoch, lanes }: SessionView, [c, ack]: FlowEntry): void {
    const { truth, plan } = this.#world;
    const name = laneName(link.party, c, epoch);
    if (lanes.get(c)?.qos === 0) this.#wasQos0.add(name);
    if (this.#wasQos0.has(name) || !truth.isOwner(node.owner, plan.shards)) return;
    const before = this.#acks.get(name) ?? 0;
    if (ack < before) this.#blame(`lane ${c}: ack ${ack} follows ${before}`, link.party);
    if (ack > before && ack <= truth.last(link.party, c, epoch)) this.#acks.set(name, ack);
  }
}

export const neverBack: MakeChecker = (world, blame) => new NeverBack(world, blame);
