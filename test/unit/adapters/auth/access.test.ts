import { createSecretKey } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { identify, openAccess, TokenAccess } from '../../../../src/adapters/auth/access.ts';
import { readSecret } from '../../../../src/adapters/auth/secret.ts';
import { TokenMint } from '../../../../src/adapters/auth/token-mint.ts';
import { BAD_TOKENS_BURST } from '../../../../src/model/limits.ts';

const SECRET = createSecretKey(Buffer.alloc(32, 7));
const NOW_MS = 1_800_000_000_000;
const mint = new TokenMint(SECRET, () => NOW_MS);
const tokenFor = (subject: string, lifetimeS = 60): Promise<string> =>
  mint.mint({ subject, isPublisher: true, reads: [], isMetricsReader: false, lifetimeS });

let monoMs = 0;
let access: TokenAccess;
beforeEach(() => {
  monoMs = 0;
  access = new TokenAccess({ secret: SECRET, wallMs: () => NOW_MS, monoMs: () => monoMs });
});

const asking = (authorization?: string, remoteAddress = '192.0.2.1') =>
  ({ headers: { authorization }, socket: { remoteAddress } }) as unknown as IncomingMessage;

describe('the Authorization header', () => {
  test('may be absent', async () => {
    expect(await identify(access, asking())).toBeNull();
  });

  test.each(['Bearer ', 'bearer ', 'BEARER   '])('%j and a token', async (scheme) => {
    const identity = await identify(access, asking(scheme + (await tokenFor('a/b'))));
    expect(identity).toMatchObject({ subject: 'a/b', isPublisher: true });
  });

  test.each(['', 'Bearer', 'Bearer ', 'Basic YTpi', 'Token abc'])(
    '%j is a bad credential, not none',
    async (header) => {
      expect(await identify(access, asking(header))).toMatchObject({ code: 4003 });
    },
  );
});

describe('an address with too many bad tokens', () => {
  beforeEach(async () => {
    for (let i = 0; i < BAD_TOKENS_BURST; i += 1) {
      expect(await access.verify(`bad ${i}`, '192.0.2.1')).toMatchObject({ code: 4003 });
    }
  });

  test('has to wait with new ones, good or bad', async () => {
    const token = await tokenFor('a/b');
    expect(await access.verify(token, '192.0.2.1')).toMatchObject({ code: 4101 });
    expect(await access.verify('bad', '192.0.2.1')).toMatchObject({ code: 4101 });
    monoMs += 1000;
    expect(await access.verify(token, '192.0.2.1')).toMatchObject({ subject: 'a/b' });
  });

  test('is no obstacle to a token that is known to be good, nor to other addresses', async () => {
    const token = await tokenFor('a/b');
    expect(await access.verify(token, '192.0.2.2')).toMatchObject({ subject: 'a/b' });
    expect(await access.verify(token, '192.0.2.1')).toMatchObject({ subject: 'a/b' });
  });

  test('shows in the counts', async () => {
    await access.verify('bad', '192.0.2.1');
    expect([...access.counts.refused]).toEqual([
      [4003, BAD_TOKENS_BURST],
      [4101, 1],
    ]);
  });
});

test('good tokens are counted, the second time as known', async () => {
  const token = await tokenFor('a/b');
  await access.verify(token, '192.0.2.1');
  await access.verify(token, '192.0.2.1');
  expect(access.counts).toEqual({ verified: 1, known: 1, refused: new Map() });
});

test('in open mode the token is the device path', async () => {
  const open = openAccess();
  expect(await identify(open, asking('Bearer a/b'))).toMatchObject({ subject: 'a/b' });
  expect(await identify(open, asking('Bearer a//b'))).toMatchObject({ code: 4003 });
  expect(await identify(open, asking())).toBeNull();
});

test.each<[string, number]>([
  ['x'.repeat(32), 32],
  [`${'x'.repeat(32)}\n`, 32],
  [`${'x'.repeat(32)}\r\n`, 32],
  [`${'x'.repeat(32)}\n\n`, 33],
  [`${'x'.repeat(32)}\r`, 33],
])('the secret in %j has %d bytes', (text, bytes) => {
  expect(readSecret(Buffer.from(text))).toMatchObject({ symmetricKeySize: bytes });
});

test.each(['', '\n', 'x'.repeat(31), `${'x'.repeat(31)}\n`, `${'x'.repeat(31)}\r\n`])(
  '%j is no secret',
  (text) => {
    expect(readSecret(Buffer.from(text))).toMatchObject({ problem: expect.any(String) });
  },
);
