import { createSecretKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Grant, TokenMint } from '../../src/adapters/auth/token-mint.ts';
import { type RunningGateway, startGateway, temporaryDirectory } from './gateway-process.ts';

/** The secret of every gateway here, and of none out there. */
export const SECRET = 'only for the tests of tidegate, 0123456789';

/** A configuration file with its secret, in a directory of its own. */
export interface SecuredPlace {
  readonly directory: string;
  readonly config: string;
  readonly secretFile: string;
}

/** Writes a configuration that asks for tokens. */
export function securedPlace(secret = SECRET): SecuredPlace {
  const directory = temporaryDirectory();
  const secretFile = join(directory, 'secret');
  const config = join(directory, 'tidegate.yaml');
  writeFileSync(secretFile, `${secret}\n`);
  writeFileSync(config, JSON.stringify({ auth: { hs256: { secretFile } } }));
  return { directory, config, secretFile };
}

/** A real gateway that asks for tokens. */
export const startSecured = (place: SecuredPlace): Promise<RunningGateway> =>
  startGateway({ args: ['--config', place.config] });

/** A token with what `grant` says, by default one that allows nothing, good for an hour. */
export function tokenOf(grant: Partial<Grant>, secret = SECRET): Promise<string> {
  const mint = new TokenMint(createSecretKey(Buffer.from(secret)), () => Date.now());
  const nothing = { isPublisher: false, reads: [], isMetricsReader: false };
  return mint.mint({ subject: 'somebody', lifetimeS: 3600, ...nothing, ...grant });
}
