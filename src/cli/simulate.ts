import { Fleet, type FleetResult } from '../../simulators/fleet.ts';
import { Journal } from '../../simulators/journal.ts';
import { seeded } from '../../simulators/random.ts';
import { RecordingError, readRecording } from '../../simulators/recording.ts';
import { ReplaySource } from '../../simulators/replay-source.ts';
import { jsonReport, summary } from '../../simulators/report.ts';
import { SCENARIO_NAMES, scenarioOf } from '../../simulators/scenarios.ts';
import type { Source } from '../../simulators/source.ts';
import { SyntheticSource } from '../../simulators/synthetic-source.ts';
import { TokenMint } from '../adapters/auth/token-mint.ts';
import { ConfigFaults, type Fault } from '../config/faults.ts';
import { type HelpPage, printHelp } from './help.ts';
import { parseOptions } from './options.ts';
import { obeySignals } from './signals.ts';
import { planOf, RATE_MAX, SIMULATE_OPTIONS, type SimulatePlan } from './simulate-options.ts';
import { versionOf } from './version.ts';

const HELP: HelpPage = {
  usage: 'simulate [options]',
  summary:
    'Devices that measure something and send it to a gateway, as real ones would: they obey its\n' +
    'credit, keep what is not acknowledged, and come back after an outage with all of it.\n' +
    'After the last reading it waits up to 30 s for the last acks, and for a gateway that is away.\n' +
    'Ends with 0 if then nothing is unacked and no device had to stop, else with 1. A frame that the\n' +
    'gateway refuses is settled by that (scenario poison makes such frames), and so is one that was\n' +
    'dropped here and declared lost: the summary counts both, the exit code does not.',
  options: SIMULATE_OPTIONS,
  sections: [
    [
      'Examples:',
      'tidegate simulate                                     10 devices, until Ctrl-C',
      'tidegate simulate --devices 50 --rate 100 --duration 30s',
      'tidegate simulate --signal vibration --rate 5000 --devices 4',
      'tidegate simulate --replay pump.csv --speedup 300     a recording, 300 times as fast',
    ],
    ['Scenarios:', ...SCENARIO_NAMES.map((name) => `${name.padEnd(8)} ${scenarioOf(name).help}`)],
    [
      'In the status:',
      'unacked      frames that were sent and are not yet known to be safe',
      'backlog      what waits for credit, that is for the gateway, or for a connection',
      'credit       what the gateway allows to be sent right now',
      'ack latency  from sending a frame to the message that covers it',
      'blocked      how long devices had readings and no credit, and the last reason they were told',
    ],
  ],
};

/** What rows of 0.1 s make a frame, where nothing else is asked for. Units: s. */
const BATCH_S = 0.1;
/** Rows per frame, at most, where nothing else is asked for. */
const BATCH_MAX = 4096;
const EXIT_UNACKED = 1;
const SECOND_US = 1_000_000;

/** `tidegate simulate`: runs a fleet and returns the exit code. */
export async function simulate(argv: readonly string[]): Promise<number> {
  const given = parseOptions(argv, SIMULATE_OPTIONS);
  if (given.help) return printHelp(HELP);
  const plan = planOf(given);
  if ('faults' in plan) throw new ConfigFaults(plan.faults);
  const result = await run(plan);
  const report = plan.json ? jsonReport(result.view) : summary(result.view, result.elapsedMs);
  process.stdout.write(`${report}\n`);
  return result.isGood ? 0 : EXIT_UNACKED;
}

async function run(plan: SimulatePlan): Promise<FleetResult> {
  const scenario = scenarioOf(plan.scenario);
  const ordinary = plan.replay.length > 0 ? replaySources(plan) : syntheticSources(plan);
  const sources = ordinary.map(
    (source) => scenario.wrap?.(source, seeded(plan.seed, `${source.device} scenario`)) ?? source,
  );
  const { url, codec, durationMs, auth } = plan;
  const journal = openJournal(plan);
  const ua = `tidegate-simulate/${versionOf()}`;
  const mint = auth ? new TokenMint(auth.secret, () => Date.now()) : null;
  const options = { url, codec, sources, durationMs, journal, ua, mint, scenario };
  const fleet = new Fleet(options, process.stderr);
  const ignoreSignals = obeySignals(() => fleet.stop());
  try {
    return await fleet.run();
  } finally {
    ignoreSignals();
  }
}

function openJournal({ journal }: SimulatePlan): Journal | null {
  if (journal === undefined) return null;
  try {
    return new Journal(journal);
  } catch (error) {
    const message = `cannot be written (${(error as NodeJS.ErrnoException).code})`;
    throw new ConfigFaults([{ where: `--journal ${JSON.stringify(journal)}`, message }]);
  }
}

function syntheticSources(plan: SimulatePlan): Source[] {
  const { devices, prefix, rate } = plan;
  const digits = Math.max(4, String(devices).length);
  const { rateTimes } = scenarioOf(plan.scenario);
  const startUs = Date.now() * 1000;
  return Array.from({ length: devices }, (_, i) => {
    const device = `${prefix}/${String(i + 1).padStart(digits, '0')}`;
    const ownRate = Math.min(RATE_MAX, rate * (rateTimes?.(i) ?? 1));
    const batch = plan.batch ?? Math.min(BATCH_MAX, Math.max(1, Math.round(ownRate * BATCH_S)));
    return new SyntheticSource({ ...plan, rate: ownRate, device, batch, startUs });
  });
}

/** All recordings begin at the same whole second, the next one. Source: INTERFACE, simulate. */
function replaySources(plan: SimulatePlan): Source[] {
  const { replay, speedup, batch, span } = plan;
  const faults: Fault[] = [];
  const fault = (file: string, message: string): void => {
    faults.push({ where: `--replay ${JSON.stringify(file)}`, message });
  };
  const recordings = replay.flatMap((file) => {
    try {
      return [readRecording(file, span)];
    } catch (error) {
      if (!(error instanceof RecordingError)) throw error;
      fault(file, error.message);
      return [];
    }
  });
  const devices = new Set(recordings.map(({ device }) => device));
  if (devices.size < recordings.length) fault(replay.join(' '), 'two files of the same name');
  if (faults.length > 0) throw new ConfigFaults(faults);
  const startUs = Math.ceil((Date.now() * 1000) / SECOND_US + BATCH_S) * SECOND_US;
  return recordings.map((recording) => new ReplaySource({ recording, speedup, startUs, batch }));
}
