import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { World } from '../world.ts';

const TO_PUBLISHER_MAX = 1024;
const TO_SUBSCRIBER_MAX = 32 * 1024;

/** §14: no message is longer than its receiver said, or the protocol says, that it can take. */
class Sizes implements Checker {
  readonly name = 'limits of §14';
  readonly kinds = ['told', 'sent'] as const;
  readonly #world: World;
  readonly #blame: Blame;

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'told') this.#told(fact);
    else if (fact.kind === 'sent') this.#sent(fact);
  }

  #told({ link, message, bytes }: FactOf<'told'>): void {
    const most = link.isDevice ? TO_PUBLISHER_MAX : TO_SUBSCRIBER_MAX;
    if (bytes > most) this.#blame(`a ${message.k} of ${bytes} bytes, ${most} at most`, link.party);
  }

  #sent({ link, frame }: FactOf<'sent'>): void {
    const mf = this.#world.sessions.view(link).lanes.get(frame.lane)?.mf ?? 0;
    if (frame.bytes > mf) {
      this.#blame(`frame ${frame.n} has ${frame.bytes} bytes, mf is ${mf}`, link.party);
    }
  }
}

export const sizes: MakeChecker = (world, blame) => new Sizes(world, blame);
