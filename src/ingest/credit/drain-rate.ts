import type { CreditConstants } from './constants.ts';

/** Shortest time between two completions, so that nothing is divided by 0. Units: seconds. */
const TICK_S = 1e-4;

/** One alone may have met a pause of the disk or of the process. */
const SLOW_IN_A_ROW = 2;

/** An append that came back. */
export interface Append {
  readonly isLane0: boolean;
  /** Cost of its frames. */
  readonly bytes: number;
  /** From when it was given to the log. */
  readonly tookS: number;
}

/**
 * What a log takes, measured from its completions while there was something to take, and the delay
 * before it that this asks for. Source: CREDIT §5.1.
 */
export class DrainRate {
  readonly #constants: CreditConstants;
  /** Bytes and busy time that the rate is made of, older ones counting less. */
  #bytes: number;
  #busyS: number;
  #lastDone = 0;
  #busyFrom = 0;
  /** What a small append takes; of none yet, 0. */
  #smallS = 0;
  #smallAt = Number.NEGATIVE_INFINITY;
  /** The last so many completions were slow. */
  #inSlow = 0;

  constructor(constants: CreditConstants) {
    this.#constants = constants;
    this.#bytes = constants.startBytes;
    this.#busyS = constants.targetS;
  }

  /** Units: bytes a second. */
  get perSecond(): number {
    return this.#bytes / this.#busyS;
  }

  /** The delay that saturation keeps before the log: a slow log cannot be filled with less. */
  get targetS(): number {
    return Math.max(this.#constants.targetS, this.#constants.targetAppends * this.#smallS);
  }

  /** What the queue is to hold. */
  get targetBytes(): number {
    return this.perSecond * this.targetS;
  }

  /** What a small append takes by itself. Units: seconds. */
  get smallAppendS(): number {
    return this.#smallS;
  }

  /** The queue is no longer empty. */
  began(now: number): void {
    this.#busyFrom = now;
  }

  /** An append came back; `queued` is what is left in the queue. */
  appended({ isLane0, bytes, tookS }: Append, queued: number, now: number): void {
    const { smallBytes, stallS, memoryS, fullPart } = this.#constants;
    if (bytes <= smallBytes) this.#small(tookS, now);
    if (isLane0) return;
    const since = now - Math.max(this.#lastDone, this.#busyFrom);
    const busyS = Math.max(TICK_S, Math.min(stallS, since));
    this.#lastDone = now;
    this.#inSlow = this.#tookLong(bytes, Math.min(tookS, busyS)) ? this.#inSlow + 1 : 0;
    // A low queue measures the devices, not the log: then the rate may only rise, unless the log is
    // slow enough to be seen by itself.
    const wasFull = queued + bytes >= fullPart * this.targetBytes;
    const isSlow = this.#inSlow >= SLOW_IN_A_ROW;
    if (!wasFull && !isSlow && bytes / busyS <= this.perSecond) return;
    const weight = Math.exp(-busyS / memoryS);
    this.#bytes = this.#bytes * weight + bytes;
    this.#busyS = this.#busyS * weight + busyS;
  }

  /** Largest append just now: small if none was for long, for then nobody knows what one costs. */
  batchAtMost(queued: number, now: number): number {
    const { smallBytes, probeS } = this.#constants;
    const isDue = now - this.#smallAt > probeS && queued > 4 * smallBytes;
    return isDue ? smallBytes : Number.POSITIVE_INFINITY;
  }

  /** It was the bytes that took so long, and not the append by itself. */
  #tookLong(bytes: number, seconds: number): boolean {
    const { smallBytes, slowS, targetAppends } = this.#constants;
    return bytes > smallBytes && seconds >= Math.max(slowS, targetAppends * this.#smallS);
  }

  #small(tookS: number, now: number): void {
    const { stallS, probeS } = this.#constants;
    const seconds = Math.min(stallS, tookS);
    const isFirst = this.#smallAt === Number.NEGATIVE_INFINITY;
    const isLess = isFirst || seconds < this.#smallS;
    // One look in ten seconds at a sixteenth would tell far too late that a log has become dear.
    const weight = now - tookS - this.#smallAt > probeS ? 1 / 2 : 1 / 16;
    this.#smallS = isLess ? seconds : this.#smallS + (seconds - this.#smallS) * weight;
    this.#smallAt = now;
  }
}
