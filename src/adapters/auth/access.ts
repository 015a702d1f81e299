import type { KeyObject } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Breach, breach } from '../../model/errors.ts';
import { type Identity, openIdentity } from '../../model/identity.ts';
import { BadTokenLimit } from './bad-token-limit.ts';
import { TokenVerifier } from './token-verifier.ts';

/** What became of the tokens that were shown. Plain fields. */
export interface TokenCounts {
  /** Found good by their signature. */
  readonly verified: number;
  /** Known to be good from before. */
  readonly known: number;
  /** Refused, by code. */
  readonly refused: ReadonlyMap<number, number>;
}

/** How peers show who they are: not at all, or by tokens. */
export interface Access {
  /** Open mode: nobody needs a credential, and a token is the device path. */
  readonly isOpen: boolean;
  readonly counts: TokenCounts;
  /**
   * Who a token stands for. `address`: who shows it.
   * Rejects: 4003 bad, 4004 useless whoever asks, 4101 too many bad ones from there.
   */
  verify(token: string, address: string): Promise<Identity | Breach>;
}

/** Open mode. Source: PROTOCOL §2.1. */
export function openAccess(): Access {
  const bad = breach(4003, 'in open mode the token is the device path, and this one is no path');
  return {
    isOpen: true,
    counts: { verified: 0, known: 0, refused: new Map() },
    verify: (token) => Promise.resolve(openIdentity(token) ?? bad),
  };
}

/** What access by tokens is made of. */
export interface TokenAccessOptions {
  readonly secret: KeyObject;
  /** Wall clock, for the times in tokens. */
  readonly wallMs: () => number;
  /** Monotonic, for the limit. */
  readonly monoMs: () => number;
}

/** Access by HS256 tokens. */
export class TokenAccess implements Access {
  readonly isOpen = false;
  readonly counts = { verified: 0, known: 0, refused: new Map<number, number>() };
  readonly #verifier: TokenVerifier;
  readonly #limit = new BadTokenLimit();
  readonly #monoMs: () => number;

  constructor({ secret, wallMs, monoMs }: TokenAccessOptions) {
    this.#verifier = new TokenVerifier(secret, wallMs);
    this.#monoMs = monoMs;
  }

  async verify(token: string, address: string): Promise<Identity | Breach> {
    const known = this.#verifier.known(token);
    if (known !== undefined) {
      this.counts.known += 1;
      return known;
    }
    if (this.#limit.isSlowed(address, this.#monoMs())) {
      return this.#refused(breach(4101, 'too many bad tokens from this address'));
    }
    const verdict = await this.#verifier.verify(token);
    if (!('code' in verdict)) {
      this.counts.verified += 1;
      return verdict;
    }
    this.#limit.count(address, this.#monoMs());
    return this.#refused(verdict);
  }

  #refused(why: Breach): Breach {
    const { refused } = this.counts;
    refused.set(why.code, (refused.get(why.code) ?? 0) + 1);
    return why;
  }
}

/** Who stands behind `Authorization: Bearer`; null without such a header. */
export function identify(
  access: Access,
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
): Promise<Identity | Breach | null> {
  const { authorization } = headers;
  if (authorization === undefined) return Promise.resolve(null);
  const token = /^Bearer +(.*)$/i.exec(authorization)?.[1]?.trim() ?? '';
  return access.verify(token, socket.remoteAddress ?? '');
}
