import { Histogram } from './histogram.ts';

/** The lanes of a device of its own. */
export type LaneNumber = 0 | 1 | 2;

/** What a tenth of a second was like. */
export interface Sample {
  /** When it ended. Units: s. */
  readonly atS: number;
  /** Payload that was settled. Units: bytes per s. */
  readonly rate: number;
  /** Of the frames of lane 1 that settled; NaN if none did. Units: ms. */
  readonly sojournMs: number;
  readonly sojournMaxMs: number;
  /** At its end, on all lanes. Units: bytes. */
  readonly queuedBytes: number;
}

/** How long a sample lasts. Units: ms. */
export const SAMPLE_MS = 100;
/** More of the same is not worth reading. */
const FAULTS_MAX = 20;
const MS_PER_SECOND = 1000;

const forLanes = <Value>(make: () => Value): [Value, Value, Value] => [make(), make(), make()];

/** What is measured of a run. Durations and sums count from the end of the warm-up on. */
export class Measures {
  /** From the arrival of a frame until it settled, by lane. */
  readonly sojourn = forLanes(() => new Histogram());
  /** From the first byte of a frame until its ack is heard, by lane. */
  readonly ack = forLanes(() => new Histogram());
  /** Payload, by lane. Units: bytes. */
  readonly settledBytes = forLanes(() => 0);
  readonly samples: Sample[] = [];
  /** What must never be. */
  readonly faults: string[] = [];
  frames = 0;
  duplicates = 0;
  queuedBytes = 0;
  exposedPeak = 0;
  /** The longest queue that was wanted. Units: ms. */
  targetMs = 0;
  /** The longest that a lane waited for credit. Units: ms. */
  blockedMs = 0;
  readonly #warmMs: number;
  #tenth = { bytes: 0, frames: 0, sumMs: 0, maxMs: 0 };

  constructor(warmMs: number) {
    this.#warmMs = warmMs;
  }

  isWarm(nowMs: number): boolean {
    return nowMs >= this.#warmMs;
  }

  blame(nowMs: number, sentence: string): void {
    if (this.faults.length >= FAULTS_MAX) return;
    this.faults.push(`${(nowMs / MS_PER_SECOND).toFixed(3)} s: ${sentence}`);
  }

  settled(lane: LaneNumber, bytes: number, sojournMs: number, nowMs: number): void {
    this.#tenth.bytes += bytes;
    if (lane === 1) {
      this.#tenth.frames += 1;
      this.#tenth.sumMs += sojournMs;
      this.#tenth.maxMs = Math.max(this.#tenth.maxMs, sojournMs);
    }
    if (!this.isWarm(nowMs)) return;
    this.sojourn[lane].add(sojournMs);
    this.settledBytes[lane] += bytes;
  }

  acked(lane: LaneNumber, ms: number, nowMs: number): void {
    if (this.isWarm(nowMs)) this.ack[lane].add(ms);
  }

  blocked(ms: number, nowMs: number): void {
    if (this.isWarm(nowMs)) this.blockedMs = Math.max(this.blockedMs, ms);
  }

  /** A tenth of a second is over. */
  sample(nowMs: number, targetMs: number): void {
    if (this.isWarm(nowMs)) this.targetMs = Math.max(this.targetMs, targetMs);
    const { bytes, frames, sumMs, maxMs } = this.#tenth;
    this.samples.push({
      atS: nowMs / MS_PER_SECOND,
      rate: (bytes / SAMPLE_MS) * MS_PER_SECOND,
      sojournMs: frames > 0 ? sumMs / frames : Number.NaN,
      sojournMaxMs: maxMs,
      queuedBytes: this.queuedBytes,
    });
    this.#tenth = { bytes: 0, frames: 0, sumMs: 0, maxMs: 0 };
  }
}
