import type { Config } from '../../src/config/config.ts';
import { ConfigFaults } from '../../src/config/faults.ts';
import { loadConfig } from '../../src/config/load.ts';

/** What a configuration is made of, in a test. */
export interface GivenConfig {
  readonly flags?: Record<string, string>;
  readonly env?: Record<string, string>;
  /** Files that exist, by name. */
  readonly files?: Record<string, string>;
  readonly hostname?: string;
}

/** Text as a file holds it. */
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The effective configuration. */
export const load = ({
  flags = {},
  env = {},
  files = {},
  hostname = 'host',
}: GivenConfig): Config => {
  const readFile = (name: string): Uint8Array | null =>
    files[name] === undefined ? null : bytesOf(files[name]);
  return loadConfig({ flags, env, hostname, readFile });
};

/** The faults as lines, or none. */
export function faultsOf(given: GivenConfig): string[] {
  try {
    load(given);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigFaults)) throw error;
    return error.faults.map(({ where, message }) => `${where}: ${message}`);
  }
}
