/**
 * The three classes of a device's readings, with the numbers of `cl` on the wire and in marks.
 * Event time and results are per (device, class). Source: PROTOCOL §1, §3.4.
 */
export const CLASS = { live: 0, backfill: 1, critical: 2 } as const;
/** Number of a class. */
export type ClassId = (typeof CLASS)[keyof typeof CLASS];
/** Class names by number, as results spell them. */
export const CLASS_NAMES = ['live', 'backfill', 'critical'] as const;

/** Lane numbers. A lower number is a higher priority. Source: PROTOCOL §1. */
export const LANE = { critical: 0, live: 1, backfill: 2, source: 3 } as const;
/** How many lanes exist. */
export const LANES = 4;

/** The class of a lane's readings, by lane number. Source: [R1-6]. */
export const CLASS_OF_LANE: readonly ClassId[] = [
  CLASS.critical,
  CLASS.live,
  CLASS.backfill,
  CLASS.live,
];

/** One column of a set: what a series is called and how raw values become physical ones. */
export interface Column {
  readonly name: string;
  /** Empty text when there is none. */
  readonly unit: string;
  /** physical = raw × scale + offset, in float64. */
  readonly scale: number;
  readonly offset: number;
}

/** A set definition without its session: what the schema log keeps. Source: PROTOCOL App. D. */
export interface Schema {
  /** Sub-path under the device's own path; empty text when absent. */
  readonly of: string;
  readonly columns: readonly Column[];
  /** Shape: 16 bytes, the start of SHA-256 over `bytes`. */
  readonly hash: Uint8Array;
  /** Deterministic CBOR of `[of, [+ [name, unit, scale, offset]]]`. */
  readonly bytes: Uint8Array;
}

/** The topic of a series: device path [+ `/` + of] + `/` + name. Source: [R2.2-3]. */
export const topicOf = (device: string, of: string, name: string): string =>
  of === '' ? `${device}/${name}` : `${device}/${of}/${name}`;
