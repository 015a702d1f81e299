import { RECORD } from '../../../src/model/record.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { SimNode } from '../node.ts';
import type { World } from '../world.ts';

/**
 * The ledger: at any moment every frame received is settled, in flight, or was refused by closing;
 * every durable reading was aggregated, is counted as something else, or is not read yet; and in the end what was
 * settled as durable, and counted as lost, is what stands in the log.
 */
class Conservation implements Checker {
  readonly name = 'conservation';
  readonly kinds = ['judged', 'stepped', 'calm'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  /** Frames that reached a gateway and were not ignored. */
  readonly #received = new Map<SimNode, number>();

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'judged' && fact.fate !== 'ignored') this.#judged(fact);
    else if (fact.kind === 'stepped' && fact.input.kind !== 'record') this.#addUp(fact.node);
    else if (fact.kind === 'calm') for (const node of this.#world.running) this.#compare(node);
  }

  #judged({ link }: FactOf<'judged'>): void {
    const node = link.server as SimNode;
    const received = (this.#received.get(node) ?? 0) + 1;
    this.#received.set(node, received);
  }

  #addUp({ name, isOwner, gateway }: SimNode): void {
    const { ledger } = gateway.ingest;
    const settled = ledger.durable + ledger.duplicate + ledger.rejected + ledger.dropped;
    let closed = 0;
    for (const count of ledger.closed.values()) closed += count;
    if (ledger.received !== settled + ledger.inFlight + closed) {
      const parts = `${settled} settled, ${ledger.inFlight} in flight, ${closed} closed`;
      this.#blame(`${name}: ${ledger.received} received, but ${parts}`);
    }
    const { aggregated, late, future, excluded, refused } = gateway.aggregation.counters;
    const read = aggregated + late + future + excluded + refused;
    const { unreadReadings } = gateway.delivery;
    if (isOwner && ledger.readingsDurable !== read + unreadReadings) {
      const parts = `${read} accounted for, ${unreadReadings} not yet read`;
      this.#blame(`${name}: ${ledger.readingsDurable} readings durable, ${parts}`);
    }
  }

  #compare(node: SimNode): void {
    const { ledger } = node.gateway.ingest;
    if (!this.#world.truth.isOwner(node.owner, this.#world.plan.shards)) return;
    if (ledger.received < (this.#received.get(node) ?? 0)) {
      this.#blame(`${node.name} lost count of frames it received`);
    }
    let logged = 0;
    let lost = 0;
    for (const { isValid, owner, header } of this.#world.truth.entries) {
      if (!isValid || owner !== node.owner) continue;
      if (header.kind !== RECORD.frame && header.kind !== RECORD.stub) continue;
      logged += 1;
      lost += header.lost;
    }
    const settled = ledger.durable + ledger.rejected;
    if (ledger.inFlight !== 0 || logged !== settled) {
      const counts = `${settled} settled and ${ledger.inFlight} in flight`;
      this.#blame(`${node.name}: ${counts}, but the log has ${logged} of its frames`);
    }
    const counted = ledger.lost.reduce((sum, each) => sum + each, 0);
    if (counted !== lost) {
      this.#blame(`${node.name}: counts ${counted} numbers as lost, but its records say ${lost}`);
    }
  }
}

export const conservation: MakeChecker = (world, blame) => new Conservation(world, blame);
