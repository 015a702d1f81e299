import type { MakeChecker } from '../checker.ts';
import type { Link } from '../network.ts';
import { laneName } from '../truth.ts';

/** L3: a device that was told which frame broke its connection never sends that frame again. */
export const poisonOnce: MakeChecker = (world, blame) => {
  const named = new Set<string>();
  const nameOf = (link: Link, lane: number, n: number): string =>
    `${laneName(link.party, lane, world.sessions.view(link).epoch)} ${n}`;
  return {
    name: 'L3 poison costs one reconnect',
    kinds: ['heard', 'sent'],
    see(fact) {
      if (fact.kind === 'heard' && fact.message.k === 'away') {
        const { c, n } = fact.message;
        if (c !== undefined && n !== undefined) named.add(nameOf(fact.link, c, n));
      } else if (fact.kind === 'sent') {
        const { lane, n } = fact.frame;
        if (!named.has(nameOf(fact.link, lane, n))) return;
        blame(`frame ${n} of lane ${lane} was named by away and is sent again`, fact.link.party);
      }
    },
  };
};
