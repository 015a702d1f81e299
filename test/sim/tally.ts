import type { Fact, FactOf } from './facts.ts';
import type { FaultName } from './plan.ts';
import type { SessionBook } from './session-book.ts';

const BACKFILL = 2;

/** How often each kind of fault struck: those done to the world, and those that follow from them. */
export class Tally {
  readonly strikes: Partial<Record<FaultName, number>> = {};
  readonly #sessions: SessionBook;
  /** QoS of the lane's session before, by device, lane and epoch. */
  readonly #qos = new Map<string, number>();

  constructor(sessions: SessionBook) {
    this.#sessions = sessions;
  }

  readonly strike = (name: FaultName): void => {
    this.strikes[name] = (this.strikes[name] ?? 0) + 1;
  };

  see(fact: Fact): void {
    if (fact.kind === 'gone' && fact.why === 'deposed') this.strike('gateway deposed');
    else if (fact.kind === 'judged' && fact.lane === BACKFILL) this.strike('backfill');
    else if (fact.kind === 'told' && fact.message.k === 'welcome') this.#welcomed(fact);
  }

  #welcomed({ link }: FactOf<'told'>): void {
    const { lanes, epoch } = this.#sessions.view(link);
    for (const { lane, qos } of lanes.values()) {
      if (qos === 0) this.strike('qos 0 session');
      const name = `${link.party} ${lane} ${epoch}`;
      const before = this.#qos.get(name);
      if (before !== undefined && before !== qos) this.strike('qos changes in an epoch');
      this.#qos.set(name, qos);
    }
  }
}
