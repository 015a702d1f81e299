/** What a run does. */
export interface Plan {
  readonly log: 'kafka' | 'file';
  readonly seed: number;
  readonly faults: number;
  /** kill -9 of the gateway. */
  readonly kills: number;
  /** kill -9 of a broker, which comes back after some seconds. */
  readonly brokerKills: number;
  /** A second gateway takes the log over, and loses it again. */
  readonly takeovers: number;
  /** The run takes at least so long. */
  readonly seconds: number;
  readonly devices: number;
  /** Frames per second and device. */
  readonly rate: number;
  readonly shards: number;
  readonly brokers: 1 | 3;
  /** What the run wrote is kept even if all was good. */
  readonly isKept: boolean;
  /** Where `src` of the gateway is: the repository, or a changed copy. */
  readonly root: string;
  /** A running cluster; empty: the run starts its own. */
  readonly bootstrap: readonly string[];
  /** Told a line about what happens. */
  readonly say: (line: string) => void;
}

/** What a run came to. */
export interface Outcome {
  readonly kills: number;
  readonly acked: number;
  readonly missing: readonly string[];
  readonly wrong: readonly string[];
  /** What else was not as it should be: devices that were not served, gateways that ended. */
  readonly problems: readonly string[];
  /** Lines of the table: name and figure. */
  readonly figures: readonly (readonly [name: string, figure: string | number])[];
}

/** Nothing is wrong. */
export const isGood = ({ missing, wrong, problems }: Outcome): boolean =>
  missing.length + wrong.length + problems.length === 0;

/** The middle and the largest of some times, for the table. Units: ms. */
export function spreadOf(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  if (sorted.length === 0) return 'none';
  const p50 = sorted[sorted.length >> 1] ?? 0;
  const most = sorted.at(-1) ?? 0;
  return `${sorted.length}, p50 ${Math.round(p50)} ms, max ${Math.round(most)} ms`;
}
