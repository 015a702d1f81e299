import type { KeyObject } from 'node:crypto';
import { readSecret } from '../adapters/auth/secret.ts';
import { type ReadFile, readNamed } from './named-file.ts';
import type { Read } from './values.ts';

/** How peers show who they are: by HS256 tokens. */
export interface Auth {
  readonly secretFile: string;
  /** What the file holds. Guarantee: prints as nothing. */
  readonly secret: KeyObject;
}

/**
 * Reads the secret that a file holds.
 * Guarantee: what is wrong is told without the name and without anything of what is in the file:
 * who writes the secret where the name belongs must not find it in the log.
 */
export function readAuth(secretFile: string, readFile: ReadFile): Read<Auth> {
  const file = readNamed(secretFile, readFile);
  if ('problem' in file) return file;
  const secret = readSecret(file.value);
  if ('problem' in secret) return { problem: `the file is no secret: ${secret.problem}` };
  return { value: { secretFile, secret } };
}
