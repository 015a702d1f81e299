import { FRAME_BYTES_MAX } from '../../../src/model/limits.ts';
import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { Entry } from '../truth.ts';
import type { World } from '../world.ts';

const COST = 64;

/** Two largest frames. */
const windowOf = (lane: number): number => 2 * ((FRAME_BYTES_MAX[lane] ?? 0) + COST);

/**
 * C3: what a gateway has admitted on lane 0 of a device and what is not in the log yet costs at most
 * its window, whatever connections it came by; the windows of the others follow what is used, and
 * begin with two largest frames, less what is in the pipeline.
 * C4: what all of them are promised stays in the budget, and so does what is not in the log.
 */
class UnsettledBound implements Checker {
  readonly name = 'C3 C4 unsettled within the window';
  readonly kinds = ['told', 'judged', 'landed', 'stepped'] as const;
  readonly #world: World;
  readonly #blame: Blame;
  /** Cost that is not in the log, by owner, device and lane. */
  readonly #unsettled = new Map<string, number>();
  /** The same over all devices, by owner. */
  readonly #sums = new Map<string, number>();
  /** Cost of each frame that is not in the log, by owner and identity. */
  readonly #costs = new Map<string, number>();

  constructor(world: World, blame: Blame) {
    this.#world = world;
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'told') this.#told(fact);
    else if (fact.kind === 'judged' && fact.fate === 'admitted') this.#admitted(fact);
    else if (fact.kind === 'landed' && fact.entry.isValid) this.#landed(fact.entry);
    else if (fact.kind === 'stepped' && fact.input.kind !== 'record') this.#stepped(fact);
  }

  /** A lane begins with two largest frames at most, what earlier connections left among them. */
  #told({ link, message }: FactOf<'told'>): void {
    if (message.k !== 'welcome' || !link.isDevice) return;
    const { node } = this.#world.sessions.view(link);
    for (const [lane, , lim] of message.f ?? []) {
      const unsettled = this.#unsettled.get(`${node.owner} ${link.party} ${lane}`) ?? 0;
      const window = windowOf(lane);
      if (lim + unsettled <= window) continue;
      this.#blame(`lane ${lane}: ${lim} granted, ${unsettled} unsettled of ${window}`, link.party);
    }
  }

  #admitted({ link, lane, n, bytes }: FactOf<'judged'>): void {
    const { node, epoch, lanes } = this.#world.sessions.view(link);
    const view = lanes.get(lane);
    if (!view || view.qos === 0) return;
    const name = `${node.owner} ${link.party} ${lane}`;
    this.#costs.set(`${name} ${epoch} ${n}`, bytes + COST);
    const unsettled = (this.#unsettled.get(name) ?? 0) + bytes + COST;
    this.#unsettled.set(name, unsettled);
    this.#sums.set(node.owner, (this.#sums.get(node.owner) ?? 0) + bytes + COST);
    const sum = this.#sums.get(node.owner) ?? 0;
    if (sum > node.budgetBytes) this.#blame(`${node.name} holds ${sum} of ${node.budgetBytes}`);
    const window = windowOf(lane);
    if (lane > 0 || unsettled <= window) return;
    this.#blame(`lane ${lane}: ${unsettled} unsettled, the window is ${window}`, link.party);
  }

  #landed({ owner, device, header }: Entry): void {
    const name = `${owner} ${device} ${header.lane}`;
    const frame = `${name} ${header.epoch} ${header.n}`;
    const cost = this.#costs.get(frame);
    if (cost === undefined) return;
    this.#costs.delete(frame);
    this.#sums.set(owner, (this.#sums.get(owner) ?? 0) - cost);
    this.#unsettled.set(name, (this.#unsettled.get(name) ?? 0) - cost);
  }

  #stepped({ node }: FactOf<'stepped'>): void {
    const { ingest } = node.gateway;
    const promised = ingest.credit.promisedBytes;
    if (promised <= node.budgetBytes) return;
    this.#blame(`${node.name} has promised ${promised} of a budget of ${node.budgetBytes}`);
  }
}

export const unsettledBound: MakeChecker = (world, blame) => new UnsettledBound(world, blame);
