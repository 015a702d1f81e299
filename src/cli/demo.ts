import type { Fault } from '../config/faults.ts';
import { readWhole } from '../config/values.ts';
import { Child } from './child.ts';
import { configOf, SERVE_OPTIONS } from './config-options.ts';
import { type HelpPage, printHelp } from './help.ts';
import { type OptionSpecs, type Options, parseOptions } from './options.ts';
import { obeySignals } from './signals.ts';

/** More simulated devices than this do not fit in one process. */
const DEVICES_MAX = 20_000;
const DEVICES_DEFAULT = '50';
/** The exit code of `serve` when the port or the directory is taken. */
const EXIT_TAKEN = 69;

const ENDING =
  '\ntidegate demo: the devices wait for their last acks, then the gateway ends. ' +
  'Ctrl-C again ends both at once.\n';

const OPTIONS = {
  devices: {
    kind: 'text',
    shape: 'N',
    help: 'how many devices to simulate',
    otherwise: DEVICES_DEFAULT,
  },
  ...SERVE_OPTIONS,
  log: { ...SERVE_OPTIONS.log, otherwise: 'file' },
  'log-level': { ...SERVE_OPTIONS['log-level'], otherwise: 'warn' },
} as const;

const HELP: HelpPage = {
  usage: 'demo [--devices N] [options of serve]',
  summary:
    'Starts a gateway and devices that send to it, and prints the address of the page to look at.\n' +
    'Ctrl-C ends both: first the devices, then the gateway.',
  options: OPTIONS,
};

/** What the ready line of `serve` tells. Source: INTERFACE, serve. */
interface Ready {
  readonly page: string;
  readonly socket: string;
}

/** `tidegate demo`: a gateway and a fleet of simulated devices, until Ctrl-C. */
export function demo(argv: readonly string[]): number | Promise<number> {
  const options = parseOptions(argv, OPTIONS);
  if (options.help) return printHelp(HELP);
  const devices = options.values.devices ?? DEVICES_DEFAULT;
  return new Demo(planOf(options, devices)).run();
}

/** What the two children are started with. */
interface DemoPlan {
  readonly devices: string;
  readonly serve: readonly string[];
  /** null: open mode. */
  readonly secretFile: string | null;
}

/** Checks everything before anything is started. */
function planOf(options: Options<OptionSpecs>, devices: string): DemoPlan {
  const { devices: _, ...given } = options.values;
  const read = readWhole(devices, 1, DEVICES_MAX);
  const faults: Fault[] = [...options.faults];
  if ('problem' in read) faults.push({ where: `--devices "${devices}"`, message: read.problem });
  // KAFKA_BROKERS is not asked, and a child always gets --log, so that it is not asked there.
  const { KAFKA_BROKERS: _brokers, ...env } = process.env;
  const config = configOf({ ...options, values: given, faults }, env);
  const isQuiet = config.origins.logLevel === 'default';
  const passed = { ...given, log: config.log, 'log-level': isQuiet ? 'warn' : config.logLevel };
  const serve = Object.entries(passed).flatMap(([name, value]) =>
    typeof value === 'string' ? [`--${name}=${value}`] : [],
  );
  return { devices, serve, secretFile: config.auth?.secretFile ?? null };
}

/** Two children and the order in which they live and die. */
class Demo {
  readonly #plan: DemoPlan;
  readonly #children: Child[] = [];
  readonly #interrupted: Promise<'interrupted'>;

  constructor(plan: DemoPlan) {
    this.#plan = plan;
    this.#interrupted = new Promise((resolve) => {
      obeySignals((count) => {
        if (count > 1) return this.#kill();
        process.stderr.write(ENDING);
        resolve('interrupted');
      });
    });
  }

  async run(): Promise<number> {
    const { devices, serve, secretFile } = this.#plan;
    const gateway = this.#start('serve', serve, 'lines');
    const line = await Promise.race([gateway.firstLine(), this.#interrupted]);
    if (line === 'interrupted') return gateway.end('SIGTERM');
    const ready = line === null ? null : parseReady(line);
    if (ready === null) return notReady(await gateway.end('SIGTERM'));
    announce(ready, this.#plan);
    const argv = ['--url', ready.socket, '--devices', devices];
    if (secretFile !== null) argv.push('--secret-file', secretFile);
    const fleet = this.#start('simulate', argv, 'inherit');
    const first = await Promise.race([this.#interrupted, gateway.ended, fleet.ended]);
    const fleetCode = await fleet.end('SIGINT');
    const gatewayCode = await gateway.end('SIGTERM');
    return first === 'interrupted' ? gatewayCode : gatewayCode || fleetCode;
  }

  #start(command: string, argv: readonly string[], stdout: 'inherit' | 'lines'): Child {
    const child = new Child(command, argv, stdout);
    this.#children.push(child);
    return child;
  }

  #kill(): void {
    for (const child of this.#children) void child.end('SIGKILL');
  }
}

function parseReady(line: string): Ready | null {
  const parts = /^tidegate ready (http:\S+) (ws:\S+)/.exec(line);
  return parts === null ? null : { page: parts[1] as string, socket: parts[2] as string };
}

function announce({ page }: Ready, { devices, secretFile }: DemoPlan): void {
  const how = "tidegate token --name me --read '#' --expires 1h";
  const asks = secretFile === null ? '' : `  It asks for a token: ${how}\n`;
  process.stdout.write(
    `\n  The gateway is ready, and ${devices} simulated devices begin to send to it.\n` +
      `  Look at   ${page}/\n${asks}` +
      '  Ctrl-C ends both.\n\n',
  );
}

/** The gateway has said on stderr what is wrong; this says what to do about it here. */
function notReady(code: number): number {
  if (code === EXIT_TAKEN) {
    process.stderr.write(
      'tidegate demo: the port or the data directory is taken, perhaps by a gateway that still ' +
        'runs. Choose others: tidegate demo --listen 127.0.0.1:0 --data ./demo-data\n',
    );
  }
  return code;
}
