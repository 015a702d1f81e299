import { statSync } from 'node:fs';
import type { Config } from '../config/config.ts';

/** Read permission of everybody who is neither the owner nor in the group. */
const OTHERS_READ = 0o004;

/**
 * Whether the file of the secret may be read by every user of the machine. A group may well be meant;
 * Windows has no such bits.
 */
export function isSecretOpen({ auth }: Pick<Config, 'auth'>): boolean {
  if (auth === null || process.platform === 'win32') return false;
  const stats = statSync(auth.secretFile, { throwIfNoEntry: false });
  return stats !== undefined && (stats.mode & OTHERS_READ) !== 0;
}
