import { createHmac, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { TokenMint } from '../../../../src/adapters/auth/token-mint.ts';
import { TokenVerifier } from '../../../../src/adapters/auth/token-verifier.ts';

const secretOf = (fill: number): KeyObject => createSecretKey(Buffer.alloc(32, fill));
const SECRET = secretOf(7);
const START_MS = 1_800_000_000_000;
const GRANT = {
  subject: 'plant1/pump-17',
  isPublisher: true,
  reads: ['plant1/#'],
  isMetricsReader: false,
  lifetimeS: 3600,
};

let nowMs = START_MS;
let verifier: TokenVerifier;
const mint = new TokenMint(SECRET, () => nowMs);

beforeEach(() => {
  nowMs = START_MS;
  verifier = new TokenVerifier(SECRET, () => nowMs);
});

const base64url = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token by hand: any header, any payload, signed with this secret whatever the header says. */
function forged(header: object, payload: object | string, secret = SECRET): string {
  const signed = `${base64url(header)}.${base64url(payload)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const CLAIMS = { sub: 'a/b', scope: 'publish', exp: START_MS / 1000 + 3600 };

test('a token that was minted says who may do what until when', async () => {
  expect(await verifier.verify(await mint.mint(GRANT))).toEqual({
    subject: 'plant1/pump-17',
    isPublisher: true,
    reads: [['plant1', '#']],
    isMetricsReader: false,
    expiresUs: (START_MS / 1000 + 3600) * 1e6,
  });
});

test('the forger of this test would succeed if it knew the right header', async () => {
  expect(await verifier.verify(forged({ alg: 'HS256' }, CLAIMS))).toMatchObject({
    subject: 'a/b',
  });
});

describe('is refused with 4003:', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

  test.each<[string, () => string | Promise<string>, RegExp]>([
    ['nothing', () => '', /no token/],
    ['a device path', () => 'plant1/pump-17', /no token/],
    ['alg none', () => `${base64url({ alg: 'none' })}.${base64url(CLAIMS)}.`, /HS256/],
    ['alg none, signed', () => forged({ alg: 'none' }, CLAIMS), /HS256/],
    ['alg NONE', () => `${base64url({ alg: 'NONE' })}.${base64url(CLAIMS)}.`, /HS256/],
    ['no alg', () => forged({ typ: 'JWT' }, CLAIMS), /no token/],
    ['HS384', () => forged({ alg: 'HS384' }, CLAIMS), /HS256/],
    ['HS512', () => forged({ alg: 'HS512' }, CLAIMS), /HS256/],
    ['RS256 in the header, HMAC as the signature', () => forged({ alg: 'RS256' }, CLAIMS), /HS256/],
    [
      'RS256, truly',
      () => new SignJWT(CLAIMS).setProtectedHeader({ alg: 'RS256' }).sign(rsa.privateKey),
      /HS256/,
    ],
    [
      'signed with a public key as if it were the secret',
      () => {
        const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
        return forged({ alg: 'HS256' }, CLAIMS, createSecretKey(Buffer.from(pem)));
      },
      /not signed with the secret/,
    ],
    [
      'a key of its own in the header',
      () => {
        const jwk = { kty: 'oct', k: secretOf(9).export().toString('base64url') };
        return forged({ alg: 'HS256', jwk }, CLAIMS, secretOf(9));
      },
      /not signed with the secret/,
    ],
    ['another secret', () => forged({ alg: 'HS256' }, CLAIMS, secretOf(8)), /not signed/],
    ['an extension we do not know', () => forged({ alg: 'HS256', crit: ['x'], x: 1 }, CLAIMS), /./],
    [
      'a payload that is not encoded',
      () => forged({ alg: 'HS256', b64: false, crit: ['b64'] }, CLAIMS),
      /./,
    ],
    ['a payload that is no object', () => forged({ alg: 'HS256' }, '[1]'), /no token/],
    ['a payload that is no JSON', () => forged({ alg: 'HS256' }, 'hello'), /no token/],
    ['no exp', () => forged({ alg: 'HS256' }, { ...CLAIMS, exp: undefined }), /lacks sub or exp/],
    ['no sub', () => forged({ alg: 'HS256' }, { ...CLAIMS, sub: undefined }), /lacks sub or exp/],
    ['exp in text', () => forged({ alg: 'HS256' }, { ...CLAIMS, exp: '9e9' }), /wrong form/],
    ['a token longer than 4 KiB', () => 'x'.repeat(4097), /at most 4096 bytes/],
  ])('%s', async (_, make, says) => {
    const token = await make();
    const refused = { code: 4003, message: expect.stringMatching(says) };
    expect(await verifier.verify(token)).toEqual(refused);
    expect(verifier.known(token)).toBeUndefined();
  });

  test('a token of which one character was changed, whichever', async () => {
    const token = await mint.mint(GRANT);
    for (let at = 0; at < token.length - 1; at += 1) {
      if (token[at] === '.') continue;
      const other = token[at] === 'A' ? 'B' : 'A';
      const verdict = await verifier.verify(token.slice(0, at) + other + token.slice(at + 1));
      expect(verdict).toMatchObject({ code: 4003 });
    }
  });
});

test('whatever the token is, it is refused in our own words and never thrown', async () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.base64String(),
    fc.json().map((text) => base64url(text)),
    fc.constantFrom(base64url({ alg: 'HS256' }), base64url(CLAIMS), ''),
  );
  const token = fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.'));
  const words = /^(this is no token|tokens are signed|the token|a token)/;
  await fc.assert(
    fc.asyncProperty(token, async (text) => {
      const verdict = await verifier.verify(text);
      expect(verdict).toMatchObject({ code: 4003, message: expect.stringMatching(words) });
    }),
  );
});

describe('time', () => {
  test('a token is good up to its exp and not a millisecond longer', async () => {
    const token = await mint.mint(GRANT);
    nowMs += 3_600_000 - 1;
    expect(await verifier.verify(token)).toMatchObject({ subject: GRANT.subject });
    nowMs += 1;
    const expired = { code: 4003, message: 'the token has expired' };
    expect(await verifier.verify(token)).toEqual(expired);
    nowMs += 120_000;
    expect(await verifier.verify(token)).toEqual(expired);
  });

  test.each<[number, boolean]>([
    [0, true],
    [60, true],
    [61, false],
  ])('nbf %d s ahead of our clock: good is %s', async (aheadS, isGood) => {
    const token = forged({ alg: 'HS256' }, { ...CLAIMS, nbf: START_MS / 1000 + aheadS });
    expect(!('code' in (await verifier.verify(token)))).toBe(isGood);
  });
});

describe('a good token', () => {
  test('is known from then on, until it expires', async () => {
    const token = await mint.mint(GRANT);
    expect(verifier.known(token)).toBeUndefined();
    const identity = await verifier.verify(token);
    expect(verifier.known(token)).toBe(identity);
    nowMs += 3_599_999;
    expect(verifier.known(token)).toBe(identity);
    nowMs += 1;
    expect(verifier.known(token)).toBeUndefined();
  });

  test('is forgotten when too many others came after it', async () => {
    const small = new TokenVerifier(SECRET, () => nowMs, 2);
    const tokens = [1, 2, 3].map((s) =>
      forged({ alg: 'HS256' }, { ...CLAIMS, exp: CLAIMS.exp + s }),
    );
    for (const token of tokens) await small.verify(token);
    const known = tokens.map((token) => small.known(token)?.expiresUs);
    expect(known).toEqual([undefined, (CLAIMS.exp + 2) * 1e6, (CLAIMS.exp + 3) * 1e6]);
  });
});
