import type { KeyObject } from 'node:crypto';
import { readSecret } from '../adapters/auth/secret.ts';
import type { Read } from './values.ts';

/** How peers show who they are: by HS256 tokens. */
export interface Auth {
  readonly secretFile: string;
  /** What the file holds. Guarantee: prints as nothing. */
  readonly secret: KeyObject;
}

/** The bytes of a file, or null if there is none. May throw. */
export type ReadFile = (name: string) => Uint8Array | null;

/**
 * Reads the secret that a file holds.
 * Guarantee: what is wrong is told without the name and without anything of what is in the file:
 * who writes the secret where the name belongs must not find it in the log.
 */
export function readAuth(secretFile: string, readFile: ReadFile): Read<Auth> {
  let file: Uint8Array | null;
  try {
    file = readFile(secretFile);
  } catch (error) {
    const { code = 'an error' } = error as NodeJS.ErrnoException;
    return { problem: `the file that is named here cannot be read (${code})` };
  }
  if (file === null) return { problem: 'there is no file of the name that stands here' };
  const secret = readSecret(file);
  if ('problem' in secret) return { problem: `the file is no secret: ${secret.problem}` };
  return { value: { secretFile, secret } };
}
