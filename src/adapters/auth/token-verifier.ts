import { createHash, type KeyObject } from 'node:crypto';
import { type CryptoKey, errors, type JWTVerifyOptions, jwtVerify } from 'jose';
import { type Breach, breach } from '../../model/errors.ts';
import type { Identity } from '../../model/identity.ts';
import { TOKEN_BYTES_MAX, TOKEN_SKEW_S_MAX, VERIFIED_TOKENS_MAX } from '../../model/limits.ts';
import { identityOf } from './claims.ts';

/** The one algorithm: a token that names another, or none, is bad whatever its signature. */
export const ALGORITHM = 'HS256';

/** The secret in the form in which jose uses it without importing it each time. */
export const hmacKey = (secret: KeyObject, usage: 'sign' | 'verify'): CryptoKey =>
  secret.toCryptoKey({ name: 'HMAC', hash: 'SHA-256' }, false, [usage]);

/**
 * Says who a token stands for. Good ones are remembered until they expire, by their digest: after an
 * outage every device comes back with the token it had.
 * Bounds: `knownMax` identities; no token is kept.
 */
export class TokenVerifier {
  readonly #key: CryptoKey;
  readonly #nowMs: () => number;
  readonly #knownMax: number;
  readonly #known = new Map<string, Identity>();

  constructor(secret: KeyObject, nowMs: () => number, knownMax = VERIFIED_TOKENS_MAX) {
    this.#key = hmacKey(secret, 'verify');
    this.#nowMs = nowMs;
    this.#knownMax = knownMax;
  }

  /** Who a token stands for that was found good before. */
  known(token: string): Identity | undefined {
    if (token.length > TOKEN_BYTES_MAX) return undefined;
    const digest = digestOf(token);
    const identity = this.#known.get(digest);
    if (identity === undefined || identity.expiresUs > this.#nowMs() * 1000) return identity;
    this.#known.delete(digest);
    return undefined;
  }

  /**
   * Checks signature, times and claims. Rejects: 4003, and 4004 as `identityOf` says; the sentence
   * repeats nothing of the token. Guarantee: never rejects the promise, whatever the token is.
   */
  async verify(token: string): Promise<Identity | Breach> {
    if (token.length > TOKEN_BYTES_MAX) {
      return breach(4003, `a token has at most ${TOKEN_BYTES_MAX} bytes`);
    }
    const nowMs = this.#nowMs();
    const options: JWTVerifyOptions = {
      algorithms: [ALGORITHM],
      requiredClaims: ['sub', 'exp'],
      // For `nbf` only: `identityOf` grants no time beyond `exp`.
      clockTolerance: TOKEN_SKEW_S_MAX,
      currentDate: new Date(nowMs),
    };
    const verified = await jwtVerify(token, this.#key, options).catch(badToken);
    if ('code' in verified) return verified;
    const identity = identityOf(verified.payload, nowMs);
    if (!('code' in identity)) this.#remember(token, identity);
    return identity;
  }

  #remember(token: string, identity: Identity): void {
    if (this.#known.size >= this.#knownMax) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(digestOf(token), identity);
  }
}

const digestOf = (token: string): string => createHash('sha256').update(token).digest('base64');

/** What jose says of a token in our words: its own may quote what the peer sent. */
function badToken(error: unknown): Breach {
  if (error instanceof errors.JWTExpired) return breach(4003, 'the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const isMissing = error.reason === 'missing';
    if (isMissing) return breach(4003, 'the token lacks sub or exp');
    return breach(4003, 'the token is not valid yet, or a claim has the wrong form');
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return breach(4003, `tokens are signed with ${ALGORITHM} here`);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return breach(4003, 'the token was not signed with the secret of this gateway');
  }
  return breach(4003, 'this is no token: a JWT in its compact form is expected');
}
