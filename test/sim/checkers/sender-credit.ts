import type { Blame, Checker, MakeChecker } from '../checker.ts';
import type { Fact, FactOf } from '../facts.ts';
import type { Link } from '../network.ts';

const COST = 64;

/** What a sender has sent on a channel of a connection, and how far it may go. */
interface Channel {
  sent: number;
  lim: number;
}

/**
 * C1: no sender sends beyond the limit that it was told: devices towards gateways, and gateways
 * towards dashboards. Both count from 0 on every connection.
 */
class SenderCredit implements Checker {
  readonly name = 'C1 sent within the limit';
  readonly kinds = ['heard', 'sent', 'arrived', 'told'] as const;
  readonly #blame: Blame;
  readonly #channels = new Map<Link, Map<number, Channel>>();

  constructor(blame: Blame) {
    this.#blame = blame;
  }

  see(fact: Fact): void {
    if (fact.kind === 'heard' && fact.link.isDevice) this.#deviceHeard(fact);
    else if (fact.kind === 'sent') this.#sent(fact);
    else if (fact.kind === 'arrived' && !fact.link.isDevice) this.#dashboardSaid(fact);
    else if (fact.kind === 'told' && !fact.link.isDevice) this.#toldDashboard(fact);
  }

  #deviceHeard({ link, message }: FactOf<'heard'>): void {
    if (message.k !== 'welcome' && message.k !== 'flow') return;
    for (const [c, , lim] of message.f ?? []) this.#raise(link, c, lim);
  }

  #sent({ link, frame }: FactOf<'sent'>): void {
    this.#send(link, frame.lane, frame.bytes + COST);
  }

  #dashboardSaid({ link, message }: FactOf<'arrived'>): void {
    if (message.k === 'sub') this.#raise(link, message.c, message.lim ?? Number.POSITIVE_INFINITY);
    if (message.k === 'flow') for (const [c, , lim] of message.f) this.#raise(link, c, lim);
  }

  #toldDashboard({ link, message, bytes }: FactOf<'told'>): void {
    if (message.k === 'data' || message.k === 'def') this.#send(link, message.c, bytes + COST);
  }

  #raise(link: Link, c: number, lim: number): void {
    const channel = this.#channel(link, c);
    channel.lim = Math.max(channel.lim, lim);
  }

  #send(link: Link, c: number, cost: number): void {
    const channel = this.#channel(link, c);
    channel.sent += cost;
    if (channel.sent <= channel.lim) return;
    this.#blame(`channel ${c}: ${channel.sent} sent, the limit is ${channel.lim}`, link.party);
  }

  #channel(link: Link, c: number): Channel {
    const channels = this.#channels.get(link) ?? new Map<number, Channel>();
    this.#channels.set(link, channels);
    const channel = channels.get(c) ?? { sent: 0, lim: 0 };
    channels.set(c, channel);
    return channel;
  }
}

export const senderCredit: MakeChecker = (_world, blame) => new SenderCredit(blame);
