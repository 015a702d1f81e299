import { StartError } from '../adapters/log/start-error.ts';
import { ConfigFaults } from '../config/faults.ts';
import { didYouMean } from '../model/nearest.ts';
import { aligned } from './help.ts';
import { versionOf } from './version.ts';

/** A command: its arguments, and the exit code it ends with. */
type Command = (argv: readonly string[]) => number | Promise<number>;

interface Entry {
  readonly summary: string;
  /** Loaded when it is needed: `tidegate version` should not load a WebSocket server. */
  readonly load: () => Promise<Command>;
}

/** Exit code for a bug of ours (sysexits' EX_SOFTWARE). */
const EXIT_BUG = 70;
/** Exit code for a fault of the configuration or the command line (EX_CONFIG). */
const EXIT_CONFIG = 78;

const COMMANDS: Readonly<Record<string, Entry>> = {
  serve: {
    summary: 'runs the gateway',
    load: async () => (await import('./serve.ts')).serve,
  },
  simulate: {
    summary: 'devices that send readings to a gateway',
    load: async () => (await import('./simulate.ts')).simulate,
  },
  demo: {
    summary: 'a gateway and 50 simulated devices, to look at',
    load: async () => (await import('./demo.ts')).demo,
  },
  tail: {
    summary: 'prints what is in the log',
    load: async () => (await import('./tail.ts')).tail,
  },
  log: {
    summary: 'checks a file log, or tells what it is',
    load: async () => (await import('./log.ts')).log,
  },
  config: {
    summary: 'prints the configuration that is in force',
    load: async () => (await import('./config.ts')).config,
  },
  token: {
    summary: 'prints a token that lets a device publish or somebody read',
    load: async () => (await import('./token.ts')).token,
  },
  version: { summary: 'prints the version', load: () => Promise.resolve(version) },
};

/** Runs the command that `argv` names and returns its exit code. Never throws. */
export async function run(argv: readonly string[]): Promise<number> {
  const [name = '--help', ...rest] = argv;
  if (name === '--help' || name === '-h' || name === 'help') return help();
  if (name === '--version' || name === '-v') return version();
  try {
    const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (entry === undefined) return unknown(name);
    const command = await entry.load();
    return await command(rest);
  } catch (error) {
    return failed(name, error);
  }
}

/** Tells a human what ended the command, and returns the exit code for it. */
export function failed(name: string, error: unknown): number {
  const say = (text: string): boolean => process.stderr.write(`${text}\n`);
  if (error instanceof ConfigFaults) {
    say(faultText(name, error));
    return error.exitCode;
  }
  if (error instanceof StartError) {
    say(`tidegate ${name}: ${error.message}.`);
    return error.exitCode;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  say(`tidegate ${name}: this is a bug of tidegate, please report it with the lines below.`);
  say(stack);
  return EXIT_BUG;
}

function faultText(name: string, { faults }: ConfigFaults): string {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  return [
    `tidegate ${name}: ${count} on the command line or in the configuration`,
    ...faults.map(({ where, message }) => `  ${where}: ${message}`),
    `\`tidegate ${name} --help\` tells what there is.`,
  ].join('\n');
}

function help(): number {
  const names = Object.entries(COMMANDS);
  const lines = [
    'Usage: tidegate COMMAND [options]',
    '',
    'Tidegate takes readings from devices over WebSocket, makes them durable before it',
    'acknowledges them, and shows them live.',
    '',
    'Commands:',
    ...names.map(([name, { summary }]) => aligned(name, summary)),
    '',
    '`tidegate COMMAND --help` tells more. To begin: `tidegate demo`.',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

function version(): number {
  process.stdout.write(`tidegate ${versionOf()} (node ${process.versions.node})\n`);
  return 0;
}

function unknown(name: string): number {
  const meant = didYouMean(name, Object.keys(COMMANDS));
  process.stderr.write(`tidegate: there is no command ${JSON.stringify(name)}${meant}\n`);
  process.stderr.write(`\`tidegate --help\` lists the commands.\n`);
  return EXIT_CONFIG;
}
