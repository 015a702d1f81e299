import { type Grant, TokenMint } from '../adapters/auth/token-mint.ts';
import type { Auth } from '../config/auth.ts';
import { ConfigFaults, type Fault } from '../config/faults.ts';
import { readDuration } from '../config/values.ts';
import { PATH_BYTES_MAX, READ_SCOPES_MAX, TOKEN_BYTES_MAX } from '../model/limits.ts';
import { isPath, parsePattern } from '../model/pattern.ts';
import { CONFIG_FILE, configOf } from './config-options.ts';
import { type HelpPage, printHelp } from './help.ts';
import { type Options, parseOptions } from './options.ts';

const OPTIONS = {
  device: { kind: 'text', shape: 'PATH', help: 'for this device: it may publish as PATH' },
  name: { kind: 'text', shape: 'NAME', help: 'for somebody or something that only reads' },
  read: {
    kind: 'list',
    shape: 'PATTERN …',
    help: "may read the series that match: 'plant1/+/temp', '#'",
  },
  metrics: { kind: 'flag', help: 'may read /metrics' },
  expires: { kind: 'text', shape: 'TIME', help: 'how long it is good for: 12h, 90d' },
  config: CONFIG_FILE,
} as const;

const HELP: HelpPage = {
  usage: 'token (--device PATH | --name NAME) [--read PATTERN …] [--metrics] --expires TIME',
  summary:
    'Prints a token (a JWT), signed with the secret that auth.hs256.secretFile of the configuration\n' +
    'names, the same as for `tidegate serve`. Whoever holds the token may do what it says until it\n' +
    'expires: only another secret takes it back.',
  options: OPTIONS,
  sections: [
    [
      'Where a token goes:',
      'Authorization: Bearer TOKEN     of a WebSocket or of a request for /api or /metrics',
      '"tok" of the first message      where headers cannot be set',
      'the page asks for it            and shows what --read allows',
    ],
    [
      'Examples:',
      'tidegate token --device plant1/pump-17 --expires 90d',
      "tidegate token --name alice --read 'plant1/#' --expires 12h",
      'tidegate token --name prometheus --metrics --expires 365d',
    ],
  ],
};

/** A secret may be changed sooner, a token should not be longer. Units: ms. */
const LIFETIME_MS_MAX = 3650 * 86_400_000;

type Values = Options<typeof OPTIONS>['values'];

/** `tidegate token`: prints a signed token. */
export async function token(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv, OPTIONS);
  if (options.help) return printHelp(HELP);
  const faults: Fault[] = [...options.faults];
  const grant = grantOf(options.values, faults);
  const auth = authOf(options.values, faults);
  if (faults.length > 0 || auth === null) throw new ConfigFaults(faults);
  const signed = await new TokenMint(auth.secret, () => Date.now()).mint(grant);
  if (signed.length > TOKEN_BYTES_MAX) {
    const message = `the token would be longer than ${TOKEN_BYTES_MAX} bytes`;
    throw new ConfigFaults([{ where: '--read', message }]);
  }
  process.stdout.write(`${signed}\n`);
  return 0;
}

/** What the token is to say; where something is wrong it is not used, and there are faults. */
function grantOf(values: Values, faults: Fault[]): Grant {
  const { device, read, metrics } = values;
  const fault = (where: string, message: string): number => faults.push({ where, message });
  const subject = subjectOf(values, fault);
  for (const pattern of read) {
    if (parsePattern(pattern) !== null) continue;
    fault(`--read ${JSON.stringify(pattern)}`, 'expected a pattern, such as plant1/+/temp or #');
  }
  if (read.length > READ_SCOPES_MAX) fault('--read', `at most ${READ_SCOPES_MAX} patterns`);
  if (device === undefined && read.length === 0 && !metrics) {
    fault('--read', 'without --device a token needs --read or --metrics, or it allows nothing');
  }
  return {
    subject,
    isPublisher: device !== undefined,
    reads: read,
    isMetricsReader: metrics,
    lifetimeS: lifetimeOf(values, fault),
  };
}

type Report = (where: string, message: string) => unknown;

function subjectOf({ device, name }: Values, fault: Report): string {
  if ((device === undefined) === (name === undefined)) {
    fault('--device, --name', 'exactly one of them is needed');
  }
  if (device !== undefined && !isPath(device, PATH_BYTES_MAX)) {
    const form = 'expected a device path: levels of letters, digits and . _ ~ -, with / between';
    fault(`--device ${JSON.stringify(device)}`, form);
  }
  if (name !== undefined && !/^[!-~]{1,128}$/.test(name)) {
    fault(`--name ${JSON.stringify(name)}`, 'expected 1 to 128 characters of ASCII, no spaces');
  }
  return device ?? name ?? '';
}

function lifetimeOf({ expires }: Values, fault: Report): number {
  if (expires === undefined) {
    fault('--expires', 'is needed: how long the token is good for, such as 12h or 90d');
    return 0;
  }
  const read = readDuration(expires);
  const where = `--expires ${JSON.stringify(expires)}`;
  if ('problem' in read) fault(where, read.problem);
  else if (read.value < 1000) fault(where, 'expected at least 1s');
  else if (read.value > LIFETIME_MS_MAX) fault(where, 'expected at most 3650d');
  else return Math.floor(read.value / 1000);
  return 0;
}

/**
 * The secret that `serve` would check tokens with. The log does not matter here, so that nobody
 * needs brokers or the files of a cluster to sign a token.
 */
function authOf({ config }: Values, faults: Fault[]): Auth | null {
  try {
    const { auth } = configOf({ values: { config, log: 'memory' }, faults: [] });
    if (auth === null) {
      const message = 'is not configured, so there is no secret to sign with';
      faults.push({ where: 'auth.hs256.secretFile', message });
    }
    return auth;
  } catch (error) {
    if (!(error instanceof ConfigFaults)) throw error;
    faults.push(...error.faults);
    return null;
  }
}
