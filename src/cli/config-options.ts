import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import type { Fault } from '../config/faults.ts';
import { loadConfig } from '../config/load.ts';
import type { Setting } from '../config/setting.ts';
import { SETTINGS } from '../config/settings.ts';
import type { HelpPage } from './help.ts';
import type { OptionSpec, OptionSpecs } from './options.ts';

type TextSpec = OptionSpec & { readonly kind: 'text' };

/** The option that names the configuration file. */
export const CONFIG_FILE: TextSpec = {
  kind: 'text',
  shape: 'FILE',
  help: 'configuration, YAML or JSON',
  otherwise: './tidegate.yaml if it is there',
};

function flagOf<T>({ shape, help, otherwise, write, fallback }: Setting<T>): TextSpec {
  return { kind: 'text', shape, help, otherwise: otherwise ?? write(fallback) };
}

/** The options that say where the log is: for every command that reads it. */
export const LOG_OPTIONS = {
  log: flagOf(SETTINGS.log),
  data: flagOf(SETTINGS.data),
  'kafka-brokers': flagOf(SETTINGS.kafkaBrokers),
  'kafka-prefix': flagOf(SETTINGS.kafkaPrefix),
  config: CONFIG_FILE,
} as const satisfies OptionSpecs;

/** The options of `serve`. Source: INTERFACE, Configuration. */
export const SERVE_OPTIONS = {
  listen: flagOf(SETTINGS.listen),
  data: flagOf(SETTINGS.data),
  log: flagOf(SETTINGS.log),
  'kafka-brokers': flagOf(SETTINGS.kafkaBrokers),
  'kafka-prefix': flagOf(SETTINGS.kafkaPrefix),
  shards: flagOf(SETTINGS.shards),
  budget: flagOf(SETTINGS.budgetBytes),
  'log-level': flagOf(SETTINGS.logLevel),
  config: CONFIG_FILE,
} as const satisfies OptionSpecs;

/** The help section about variables and the file, the same for every command that is configured. */
export const CONFIG_HELP: NonNullable<HelpPage['sections']> = [
  [
    'The same may stand in the environment or in the file:',
    ...Object.values(SETTINGS).map(placesOf),
  ],
  [
    'Of these a flag counts first, then the environment, then the file:',
    '`tidegate config` shows what is in force and where each value came from. Scripts should pass',
    '--log, because KAFKA_BROKERS in the environment chooses the Kafka log.',
  ],
];

function placesOf({ flag, env, path }: Pick<Setting<unknown>, 'flag' | 'env' | 'path'>): string {
  const left = flag === null ? '(no flag)' : `--${flag}`;
  const variables = env.length === 0 ? '(no variable)' : env.join(' or ');
  return `${left.padEnd(16)} ${variables.padEnd(41)} ${path ?? '(not in the file)'}`;
}

/** Of parsed options, what counts here. */
interface Given {
  readonly values: Readonly<Record<string, unknown>>;
  readonly faults: readonly Fault[];
}

/**
 * The effective configuration for what a command line said.
 * Rejects: throws `ConfigFaults` with the faults of the command line and of everything else.
 */
export function configOf(options: Given, env = process.env): Config {
  const flags: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.values)) {
    if (typeof value === 'string') flags[name] = value;
  }
  const { faults } = options;
  return loadConfig({ flags, faults, env, hostname: hostname(), readFile });
}

/** The bytes of a file, null if there is none; throws if it cannot be read. */
export function readFile(name: string): Uint8Array | null {
  try {
    return readFileSync(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
