import type { Config } from '../config/config.ts';
import { SETTINGS, type SettingName } from '../config/settings.ts';
import { CONFIG_HELP, configOf, SERVE_OPTIONS } from './config-options.ts';
import { type HelpPage, printHelp } from './help.ts';
import { parseOptions } from './options.ts';

const OPTIONS = {
  ...SERVE_OPTIONS,
  json: { kind: 'flag', help: 'one JSON object: name → {value, origin}' },
} as const;

const HELP: HelpPage = {
  usage: 'config [options of serve] [--json]',
  summary:
    'Prints the configuration that `tidegate serve` would use with the same options, environment\n' +
    'and file, and where each value came from. Exit 78, with every fault, if it would not start.',
  options: OPTIONS,
  sections: CONFIG_HELP,
};

/** One line of the listing. */
interface Row {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
}

/** `tidegate config`: prints the effective configuration. */
export function config(argv: readonly string[]): number {
  const options = parseOptions(argv, OPTIONS);
  if (options.help) return printHelp(HELP);
  const effective = configOf(options);
  const text = options.values.json ? jsonOf(effective) : tableOf(rowsOf(effective));
  process.stdout.write(`${text}\n`);
  return 0;
}

/** Every setting in the words of the file. Credentials are never shown: `auth` names files. */
const rowsOf = (effective: Config): Row[] =>
  (Object.keys(SETTINGS) as SettingName[]).map((name) => rowOf(effective, name));

function rowOf(effective: Config, name: SettingName): Row {
  const { path, write, otherwise } = SETTINGS[name] as (typeof SETTINGS)['data'];
  const value = write(effective[name] as string);
  const shown = value === '' ? (otherwise ?? '') : value;
  return { name: path ?? name, value: shown, origin: effective.origins[name] };
}

function tableOf(rows: readonly Row[]): string {
  const width = (key: 'name' | 'value'): number => Math.max(...rows.map((row) => row[key].length));
  const [names, values] = [width('name'), width('value')];
  return rows
    .map(({ name, value, origin }) => `${name.padEnd(names)}  ${value.padEnd(values)}  ${origin}`)
    .join('\n');
}

function jsonOf({ origins, auth, ...values }: Config): string {
  const shown = { ...values, auth: auth && { hs256: { secretFile: auth.secretFile } } };
  const entries = Object.entries(shown).map(([name, value]) => {
    const origin = origins[name as SettingName];
    return [name, { value: value as unknown, origin }];
  });
  return JSON.stringify(Object.fromEntries(entries));
}
