import { RecordFilter } from '../../../src/consumer/record-filter.ts';
import { RECORD } from '../../../src/model/record.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FrameFate } from '../facts.ts';
import { type Entry, laneName } from '../truth.ts';

/**
 * I5: the filter of PROTOCOL §6.6, as readers run it, gives every frame acknowledged at QoS 1
 * exactly once, and (ep, n) only ever increases but for an *uncertain* mark.
 */
class FilterKeepsAcked implements Checker {
  readonly name = 'I5 the filter keeps what was acked';
  readonly kinds = ['landed', 'freed', 'calm'] as const;
  readonly #blame: Blame;
  readonly #filter = new RecordFilter();
  readonly #emitted = new Set<string>();
  readonly #stubs = new Set<string>();
  readonly #last = new Map<string, readonly [epoch: number, n: number]>();
  readonly #freed: FrameFate[] = [];

  constructor(blame: Blame) {
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'landed') this.#landed(fact.entry);
    else if (fact.kind === 'freed' && fact.qos > 0) this.#freed.push(fact);
    else if (fact.kind === 'calm') this.#compare();
  }

  #landed({ record, header, device, isValid }: Entry): void {
    const verdict = this.#filter.judge(record, header);
    if (verdict.void === isValid) {
      this.#blame(`the filter takes record ${record.offset} for ${isValid ? 'void' : 'valid'}`);
    }
    if (verdict.void || verdict.duplicate) return;
    const { kind, lane, epoch, n, uncertain } = header;
    if (kind !== RECORD.frame && kind !== RECORD.stub) return;
    const name = `${laneName(device, lane, epoch)} ${n}`;
    if (kind === RECORD.stub) this.#stubs.add(name);
    else if (this.#emitted.has(name)) this.#blame(`the filter gives frame ${n} twice`, device);
    else this.#emitted.add(name);
    const [lastEpoch, lastN] = this.#last.get(`${device} ${lane}`) ?? [0, 0];
    const isLater = epoch > lastEpoch || (epoch === lastEpoch && n > lastN);
    if (!isLater && !uncertain) this.#blame(`the filter gives ${epoch}:${n} too late`, device);
    this.#last.set(`${device} ${lane}`, [epoch, n]);
  }

  #compare(): void {
    for (const { device, lane, epoch, n } of this.#freed) {
      const name = `${laneName(device, lane, epoch)} ${n}`;
      if (this.#emitted.has(name) || this.#stubs.has(name)) continue;
      this.#blame(`acked frame ${n} of lane ${lane}, epoch ${epoch}, never comes out`, device);
    }
  }
}

export const filterKeepsAcked: MakeChecker = (_world, blame) => new FilterKeepsAcked(blame);
