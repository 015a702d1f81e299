import type { KeyObject } from 'node:crypto';
import { type CryptoKey, SignJWT } from 'jose';
import { type Scopes, scopeOf } from './claims.ts';
import { ALGORITHM, hmacKey } from './token-verifier.ts';

/** What a token is to say. */
export interface Grant extends Scopes {
  /** Device path or name. */
  readonly subject: string;
  /** How long it is good for. Units: s. */
  readonly lifetimeS: number;
}

/** Signs tokens with the secret that a gateway checks them with. */
export class TokenMint {
  readonly #key: CryptoKey;
  readonly #nowMs: () => number;

  constructor(secret: KeyObject, nowMs: () => number) {
    this.#key = hmacKey(secret, 'sign');
    this.#nowMs = nowMs;
  }

  /** A token for this grant. Shape: a JWT in its compact form. */
  mint(grant: Grant): Promise<string> {
    const issuedS = Math.floor(this.#nowMs() / 1000);
    return new SignJWT({ scope: scopeOf(grant) })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setSubject(grant.subject)
      .setIssuedAt(issuedS)
      .setExpirationTime(issuedS + grant.lifetimeS)
      .sign(this.#key);
  }
}
