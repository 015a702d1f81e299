import { parseArgs } from 'node:util';
import { ROOT } from './child.ts';
import { runOnFile } from './file-run.ts';
import { KafkaRun } from './kafka-run.ts';
import { MUTANTS, mutantSources } from './mutants.ts';
import { isGood, type Outcome, type Plan } from './plan.ts';

/**
 * `npm run torture`: a real gateway with real devices in seeded bad weather, and then the question
 * whether everything acknowledged can be read exactly once, in order, with the content sent.
 */
const USAGE = `usage: npm run torture -- [options]

  --log kafka|file    the log of the gateway (default kafka)
  --faults N          faults between gateway and broker (default 200; kafka only)
  --kills N           kill -9 of the gateway (default 5)
  --broker-kills N    kill -9 of a broker, back after 5–12 s (default 0; kafka only)
  --takeovers N       a second gateway takes the log over (default 1; kafka only)
  --seconds N         the run takes at least so long (default 0)
  --seed S            default 1
  --devices N         default 40
  --rate N            frames per second and device (default 10)
  --shards N          default 6
  --brokers 1|3       default 1; KAFKA_BROKERS is used if no broker is to be killed
  --keep              journals, logs and records are kept in any case
  --mutant NAME       with a bug: ${Object.keys(MUTANTS).join(', ')}
  --mutants           a short run without a bug, which has to be good, and one with each of the bugs,
                      which have to be found

Last line: N kills, N frames acked, N missing, N out of order (with --mutants: N mutants, N caught).
Ends with 1 if anything is missing or out of order, a device was not served in the end, or a gateway
ended by itself; with --mutants if a bug was not found.
`;

const OPTIONS = {
  log: { type: 'string', default: 'kafka' },
  faults: { type: 'string', default: '200' },
  kills: { type: 'string', default: '5' },
  'broker-kills': { type: 'string', default: '0' },
  takeovers: { type: 'string', default: '1' },
  seconds: { type: 'string', default: '0' },
  seed: { type: 'string', default: '1' },
  devices: { type: 'string', default: '40' },
  rate: { type: 'string', default: '10' },
  shards: { type: 'string', default: '6' },
  brokers: { type: 'string', default: '1' },
  mutant: { type: 'string' },
  mutants: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** A bug is found in a run like this. */
const MUTANT_RUN = { faults: 40, kills: 1, takeovers: 1, brokerKills: 0, seconds: 10, devices: 20 };
const LISTED_MAX = 10;
const EXIT_USAGE = 78;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function planOf(argv: string[]): { plan: Plan; mutant: string | undefined; isAll: boolean } | null {
  const { values } = parseArgs({ args: argv, options: OPTIONS });
  if (values.help) return null;
  const count = (name: Exclude<keyof typeof OPTIONS, 'mutants' | 'keep' | 'help'>): number => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} takes a number`);
    return value;
  };
  const { log } = values;
  if (log !== 'kafka' && log !== 'file') throw new Error('--log takes kafka or file');
  const brokers = count('brokers');
  if (brokers !== 1 && brokers !== 3) throw new Error('--brokers takes 1 or 3');
  const given = process.env['KAFKA_BROKERS'];
  const isOwn = count('broker-kills') > 0 || brokers > 1 || !given;
  const begun = performance.now();
  const plan: Plan = {
    log,
    seed: count('seed'),
    faults: count('faults'),
    kills: count('kills'),
    brokerKills: count('broker-kills'),
    takeovers: count('takeovers'),
    seconds: count('seconds'),
    devices: count('devices'),
    rate: count('rate'),
    shards: count('shards'),
    brokers,
    isKept: values.keep,
    root: ROOT,
    bootstrap: isOwn ? [] : given.split(','),
    say: (line) => print(`${Math.round((performance.now() - begun) / 1000)} s  ${line}`),
  };
  return { plan, mutant: values.mutant, isAll: values.mutants };
}

const run = (plan: Plan): Promise<Outcome> =>
  plan.log === 'file' ? runOnFile(plan) : new KafkaRun(plan).run();

async function runMutant(name: string, plan: Plan): Promise<Outcome> {
  const { root, remove } = mutantSources(name);
  try {
    return await run({ ...plan, root });
  } finally {
    remove();
  }
}

function report({ figures, missing, wrong, problems, kills, acked }: Outcome): void {
  const width = Math.max(...figures.map(([name]) => name.length));
  print('');
  for (const [name, figure] of figures) print(`${name.padEnd(width)}  ${figure}`);
  for (const name of missing.slice(0, LISTED_MAX)) print(`missing: ${name}`);
  for (const sentence of wrong.slice(0, LISTED_MAX)) print(`wrong: ${sentence}`);
  for (const sentence of problems) print(`problem: ${sentence}`);
  const [lost, disorder] = [missing.length, wrong.length];
  print(`${kills} kills, ${acked} frames acked, ${lost} missing, ${disorder} out of order`);
}

/**
 * A bug counts as caught only if the same run without it is good: else whatever is missing may have
 * another cause.
 */
async function runMutants(plan: Plan): Promise<boolean> {
  const short = { ...plan, ...MUTANT_RUN };
  print('control: no bug');
  const control = await run(short);
  report(control);
  const isComparable = isGood(control);
  const rows = [rowOf('control', isComparable ? 'good' : 'NOT GOOD', control)];
  let caught = 0;
  for (const [name, { what }] of Object.entries(MUTANTS)) {
    print(`\n${name}: ${what}`);
    const outcome = await runMutant(name, short);
    report(outcome);
    const isFound = outcome.missing.length + outcome.wrong.length > 0;
    if (isFound && isComparable) caught += 1;
    const verdict = isFound ? 'caught' : 'NOT CAUGHT';
    rows.push(rowOf(name, isComparable ? verdict : 'no verdict', outcome));
  }
  print(`\n${rows.join('\n')}`);
  const count = Object.keys(MUTANTS).length;
  print(`${count} mutants, ${caught} caught`);
  return caught === count;
}

const rowOf = (name: string, verdict: string, { missing, wrong, problems }: Outcome): string =>
  `${name.padEnd(18)} ${verdict.padEnd(11)} ` +
  `${missing.length} missing, ${wrong.length} wrong, ${problems.length} problems`;

async function main(argv: string[]): Promise<number> {
  let given: ReturnType<typeof planOf>;
  try {
    given = planOf(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    return EXIT_USAGE;
  }
  if (!given) {
    print(USAGE);
    return 0;
  }
  const { plan, mutant, isAll } = given;
  if (isAll) return (await runMutants(plan)) ? 0 : 1;
  const outcome = mutant === undefined ? await run(plan) : await runMutant(mutant, plan);
  report(outcome);
  return isGood(outcome) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
