import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { CreditFigures } from '../../ingest/credit/figures.ts';
import type { TokenCounts } from '../auth/access.ts';
import { registerCredit } from './credit-metrics.ts';
import type { HistogramCounts } from './histogram.ts';
import { SnapshotHistogram } from './snapshot-histogram.ts';

/** Frames that are finished, by how. Source: PROTOCOL §6.4. */
export interface SettledFrames {
  readonly durable: number;
  readonly duplicate: number;
  readonly rejected: number;
  /** At QoS 0. */
  readonly dropped: number;
}

/** Frames that will never come, by lane. Source: PROTOCOL §6.2. */
export interface LostFrames {
  readonly critical: number;
  /** Among them those that went on lane 2 instead. */
  readonly live: number;
  readonly backfill: number;
}

/** Readings that aggregation has read back from the log, by what became of them. */
export interface AggregatedReadings {
  readonly aggregated: number;
  readonly late: number;
  readonly future: number;
  readonly excluded: number;
  readonly refused: number;
}

/**
 * What the gateway has counted since it started: the conservation ledger of DESIGN §13 and what is
 * useful beside it. The hot path bumps plain fields; this is their picture at one moment.
 *
 * Guarantee: of one picture, `received = settled + inFlight + closed` for frames, and
 * `readingsDurable = the sum of readings + those not yet read back`.
 */
export interface Ledger {
  readonly frames: {
    readonly received: number;
    readonly settled: SettledFrames;
    /** Frames that closed their session, by code. */
    readonly closed: ReadonlyMap<number, number>;
    /** The rejected ones again, by code. */
    readonly rejected: ReadonlyMap<number, number>;
    /** Numbers that devices declared lost, by lane. */
    readonly lost: LostFrames;
    readonly inFlight: number;
    /** Payload of the received ones. Units: bytes. */
    readonly bytes: number;
  };
  readonly readingsDurable: number;
  readonly readings: AggregatedReadings;
  /** What became of the tokens that were shown; all zero in open mode. */
  readonly tokens: TokenCounts;
  readonly sessions: number;
  /** Sessions that a bug of ours ended. */
  readonly sessionsBroken: number;
  /** Σ (limit − settled) over all channels. */
  readonly creditOutstandingBytes: number;
  /** What credit is made of. */
  readonly credit: CreditFigures;
  /** The rung of the ladder, DESIGN §9. */
  readonly rung: number;
  /** Open subscriptions of all sessions. */
  readonly subscriptions: number;
  /** From the call of `append` to its end. Units: ms. */
  readonly appendMs: HistogramCounts;
  /** From the receipt of a frame to its `flow`. Units: ms. */
  readonly ackMs: HistogramCounts;
  /** Size of what was appended together. Units: bytes. */
  readonly batchBytes: HistogramCounts;
}

/** `/metrics` and nothing else. */
export interface Metrics {
  /** All metrics in Prometheus' text format, out of one snapshot, so that its sums add up. */
  text(): Promise<string>;
}

/** The delay that the event loop's own timer is watched with. Units: ms. */
const LOOP_DELAY_RESOLUTION_MS = 20;
const MS_PER_SECOND = 1000;

/**
 * Builds the metrics over `snapshot`, which is called once per scrape.
 * Bounds: no metric has a label per device or per series; the labels are outcomes and codes.
 */
export function createMetrics(snapshot: () => Ledger): Metrics {
  const registry = new Registry();
  let ledger = snapshot();
  const read: Read = (pick) => pick(ledger);
  registerIngest(registry, read);
  registerDelivery(registry, read);
  registerAggregation(registry, read);
  registerNode(registry, read);
  registerCredit(registry, read);
  registerTokens(registry, read);
  collectDefaultMetrics({
    register: registry,
    eventLoopMonitoringPrecision: LOOP_DELAY_RESOLUTION_MS,
  });
  return {
    text: () => {
      ledger = snapshot();
      return registry.metrics();
    },
  };
}

/** Reads the ledger as it stands in this scrape. */
export type Read = <Value>(pick: (ledger: Ledger) => Value) => Value;
type Values = Iterable<readonly [label: string | number, value: number]>;

function registerIngest(registry: Registry, read: Read): void {
  const registers = [registry];
  counter(registry, 'tidegate_ingest_frames_received_total', {
    help: 'Frames received, duplicates among them.',
    value: () => read(({ frames }) => frames.received),
  });
  counters(registry, 'tidegate_ingest_frames_settled_total', {
    help: 'Frames finished, by outcome: durable, duplicate, rejected, or dropped at QoS 0.',
    label: 'outcome',
    values: () => read(({ frames }) => Object.entries(frames.settled)),
  });
  counters(registry, 'tidegate_ingest_frames_closed_total', {
    help: 'Frames that closed their session, by code.',
    label: 'code',
    values: () => read(({ frames }) => frames.closed),
  });
  counters(registry, 'tidegate_ingest_frames_rejected_total', {
    help: 'Frames permanently refused and stored as dead letters, by code.',
    label: 'code',
    values: () => read(({ frames }) => frames.rejected),
  });
  counters(registry, 'tidegate_ingest_frames_lost_total', {
    help: 'Frames that devices declared lost, by lane; on live also those that went as backfill.',
    label: 'lane',
    values: () => read(({ frames }) => Object.entries(frames.lost)),
  });
  counter(registry, 'tidegate_ingest_bytes_received_total', {
    help: 'Payload bytes of the frames received.',
    value: () => read(({ frames }) => frames.bytes),
  });
  new Gauge({
    name: 'tidegate_ingest_frames_in_flight',
    help: 'Frames received and neither settled nor refused by closing.',
    registers,
    collect() {
      this.set(read(({ frames }) => frames.inFlight));
    },
  });
  registry.registerMetric(
    new SnapshotHistogram(
      'tidegate_ingest_ack_duration_seconds',
      'Time from receiving a frame to sending the flow that acknowledges it.',
      () => inSeconds(read(({ ackMs }) => ackMs)),
    ),
  );
}

function registerDelivery(registry: Registry, read: Read): void {
  counter(registry, 'tidegate_delivery_readings_durable_total', {
    help: 'Readings in frames that became durable.',
    value: () => read(({ readingsDurable }) => readingsDurable),
  });
  registry.registerMetric(
    new SnapshotHistogram(
      'tidegate_delivery_append_duration_seconds',
      'Time of one append to the log, until it is durable.',
      () => inSeconds(read(({ appendMs }) => appendMs)),
    ),
  );
  registry.registerMetric(
    new SnapshotHistogram(
      'tidegate_delivery_batch_bytes',
      'Size of what was appended to the log together.',
      () => read(({ batchBytes }) => batchBytes),
    ),
  );
}

function registerAggregation(registry: Registry, read: Read): void {
  counters(registry, 'tidegate_aggregation_readings_total', {
    help: 'Readings read back from the log, by outcome.',
    label: 'outcome',
    values: () => read(({ readings }) => Object.entries(readings)),
  });
}

function registerNode(registry: Registry, read: Read): void {
  const registers = [registry];
  counter(registry, 'tidegate_sessions_broken_total', {
    help: 'Sessions that a bug of the gateway ended, with 1011: their devices are kept away.',
    value: () => read(({ sessionsBroken }) => sessionsBroken),
  });
  new Gauge({
    name: 'tidegate_sessions',
    help: 'Sessions that are open, publishers and subscribers.',
    registers,
    collect() {
      this.set(read(({ sessions }) => sessions));
    },
  });
  new Gauge({
    name: 'tidegate_fanout_subscriptions',
    help: 'Subscriptions that are open.',
    registers,
    collect() {
      this.set(read(({ subscriptions }) => subscriptions));
    },
  });
}

function registerTokens(registry: Registry, read: Read): void {
  counters(registry, 'tidegate_auth_tokens_accepted_total', {
    help: 'Tokens found good: verified by their signature, or known from before.',
    label: 'outcome',
    values: () => read(({ tokens: { verified, known } }) => Object.entries({ verified, known })),
  });
  counters(registry, 'tidegate_auth_tokens_refused_total', {
    help: 'Tokens refused, by code.',
    label: 'code',
    values: () => read(({ tokens }) => tokens.refused),
  });
}

interface One {
  readonly help: string;
  readonly value: () => number;
}

interface Many {
  readonly help: string;
  readonly label: string;
  readonly values: () => Values;
}

/** A counter kept elsewhere: read, never incremented here. */
function counter(registry: Registry, name: string, { help, value }: One): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(value());
    },
  });
}

/** Counters kept elsewhere that differ in one label. */
function counters(registry: Registry, name: string, { help, label, values }: Many): void {
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [of, value] of values()) this.inc({ [label]: of }, value);
    },
  });
}

const inSeconds = ({ bounds, counts, sum }: HistogramCounts): HistogramCounts => ({
  bounds: bounds.map((bound) => bound / MS_PER_SECOND),
  counts,
  sum: sum / MS_PER_SECOND,
});
