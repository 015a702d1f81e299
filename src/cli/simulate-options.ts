import { readTime, type Span } from '../../simulators/recording.ts';
import { SCENARIO_NAMES, type ScenarioName } from '../../simulators/scenarios.ts';
import { SIGNAL_NAMES, type SignalName } from '../../simulators/signals.ts';
import { AXES_MAX } from '../../simulators/synthetic-source.ts';
import { type Auth, readAuth } from '../config/auth.ts';
import type { Fault } from '../config/faults.ts';
import { type Read, readDuration, readWhole } from '../config/values.ts';
import { COLUMNS_MAX, PATH_BYTES_MAX, ROWS_MAX } from '../model/limits.ts';
import type { Codec } from '../model/machine.ts';
import { didYouMean } from '../model/nearest.ts';
import { isPath } from '../model/pattern.ts';
import { readFile } from './config-options.ts';
import type { Options } from './options.ts';

/** The options of `tidegate simulate`. Source: INTERFACE, simulate. */
export const SIMULATE_OPTIONS = {
  url: {
    kind: 'text',
    shape: 'URL',
    help: 'the gateway',
    otherwise: 'ws://127.0.0.1:8080/v1',
  },
  devices: { kind: 'text', shape: 'N', help: 'how many devices', otherwise: '10' },
  series: { kind: 'text', shape: 'N', help: 'series per device', otherwise: '3' },
  rate: {
    kind: 'text',
    shape: 'R',
    help: 'readings per second and series',
    otherwise: '100; vibration 1000',
  },
  batch: { kind: 'text', shape: 'N', help: 'rows per frame', otherwise: 'those of 0.1 s' },
  signal: {
    kind: 'text',
    shape: 'NAME',
    help: 'what they measure: sine, walk, square, spikes, dropouts, vibration or mix',
    otherwise: 'mix',
  },
  scenario: {
    kind: 'text',
    shape: 'NAME',
    help: 'what they live through, see below',
    otherwise: 'steady',
  },
  lane0: {
    kind: 'text',
    shape: 'F',
    help: 'alarms (frames on lane 0) per second and device',
    otherwise: '0',
  },
  codec: { kind: 'text', shape: 'cbor|json', help: 'how they speak', otherwise: 'cbor' },
  seed: { kind: 'text', shape: 'N', help: 'the same seed gives the same signals', otherwise: '1' },
  duration: {
    kind: 'text',
    shape: 'TIME',
    help: 'such as 30s, 5m or 1h; the last acks may take up to 30 s more',
    otherwise: 'until Ctrl-C, or the end of a replay',
  },
  prefix: { kind: 'text', shape: 'PATH', help: 'devices are PATH/0001 …', otherwise: 'sim' },
  replay: {
    kind: 'list',
    shape: 'FILE …',
    help: 'send these recordings (CSV: timestamp,value; UTC), a device each',
  },
  speedup: { kind: 'text', shape: 'N', help: 'replay N times as fast', otherwise: '1' },
  from: { kind: 'text', shape: 'TIME', help: 'replay rows from this time on: 2014-01-07T01:00' },
  to: { kind: 'text', shape: 'TIME', help: 'replay rows before this time' },
  'secret-file': {
    kind: 'text',
    shape: 'FILE',
    help: 'sign tokens with this secret, for a gateway that asks for them',
  },
  journal: { kind: 'text', shape: 'FILE', help: 'write what was sent and acked, one JSON a line' },
  json: { kind: 'flag', help: 'the summary as one JSON object, the last line on stdout' },
} as const;

/** What to simulate, checked. */
export interface SimulatePlan {
  readonly url: string;
  readonly codec: Codec;
  readonly devices: number;
  readonly series: number;
  readonly rate: number;
  /** Undefined: what comes due within 0.1 s. */
  readonly batch: number | undefined;
  readonly signal: SignalName;
  readonly scenario: ScenarioName;
  readonly alarmRate: number;
  readonly seed: number;
  readonly durationMs: number | undefined;
  readonly prefix: string;
  readonly replay: readonly string[];
  readonly speedup: number;
  readonly span: Span;
  /** Undefined: open mode. */
  readonly auth: Auth | undefined;
  readonly journal: string | undefined;
  readonly json: boolean;
}

type Given = Options<typeof SIMULATE_OPTIONS>;

/** More devices than this do not fit in one process. */
const DEVICES_MAX = 20_000;
/** Readings per second and series, at most. */
export const RATE_MAX = 100_000;
const ALARM_RATE_MAX = 1000;
const SPEEDUP_MAX = 1e9;
const SEED_MAX = 2 ** 32 - 1;
const DEFAULT_RATE = 100;
const VIBRATION_RATE = 1000;

const bad = (problem: string): { readonly problem: string } => ({ problem });

/** Options that mean nothing without the other one. */
const ONLY_WITH_REPLAY = ['speedup', 'from', 'to'] as const;
const NOT_WITH_REPLAY = ['devices', 'series', 'rate', 'signal', 'lane0'] as const;

/** Checks the options; every fault at once. */
export function planOf(given: Given): SimulatePlan | { readonly faults: readonly Fault[] } {
  const reader = new PlanReader(given);
  const plan = reader.read();
  return reader.faults.length > 0 ? { faults: reader.faults } : plan;
}

class PlanReader {
  readonly faults: Fault[];
  readonly #values: Given['values'];

  constructor(given: Given) {
    this.faults = [...given.faults];
    this.#values = given.values;
  }

  read(): SimulatePlan {
    const signal = this.#text('signal', 'mix', readSignal);
    const isVibration = signal === 'vibration';
    this.#checkCompany();
    return {
      url: this.#text('url', SIMULATE_OPTIONS.url.otherwise, readUrl),
      codec: this.#text('codec', 'cbor', readCodec),
      devices: this.#text('devices', '10', (text) => readWhole(text, 1, DEVICES_MAX)),
      series: this.#text('series', '3', (text) =>
        isVibration ? readAxes(text) : readWhole(text, 1, COLUMNS_MAX),
      ),
      rate: this.#text('rate', String(isVibration ? VIBRATION_RATE : DEFAULT_RATE), (text) =>
        readNumber(text, 0, RATE_MAX),
      ),
      batch: this.#optional('batch', (text) => readWhole(text, 1, ROWS_MAX)),
      signal,
      scenario: this.#text('scenario', 'steady', readScenario),
      alarmRate: this.#text('lane0', '0', readAlarmRate),
      seed: this.#text('seed', '1', (text) => readWhole(text, 0, SEED_MAX)),
      durationMs: this.#optional('duration', readDuration),
      prefix: this.#text('prefix', 'sim', readPrefix),
      replay: this.#values.replay,
      speedup: this.#text('speedup', '1', (text) => readNumber(text, 0, SPEEDUP_MAX)),
      span: this.#span(),
      auth: this.#auth(),
      journal: this.#values.journal,
      json: this.#values.json,
    };
  }

  /** As in the configuration, a fault shows nothing of the name. */
  #auth(): Auth | undefined {
    const name = this.#values['secret-file'];
    if (name === undefined) return undefined;
    const read = readAuth(name, readFile);
    if ('value' in read) return read.value;
    this.#fault('--secret-file', read.problem);
    return undefined;
  }

  #span(): Span {
    const fromUs = this.#optional('from', readMoment) ?? Number.NEGATIVE_INFINITY;
    const toUs = this.#optional('to', readMoment) ?? Number.POSITIVE_INFINITY;
    if (fromUs >= toUs) this.#fault('--to', 'must be later than --from');
    return { fromUs, toUs };
  }

  #checkCompany(): void {
    const isReplay = this.#values.replay.length > 0;
    const lonely = isReplay ? NOT_WITH_REPLAY : ONLY_WITH_REPLAY;
    for (const name of lonely) {
      if (this.#values[name] === undefined) continue;
      this.#fault(`--${name}`, isReplay ? 'has no meaning with --replay' : 'needs --replay FILE');
    }
  }

  #text<T>(name: keyof Given['values'], otherwise: string, read: (text: string) => Read<T>): T {
    const text = this.#values[name] ?? otherwise;
    const value = read(String(text));
    if ('value' in value) return value.value;
    this.#fault(`--${name} ${JSON.stringify(text)}`, value.problem);
    // The plan is thrown away: only its faults are looked at.
    return undefined as T;
  }

  #optional<T>(name: keyof Given['values'], read: (text: string) => Read<T>): T | undefined {
    return this.#values[name] === undefined ? undefined : this.#text(name, '', read);
  }

  #fault(where: string, message: string): void {
    this.faults.push({ where, message });
  }
}

function readUrl(text: string): Read<string> {
  const url = URL.parse(text);
  const isGood = url !== null && /^wss?:$/.test(url.protocol) && url.hostname !== '';
  return isGood && url.hash === ''
    ? { value: text }
    : bad('expected a WebSocket address, such as ws://127.0.0.1:8080/v1');
}

const readCodec = (text: string): Read<Codec> =>
  text === 'cbor' || text === 'json' ? { value: text } : bad('expected cbor or json');

function readScenario(text: string): Read<ScenarioName> {
  const value = SCENARIO_NAMES.find((name) => name === text);
  if (value !== undefined) return { value };
  return bad(`expected one of ${SCENARIO_NAMES.join(', ')}${didYouMean(text, SCENARIO_NAMES)}`);
}

function readSignal(text: string): Read<SignalName> {
  const value = SIGNAL_NAMES.find((name) => name === text);
  if (value !== undefined) return { value };
  return bad(`expected one of ${SIGNAL_NAMES.join(', ')}${didYouMean(text, SIGNAL_NAMES)}`);
}

function readAxes(text: string): Read<number> {
  const axes = readWhole(text, 1, AXES_MAX);
  return 'value' in axes ? axes : bad(`an accelerometer has ${AXES_MAX} axes: expected 1, 2 or 3`);
}

function readNumber(text: string, above: number, most: number): Read<number> {
  const value = /^\d+(\.\d+)?(e\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (value > above && value <= most) return { value };
  return bad(`expected a number above ${above}, at most ${most}`);
}

const readAlarmRate = (text: string): Read<number> =>
  text === '0' ? { value: 0 } : readNumber(text, 0, ALARM_RATE_MAX);

function readPrefix(text: string): Read<string> {
  return isPath(`${text}/00001`, PATH_BYTES_MAX)
    ? { value: text }
    : bad('expected a path: levels of letters, digits and . _ ~ -, with / between');
}

function readMoment(text: string): Read<number> {
  const value = readTime(text);
  return Number.isNaN(value) ? bad('expected a UTC time, such as 2014-01-07T01:00') : { value };
}
