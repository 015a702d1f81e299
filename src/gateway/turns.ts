import type { Aggregation } from '../aggregation/aggregation.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { LOG } from '../model/record.ts';

const FED_LOGS = [LOG.readings, LOG.alarms] as const;

/** The stages that take turns. */
interface Stages {
  readonly aggregation: Aggregation;
  readonly delivery: Delivery;
}

/**
 * Shares the steps out: how much aggregation does in each, and whether another is wanted. While too
 * many results wait for their log, nothing is aggregated that could make more.
 */
export class Turns {
  readonly #stages: Stages;

  constructor(stages: Stages) {
    this.#stages = stages;
  }

  /** Aggregation may do so much in this step, for each kind of log. */
  allow(units: number): void {
    const { aggregation, delivery } = this.#stages;
    for (const log of FED_LOGS) aggregation.allow(log, delivery.isHeldUp(log) ? 0 : units);
  }

  /** What is read has to be applied, whatever waits. */
  allowAll(): void {
    for (const log of FED_LOGS) this.#stages.aggregation.allow(log, Number.POSITIVE_INFINITY);
  }

  /** Aggregation has more to do, and may: a further step is wanted at once. */
  get isNext(): boolean {
    return this.#isNextOf(LOG.readings) || this.#isNextOf(LOG.alarms);
  }

  #isNextOf(log: (typeof FED_LOGS)[number]): boolean {
    const { aggregation, delivery } = this.#stages;
    const hasMore =
      delivery.isFeedingOf(log) || (aggregation.isBehind && aggregation.isBehindOn(log));
    return hasMore && !delivery.isHeldUp(log);
  }
}
