import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { World } from '../world.ts';

/**
 * I7: no epoch of a device is minted twice; a session continues no epoch older than one that its
 * gateway knows; and it is refused for nothing less.
 */
class Epochs implements Checker {
  readonly name = 'I7 epochs';
  readonly kinds = ['judged', 'told'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  readonly #minted = new Set<string>();
  /** Highest epoch of which a frame reached any gateway, by device. */
  readonly #used = new Map<string, number>();

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'judged' && fact.fate === 'admitted') this.#admitted(fact);
    else if (fact.kind === 'told' && fact.link.isDevice) this.#told(fact);
  }

  #admitted({ link }: FactOf<'judged'>): void {
    const { epoch } = this.#world.sessions.view(link);
    this.#used.set(link.party, Math.max(epoch, this.#used.get(link.party) ?? 0));
  }

  #told({ link, message }: FactOf<'told'>): void {
    const { hello, node, epoch } = this.#world.sessions.view(link);
    if (message.k === 'away' && message.e === 4007) this.#refused(link.party, hello?.ep);
    if (message.k !== 'welcome') return;
    if (hello?.ep === undefined) {
      const name = `${link.party} ${epoch}`;
      if (this.#minted.has(name)) this.#blame(`epoch ${epoch} was minted twice`, link.party);
      this.#minted.add(name);
    }
    const { truth, plan } = this.#world;
    const known = truth.known(link.party);
    if (epoch >= known || !truth.isOwner(node.owner, plan.shards)) return;
    this.#blame(`welcomed in epoch ${epoch} while ${known} is in the log`, link.party);
  }

  #refused(device: string, asked: number | undefined): void {
    if (this.#world.device(device)?.habits.firmware === 'rude') return;
    const used = this.#used.get(device) ?? 0;
    if (asked === undefined || used <= asked) {
      this.#blame(`4007 for epoch ${asked}, and the newest in use is ${used}`, device);
    }
  }
}

export const epochs: MakeChecker = (world, blame) => new Epochs(world, blame);
