import { RECORD } from '../../../src/model/record.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import { type Entry, laneName } from '../truth.ts';
import type { World } from '../world.ts';

/** What was seen of a lane of a device in one epoch. */
interface Lane {
  /** A frame was admitted at QoS 0 since the last record of a QoS 1 session. */
  wasQos0: boolean;
  /** Sessions after which an *uncertain* mark may follow: at QoS 0, or of an unknown lane. */
  reasons: number;
  /** Reasons that a mark in the log has dealt with. */
  settled: number;
  /** QoS under which a number was admitted, and the reasons there were by then. */
  readonly admitted: Map<number, { readonly qos: number; readonly reasons: number }>;
}

/**
 * I2: at QoS 1 the header of every valid record counts the numbers between the lane's previous one
 * and itself, unless it carries the *uncertain* mark; and it carries that mark when a lane comes
 * from QoS 0, and else only where nothing was known of the lane. [RD-12], [R4.1-19], [R6.2-8]
 */
class LossesAreRecorded implements Checker {
  readonly name = 'I2 losses are recorded';
  readonly kinds = ['judged', 'told', 'landed'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  readonly #lanes = new Map<string, Lane>();

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'judged' && fact.fate === 'admitted') this.#admitted(fact);
    else if (fact.kind === 'told' && fact.message.k === 'welcome') this.#welcomed(fact);
    else if (fact.kind === 'landed' && fact.entry.isValid) this.#landed(fact.entry);
  }

  #welcomed({ link }: FactOf<'told'>): void {
    const { lanes, epoch } = this.#world.sessions.view(link);
    for (const { lane, first, qos } of lanes.values()) {
      const isUnknown = this.#world.truth.last(link.party, lane, epoch) === 0;
      if (qos > 0 && !(isUnknown && first > 1)) continue;
      this.#lane(laneName(link.party, lane, epoch)).reasons += 1;
    }
  }

  #admitted({ link, lane, n }: FactOf<'judged'>): void {
    const view = this.#world.sessions.view(link);
    const qos = view.lanes.get(lane)?.qos ?? 1;
    const seen = this.#lane(laneName(link.party, lane, view.epoch));
    seen.admitted.set(n, { qos, reasons: seen.reasons });
  }

  #landed({ header, device, before }: Entry): void {
    if (header.kind !== RECORD.frame && header.kind !== RECORD.stub) return;
    const { lane, epoch, n, lost, uncertain } = header;
    const seen = this.#lane(laneName(device, lane, epoch));
    const { qos, reasons } = seen.admitted.get(n) ?? { qos: 1, reasons: seen.reasons };
    const where = `record ${n} of lane ${lane}, epoch ${epoch},`;
    if (uncertain && reasons <= seen.settled) {
      this.#blame(`${where} is uncertain, and everything was known of its lane`, device);
    }
    if (qos > 0 && seen.wasQos0 && !uncertain) {
      this.#blame(`${where} follows QoS 0 and is not marked uncertain`, device);
    }
    const expected = qos === 0 || uncertain ? 0 : n - 1 - before;
    if (lost !== expected) {
      this.#blame(`${where} says lost ${lost}; the record before it is ${before}`, device);
    }
    seen.wasQos0 = qos === 0;
    if (uncertain && qos > 0) seen.settled = Math.max(seen.settled, reasons);
  }

  #lane(name: string): Lane {
    const found = this.#lanes.get(name);
    if (found) return found;
    const lane: Lane = { wasQos0: false, reasons: 0, settled: 0, admitted: new Map() };
    this.#lanes.set(name, lane);
    return lane;
  }
}

export const lossesAreRecorded: MakeChecker = (world, blame) => new LossesAreRecorded(world, blame);
