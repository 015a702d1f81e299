import type { Read } from './values.ts';

/** The bytes of a file, or null if there is none. May throw. */
export type ReadFile = (name: string) => Uint8Array | null;

/**
 * Reads a file that a setting names.
 * Guarantee: what is wrong is told without the name: who writes a secret where the name of its file
 * belongs must not find it in the log.
 */
export function readNamed(name: string, readFile: ReadFile): Read<Uint8Array> {
  try {
    const value = readFile(name);
    return value ? { value } : { problem: 'there is no file of the name that stands here' };
  } catch (error) {
    const { code = 'an error' } = error as NodeJS.ErrnoException;
    return { problem: `the file that is named here cannot be read (${code})` };
  }
}
