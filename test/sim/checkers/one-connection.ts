import { RECORD } from '../../../src/model/record.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { SimNode } from '../node.ts';
import { laneName } from '../truth.ts';
import type { World } from '../world.ts';

/**
 * I8: once a connection of a device is welcomed, its gateway admits no frame of an earlier one.
 * I9: what a gateway has admitted, durable or not, refused or not, it does not admit again; nor what
 * stood in the log before its fence.
 */
class OneConnection implements Checker {
  readonly name = 'I8 I9 one connection, one admission';
  readonly kinds = ['told', 'judged', 'owned'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  /** Number of the newest welcome, by gateway and device. */
  readonly #newest = new Map<string, number>();
  /** Highest n admitted, by gateway and lane. */
  readonly #admitted = new Map<string, number>();

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'told' && fact.message.k === 'welcome') {
      const { welcomeNo, node } = this.#world.sessions.view(fact.link);
      this.#newest.set(`${node.name} ${fact.link.party}`, welcomeNo);
    } else if (fact.kind === 'judged' && fact.fate === 'admitted') this.#judged(fact);
    else if (fact.kind === 'owned') this.#owned(fact.node);
  }

  #judged({ link, lane, n }: FactOf<'judged'>): void {
    const { node, welcomeNo, epoch } = this.#world.sessions.view(link);
    if (welcomeNo !== this.#newest.get(`${node.name} ${link.party}`)) {
      this.#blame(`${node.name} admitted frame ${n} of a connection that was fenced`, link.party);
    }
    const name = `${node.name} ${laneName(link.party, lane, epoch)}`;
    const before = this.#admitted.get(name) ?? 0;
    if (n <= before) {
      this.#blame(`${node.name} admitted frame ${n} after frame ${before}`, link.party);
    }
    this.#admitted.set(name, n);
  }

  /**
   * What the log holds at the fence, the new owner knows. One that was deposed before it could say so
   * need not: nothing that it admits counts any more.
   */
  #owned(node: SimNode): void {
    const { truth, plan } = this.#world;
    if (!truth.isOwner(node.owner, plan.shards)) return;
    for (const { header, device, isValid, owner } of truth.entries) {
      if (!isValid || owner === node.owner) continue;
      if (header.kind !== RECORD.frame && header.kind !== RECORD.stub) continue;
      const name = `${node.name} ${laneName(device, header.lane, header.epoch)}`;
      this.#admitted.set(name, Math.max(header.n, this.#admitted.get(name) ?? 0));
    }
  }
}

export const oneConnection: MakeChecker = (world, blame) => new OneConnection(world, blame);
