import { RECORD } from '../../../src/model/record.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import { codeOf } from '../habits.ts';
import { laneName } from '../truth.ts';
import type { World } from '../world.ts';

/**
 * §6.5 and T4: a frame is refused only for what is wrong with it, with the code for that; when
 * `reject` is told, stub and dead letter are durable; and it is told before an ack passes it.
 */
class Rejects implements Checker {
  readonly name = 'rejects are deserved and stored';
  readonly kinds = ['landed', 'told'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  readonly #stubs = new Set<string>();
  readonly #letters = new Set<string>();
  #lettersSeen = 0;
  /** Rejects told on a connection, by name of the stub. */
  readonly #told = new Set<string>();

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'landed' && fact.entry.isValid) {
      const { header, device } = fact.entry;
      if (header.kind !== RECORD.stub) return;
      this.#stubs.add(`${laneName(device, header.lane, header.epoch)} ${header.n}`);
    } else if (fact.kind === 'told' && fact.link.isDevice) {
      if (fact.message.k === 'reject') this.#rejected(fact);
      else if (fact.message.k === 'flow') this.#flow(fact);
    }
  }

  #rejected({ link, message }: FactOf<'told'>): void {
    if (message.k !== 'reject') return;
    const { c, n, e } = message;
    const view = this.#world.sessions.view(link);
    const name = `${laneName(link.party, c, view.epoch)} ${n}`;
    this.#told.add(`${link.session} ${name}`);
    if (!this.#stubs.has(name))
      this.#blame(`reject of ${n} before its stub is durable`, link.party);
    if (!this.#hasLetter(name)) this.#blame(`reject of ${n} without a dead letter`, link.party);
    const device = this.#world.device(link.party);
    const content = view.lanes.get(c)?.contents.get(n) ?? Number.NaN;
    const code = codeOf(device?.intentOf(content) ?? 'good');
    if (device?.habits.firmware === 'rude' || code === e) return;
    this.#blame(`frame ${n} was refused with ${e}; it deserves ${code ?? 'none'}`, link.party);
  }

  /** A frame of this connection that the ack passes and that is a stub was told as refused. */
  #flow({ link, message }: FactOf<'told'>): void {
    if (message.k !== 'flow' || this.#stubs.size === 0) return;
    const view = this.#world.sessions.view(link);
    const device = this.#world.device(link.party);
    for (const [c, ack] of message.f) {
      for (const [n, content] of view.lanes.get(c)?.contents ?? []) {
        if (n > ack || device?.intentOf(content) === 'good') continue;
        const name = `${laneName(link.party, c, view.epoch)} ${n}`;
        const isOurs = view.lanes.get(c)?.admitted.has(n);
        if (!isOurs || !this.#stubs.has(name) || this.#told.has(`${link.session} ${name}`))
          continue;
        this.#blame(`the ack passes frame ${n}, which is refused, and nobody said so`, link.party);
      }
    }
  }

  #hasLetter(name: string): boolean {
    const { letters } = this.#world.log;
    for (; this.#lettersSeen < letters.length; this.#lettersSeen += 1) {
      const letter = letters[this.#lettersSeen];
      if (!letter) continue;
      this.#letters.add(`${laneName(letter.device, letter.lane, letter.epoch)} ${letter.n}`);
    }
    return this.#letters.has(name);
  }
}

export const rejects: MakeChecker = (world, blame) => new Rejects(world, blame);
