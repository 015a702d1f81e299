import { placesIn, readMeta } from '../adapters/log/data-directory.ts';
import { LogReader } from '../adapters/log/log-reader.ts';
import { realFiles } from '../adapters/log/real-files.ts';
import { listSegments } from '../adapters/log/segments.ts';
import { StartError } from '../adapters/log/start-error.ts';
import { verifyLog } from '../adapters/log/verify.ts';
import type { Fault } from '../config/faults.ts';
import { configOf, LOG_OPTIONS } from './config-options.ts';
import { type HelpPage, printHelp } from './help.ts';
import { parseOptions } from './options.ts';

const OPTIONS = { data: LOG_OPTIONS.data, config: LOG_OPTIONS.config } as const;

const HELP: HelpPage = {
  usage: 'log verify|info [--data DIR] [--config FILE]',
  summary:
    'verify reads a whole file log and checks every record; info tells which log it is. Neither\n' +
    'writes anything or takes the lock, so both may run beside a gateway.',
  options: OPTIONS,
  sections: [
    [
      'Exit codes:',
      '0   the log is whole; a torn tail, as a crash leaves it, is no fault and is told',
      '1   the log is damaged: file and byte are told',
      '78  something on the command line, or no log that can be read',
    ],
    ['Examples:', 'tidegate log verify', 'tidegate log info --data /var/lib/tidegate'],
  ],
};

const EXIT_DAMAGED = 1;

const VERBS: Readonly<Record<string, (directory: string) => Promise<string>>> = { verify, info };

/** `tidegate log`: looks after a file log without changing it. */
export async function log(argv: readonly string[]): Promise<number> {
  const [name = '', ...rest] = argv;
  const act = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  const options = parseOptions(act ? rest : argv, OPTIONS);
  if (options.help) return printHelp(HELP);
  const missing: Fault = { where: 'log', message: 'expected verify or info after it' };
  const faults = act ? options.faults : [...options.faults, missing];
  const { data } = configOf({ values: { ...options.values, log: 'file' }, faults });
  try {
    process.stdout.write(`${await act?.(data)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof StartError) || error.place === undefined) throw error;
    process.stderr.write(`tidegate log ${name}: ${error.message}.\n`);
    return EXIT_DAMAGED;
  }
}

async function verify(directory: string): Promise<string> {
  const found = await verifyLog(directory, realFiles);
  const { records, bytes, segments, schemas, deadLetters } = found;
  const torn = found.torn.map(({ path, position }) => `; torn: ${path} byte ${position}`);
  const sum = `${records} records, ${bytes} bytes, ${segments} segments`;
  return `whole: ${sum}, ${schemas} sets, ${deadLetters} rejects${torn.join('')}`;
}

async function info(directory: string): Promise<string> {
  const { shards } = await LogReader.open(directory);
  const meta = await readMeta(realFiles, directory);
  const { length } = await listSegments(realFiles, placesIn(directory).log);
  return `log ${meta?.logId} version ${meta?.version} shards ${shards} segments ${length}`;
}
