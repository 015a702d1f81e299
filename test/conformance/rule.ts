import { expect, test } from 'vitest';
import { KNOWN_FAULTS } from './known-faults.ts';
import { MANNERS } from './peer.ts';

/** Both codecs over a WebSocket: for whatever the codec may matter. */
export const CODECS = ['cbor', 'json'] as const;
export const CBOR = ['cbor'] as const;
export const JSON_TEXT = ['json'] as const;
/** HTTP without an upgrade, and the upgrade itself. */
export const HTTP = ['http'] as const;
/** The real core under virtual time: for what takes seconds to days, or a clock in hand. */
export const CORE = ['core'] as const;
/** The repository's own client, for rules that bind clients. */
export const CLIENT = ['client'] as const;
/** The repository's own reader of logs, for rules that bind readers. */
export const READER = ['reader'] as const;

/** Where a row runs. */
export type Where = 'cbor' | 'json' | 'http' | 'core' | 'client' | 'reader';

/** Longest time of a row that waits for nothing but messages. Units: ms. */
const ROW_MS_MAX = 20_000;

/**
 * A row of the table: what the ids ask for, where it is seen, and how. `ids` are separated by
 * spaces. A row of `known-faults.ts` has to fail, so that nobody forgets it there.
 */
export function rule<Place extends Where>(
  ids: string,
  what: string,
  where: readonly Place[],
  run: (place: Place) => void | Promise<void>,
): void {
  const marks = ids.split(' ').map((id) => `[${id}]`);
  const isKnown = what in KNOWN_FAULTS;
  for (const place of where) {
    const title = `${marks.join(' ')} ${place}: ${what}${isKnown ? ' (known fault)' : ''}`;
    const body = async (): Promise<void> => {
      MANNERS.length = 0;
      await run(place);
      expect(MANNERS, 'what the server sent besides').toEqual([]);
    };
    (isKnown ? test.fails : test)(title, body, ROW_MS_MAX);
  }
}
