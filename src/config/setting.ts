import type { ReadFile } from './named-file.ts';
import type { Read } from './values.ts';

/** One setting: where it may be given, how it is read, what it is without. */
export interface Setting<T> {
  /** Place in the file, with dots; null if it has none. */
  readonly path: string | null;
  /** Flag without `--`; null if it has none. */
  readonly flag: string | null;
  /** What stands behind the flag in the help. */
  readonly shape: string;
  /** Variables; the first that is set counts. */
  readonly env: readonly string[];
  readonly read: (text: string, readFile: ReadFile) => Read<T>;
  /** A fault must not quote it. */
  readonly isSecret?: boolean;
  readonly write: (value: T) => string;
  readonly fallback: T;
  /** For humans, where the default is not simply `fallback`. */
  readonly otherwise?: string;
  readonly help: string;
}
