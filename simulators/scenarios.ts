import { between, type Random } from './random.ts';
import type { LinkOptions } from './slow-link.ts';
import type { Source } from './source.ts';
import { BurstSource } from './sources/burst-source.ts';
import { LateSource } from './sources/late-source.ts';
import { PoisonSource } from './sources/poison-source.ts';
import { SkewedSource } from './sources/skewed-source.ts';
import type { WeatherOptions } from './weather.ts';

/** What makes a fleet live through something. All parts are optional; none: an ordinary day. */
export interface Scenario {
  /** What happens, for the help text: half a sentence. */
  readonly help: string;
  /** By how much device number `i` (from 0) measures faster than it was asked to. */
  readonly rateTimes?: (i: number) => number;
  /** Changes what a device hands out. */
  readonly wrap?: (source: Source, random: Random) => Source;
  /** The link of a device. */
  readonly link?: LinkOptions;
  readonly weather?: WeatherOptions;
}

/** Devices store for so long and send all of it at once. Units: µs. */
const BURST_US = 10_000_000;
/** The greedy device offers so many times the share of the others. */
const GREED = 100;
/** Clocks are wrong by up to so much, either way. Units: µs. */
const SKEW_US = 3_600_000_000;

/** What a fleet can live through, by name. Source: INTERFACE, simulate. */
export const SCENARIOS = {
  steady: { help: 'an ordinary day' },
  burst: {
    help: 'all devices store their readings for 10 s and send them at the same moment',
    wrap: (source) => new BurstSource(source, BURST_US),
  },
  storm: {
    help: 'every 15 s all connections are cut at once, and everybody comes back',
    weather: { firstMs: 10_000, everyMs: 15_000, awayMs: 0 },
  },
  greedy: {
    help: 'the first device measures 100 times as fast as the others',
    rateTimes: (i) => (i === 0 ? GREED : 1),
  },
  skewed: {
    help: 'the clocks of the devices are wrong by up to an hour, either way',
    wrap: (source, random) =>
      new SkewedSource(source, Math.round(between(random, -SKEW_US, SKEW_US))),
  },
  late: {
    help: 'one frame in ten comes 3 to 60 s late, behind newer ones',
    wrap: (source, random) => new LateSource(source, random),
  },
  poison: {
    help: 'one frame in twenty is such that the gateway has to refuse it',
    wrap: (source) => new PoisonSource(source),
  },
  slow: {
    help: 'every device has a link of 16 KiB/s and a round trip of 600 ms',
    link: { delayMs: 300, bytesPerSecond: 16 * 1024 },
  },
  outage: {
    help: 'after 20 s the network is away for 60 s while the devices measure on, and again every 5 min',
    weather: { firstMs: 20_000, everyMs: 300_000, awayMs: 60_000 },
  },
} as const satisfies Readonly<Record<string, Scenario>>;

/** Name of a scenario. */
export type ScenarioName = keyof typeof SCENARIOS;
/** The names, in the order of the help text. */
export const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[];

/** A scenario by its name. */
export const scenarioOf = (name: ScenarioName): Scenario => SCENARIOS[name];
