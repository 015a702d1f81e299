import { WHY, type Why } from '../../model/why.ts';
import { Arrivals } from './arrivals.ts';
import type { CreditConstants } from './constants.ts';
import { DrainRate } from './drain-rate.ts';

/** What is appended together, and what stands before it. Source: CREDIT §4. */
export class Pipe {
  readonly drain: DrainRate;
  /** Bytes on their way. */
  readonly arrivals = new Arrivals();
  /** Numbers of its three rings, by kind of lane. */
  readonly ring0: number;
  readonly ring1: number;
  readonly ring2: number;
  readonly #constants: CreditConstants;
  /** Bulk received and not settled. */
  queued = 0;
  /** Round trip of the credit that was granted lately. Units: seconds. */
  roundTripS = 0;
  /** What backfill may take while live waits. */
  owedBackfill = 0;
  /** Event-loop delay. Units: seconds. */
  lagS = 0;
  /** Why nothing is granted; 0: it is. */
  stopped: Why = WHY.none;
  /** The node's tokens of lane 0. */
  #critical: number;
  #criticalAt = 0;
  #servedAt = 0;
  #wasInVain = false;

  constructor(constants: CreditConstants, firstRing: number) {
    this.#constants = constants;
    this.drain = new DrainRate(constants);
    this.ring0 = firstRing;
    this.ring1 = firstRing + 1;
    this.ring2 = firstRing + 2;
    this.#critical = constants.criticalBurstBytes;
  }

  /** Bytes in play at most: waiting, and on their way. */
  get inPlayMost(): number {
    const { perSecond, targetS } = this.drain;
    return Math.max(this.#constants.leastBytes, perSecond * (targetS + this.roundTripS));
  }

  /** Bytes in play now; a late event loop is a queue too. */
  get inPlay(): number {
    const late = Math.max(0, this.lagS - this.#constants.lagFreeS);
    return this.queued + this.arrivals.bytes + this.drain.perSecond * late;
  }

  /** How long a frame that comes now waits for the log. Units: seconds. */
  get delayS(): number {
    return this.queued / this.drain.perSecond + this.lagS;
  }

  /** Lane 0 may be granted something: it is below its share of the drain. */
  hasCritical(now: number): boolean {
    const { criticalPart, criticalBurstBytes } = this.#constants;
    const refilled = (now - this.#criticalAt) * criticalPart * this.drain.perSecond;
    const most = criticalPart * this.drain.targetBytes + criticalBurstBytes;
    this.#critical = Math.min(most, this.#critical + Math.max(0, refilled));
    this.#criticalAt = now;
    return this.#critical > 0;
  }

  /** Of lane 0 so much was renewed. */
  chargeCritical(bytes: number): void {
    this.#critical -= bytes;
  }

  /** Live was granted so much, so backfill may have its part. */
  oweBackfill(bytes: number): void {
    const { backfillTrickle, backfillSavedBytes } = this.#constants;
    const owed = this.owedBackfill + backfillTrickle * bytes;
    this.owedBackfill = Math.min(backfillSavedBytes, owed);
  }

  /**
   * Everybody had a turn; so many were in vain. Live that waits for memory may wait for ever, for
   * devices that have nothing to say hold it: meanwhile backfill is owed its part of what the log
   * takes, or it would wait as long. The memory kept for it is there.
   */
  served(inVain: number, now: number): void {
    if (inVain > 0 && this.#wasInVain) {
      this.oweBackfill(this.drain.perSecond * Math.max(0, now - this.#servedAt));
    }
    this.#wasInVain = inVain > 0;
    this.#servedAt = now;
  }

  /** Credit of this round trip was granted: the mean follows over about a second's worth. */
  tellRoundTrip(seconds: number, bytes: number): void {
    const weight = Math.min(1 / 16, bytes / this.drain.perSecond);
    this.roundTripS += (seconds - this.roundTripS) * weight;
  }
}
