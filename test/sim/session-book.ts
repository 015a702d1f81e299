import type { Hello } from '../../src/wire/messages.ts';
import type { Fact, FactOf } from './facts.ts';
import type { Link } from './network.ts';
import type { SimNode } from './node.ts';

/** A lane as it was granted on one connection, and what both sides have told each other of it. */
export interface LaneView {
  readonly lane: number;
  readonly qos: number;
  readonly mf: number;
  /** As `hello` said it. */
  readonly first: number;
  ack: number;
  lim: number;
  /** Cost of the frames that reached the gateway. */
  received: number;
  /** Numbers that the gateway admitted on this connection. */
  readonly admitted: Set<number>;
  /** The last of them; 0: none. */
  lastAdmitted: number;
  /** Contents of the frames sent on this connection, by n. */
  readonly contents: Map<number, number>;
}

/** One connection of a device, as an honest observer of both of its ends would write it down. */
export interface SessionView {
  readonly link: Link;
  readonly node: SimNode;
  hello: Hello | null;
  /** Counts welcomes in the whole world; 0 before. */
  welcomeNo: number;
  epoch: number;
  why: number;
  readonly lanes: Map<number, LaneView>;
  /** The gateway said `away`, or closed. */
  isOver: boolean;
}

/** Keeps the view of every connection that is a device's. */
export class SessionBook {
  readonly #views = new Map<Link, SessionView>();
  #welcomes = 0;

  see(fact: Fact): void {
    if (fact.kind === 'arrived') this.#arrived(fact);
    else if (fact.kind === 'told') this.#told(fact);
    else if (fact.kind === 'judged') this.#judged(fact);
    else if (fact.kind === 'sent') this.#sent(fact);
    else if (fact.kind === 'closed') this.view(fact.link).isOver = true;
  }

  /** The view of a connection, made if need be. */
  view(link: Link): SessionView {
    const found = this.#views.get(link);
    if (found) return found;
    const view: SessionView = {
      link,
      node: link.server as SimNode,
      hello: null,
      welcomeNo: 0,
      epoch: 0,
      why: 0,
      lanes: new Map(),
      isOver: false,
    };
    this.#views.set(link, view);
    return view;
  }

  #arrived({ link, message }: FactOf<'arrived'>): void {
    if (message.k === 'hello') this.view(link).hello = message;
  }

  #told({ link, message }: FactOf<'told'>): void {
    const view = this.view(link);
    if (message.k === 'welcome') {
      this.#welcomes += 1;
      view.welcomeNo = this.#welcomes;
      view.epoch = message.ep ?? 0;
      for (const [lane, qos, mf] of message.ch ?? []) {
        const asked = view.hello?.ch?.find(([c]) => c === lane);
        const first = asked?.[2] ?? 1;
        const start = { ack: 0, lim: 0, received: 0, lastAdmitted: 0 };
        const seen = { admitted: new Set<number>(), contents: new Map<number, number>() };
        view.lanes.set(lane, { lane, qos, mf, first, ...start, ...seen });
      }
    }
    if (message.k !== 'welcome' && message.k !== 'flow') return;
    view.why = message.why ?? view.why;
    for (const [c, ack, lim] of message.f ?? []) {
      const lane = view.lanes.get(c);
      if (lane) Object.assign(lane, { ack, lim });
    }
  }

  #judged({ link, lane, n, bytes, fate }: FactOf<'judged'>): void {
    const view = this.view(link).lanes.get(lane);
    if (!view || fate === 'closed' || fate === 'ignored') return;
    view.received += bytes + 64;
    if (fate !== 'admitted') return;
    view.admitted.add(n);
    view.lastAdmitted = n;
  }

  #sent({ link, frame }: FactOf<'sent'>): void {
    this.view(link).lanes.get(frame.lane)?.contents.set(frame.n, frame.content);
  }
}
