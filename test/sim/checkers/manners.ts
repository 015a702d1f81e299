import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import { RudeDevice } from '../rude-device.ts';
import type { World } from '../world.ts';

/** Codes by which a gateway may end a session whose client has done nothing wrong. */
const BLAMELESS: ReadonlySet<number> = new Set([
  1000, 1001, 1012, 1013, 4100, 4103, 4104, 4200, 4201, 4203,
]);
const STALE_EPOCH = 4007;
const TIMEOUT = 4102;

/**
 * A device that keeps the rules is never told that it broke one; one that breaks a rule is told
 * which. 4007 is judged by I7, and a time-out needs a network that was at fault.
 */
class Manners implements Checker {
  readonly name = 'who is blamed deserves it';
  readonly kinds = ['told', 'stopped'] as const;
  readonly #world: World;
  readonly #blame: Blame;

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'told' && fact.message.k === 'away') this.#away(fact);
    else if (fact.kind === 'stopped') {
      const { code, message } = fact.ending;
      this.#blame(`a device gave up: ${code} ${message}`, fact.device);
    }
  }

  #away({ link, message }: FactOf<'told'>): void {
    if (message.k !== 'away' || BLAMELESS.has(message.e)) return;
    const device = this.#world.device(link.party);
    if (device?.program instanceof RudeDevice) {
      if (device.program.expects === message.e) this.#world.tally.strike('rude device');
      else if (message.e !== TIMEOUT && device.link === link) {
        this.#blame(`closed with ${message.e}, not ${device.program.expects}`, link.party);
      }
      return;
    }
    if (message.e === STALE_EPOCH) return;
    if (message.e === TIMEOUT && link.isImpaired) return;
    if (device && this.#isPoison(link, message.c, message.n)) return;
    this.#blame(`a client that keeps the rules is told ${message.e} ${message.m}`, link.party);
  }

  #isPoison(link: FactOf<'told'>['link'], c = -1, n = -1): boolean {
    const content = this.#world.sessions.view(link).lanes.get(c)?.contents.get(n) ?? 0;
    return this.#world.device(link.party)?.intentOf(content) === 'poison';
  }
}

export const manners: MakeChecker = (world, blame) => new Manners(world, blame);
