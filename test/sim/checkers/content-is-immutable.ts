import { RECORD } from '../../../src/model/record.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact } from '../facts.ts';
import { contentOf, laneName } from '../truth.ts';

/** I6: equal (device, c, ep, n) means equal content, in every transmission and in the log. */
class ContentIsImmutable implements Checker {
  readonly name = 'I6 content is immutable';
  readonly kinds = ['sent', 'landed'] as const;
  readonly #blame: Blame;
  readonly #contents = new Map<string, number>();

  constructor(blame: Blame) {
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'sent') {
      const { epoch, lane, n, content } = fact.frame;
      this.#compare(fact.link.party, `${laneName(fact.link.party, lane, epoch)} ${n}`, content);
    } else if (fact.kind === 'landed' && fact.entry.header.kind === RECORD.frame) {
      const { header, device, record } = fact.entry;
      const name = `${laneName(device, header.lane, header.epoch)} ${header.n}`;
      if (this.#contents.has(name)) this.#compare(device, name, contentOf(record.value));
    }
  }

  #compare(device: string, name: string, content: number): void {
    const known = this.#contents.get(name);
    if (known === undefined) this.#contents.set(name, content);
    else if (known !== content) {
      this.#blame(`${name} had content ${known} and has ${content} now`, device);
    }
  }
}

export const contentIsImmutable: MakeChecker = (_world, blame) => new ContentIsImmutable(blame);
