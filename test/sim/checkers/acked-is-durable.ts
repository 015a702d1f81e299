import { RECORD } from '../../../src/model/record.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf, FrameFate } from '../facts.ts';
import { contentOf, laneName } from '../truth.ts';

/**
 * I1, from the device's side: a frame that it freed at QoS 1 because of an ack stands in the log as
 * a valid record with that content, or as a stub.
 */
class AckedIsDurable implements Checker {
  readonly name = 'I1 what a device frees is in the log';
  readonly kinds = ['landed', 'freed'] as const;
  readonly #blame: Blame;
  /** Content of the valid records, by lane and n; NaN for a stub. */
  readonly #contents = new Map<string, number>();

  constructor(blame: Blame) {
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'landed') this.#landed(fact);
    else if (fact.kind === 'freed') this.#freed(fact);
  }

  #landed({ entry }: FactOf<'landed'>): void {
    const { header, isValid, device, record } = entry;
    if (!isValid) return;
    const name = `${laneName(device, header.lane, header.epoch)} ${header.n}`;
    if (header.kind === RECORD.frame) this.#contents.set(name, contentOf(record.value));
    else if (header.kind === RECORD.stub) this.#contents.set(name, Number.NaN);
  }

  #freed({ device, lane, epoch, n, content, qos }: FrameFate): void {
    if (qos === 0) return;
    const what = `frame ${n} of lane ${lane}, epoch ${epoch}, was acked`;
    const found = this.#contents.get(`${laneName(device, lane, epoch)} ${n}`);
    if (found === undefined) this.#blame(`${what} and is not in the log`, device);
    else if (!Number.isNaN(found) && found !== content) {
      this.#blame(`${what} with content ${content}; the log has ${found}`, device);
    }
  }
}

export const ackedIsDurable: MakeChecker = (_world, blame) => new AckedIsDurable(blame);
