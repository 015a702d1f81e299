import type { LogKind } from '../model/record.ts';
import { Budget } from './budget.ts';
import type { Finalizer } from './finalizer.ts';
import type { LogState } from './log-state.ts';

const UNLIMITED = new Budget();

/**
 * Hands out results in slices: so many per step, the rest in the steps that follow. Only the time
 * depends on it; what is handed out, and in which order, is the same for any size of a slice.
 * Bounds: the logs. What is pending takes no memory of its own: it stays in its windows.
 */
export class Pace {
  readonly #finalizer: Finalizer;
  /** By kind of log: alarms do not wait for readings. */
  readonly #budgets: readonly Budget[] = [new Budget(), new Budget()];
  /** Logs whose last record still has results to give. */
  readonly #behind = new Set<LogState>();

  constructor(finalizer: Finalizer) {
    this.#finalizer = finalizer;
  }

  /** A new step begins: for the logs of this kind it may do so much. */
  allow(kind: LogKind, units: number): void {
    this.#budgets[kind]?.allow(units);
  }

  /** Results are pending. */
  get isBehind(): boolean {
    return this.#behind.size > 0;
  }

  /** Results of the logs of this kind are pending. */
  isBehindOn(kind: LogKind): boolean {
    for (const log of this.#behind) if (log.kind === kind) return true;
    return false;
  }

  /** False: the next record of this log has to wait. */
  mayApply(log: LogState): boolean {
    return !this.#budget(log).isSpent && !log.emission.isPending;
  }

  /** Steps have a limit for this log. */
  isLimited(log: LogState): boolean {
    return this.#budget(log).isLimited;
  }

  /** This step has done enough for the logs of this kind. */
  endStep(log: LogState): void {
    this.#budget(log).spend(Number.POSITIVE_INFINITY);
  }

  /** The pending logs that may go on in this step. */
  *due(): IterableIterator<LogState> {
    for (const log of this.#behind) if (!this.#budget(log).isSpent) yield log;
  }

  /** Gives results of a log's last record, whose own work took so much. */
  give(log: LogState, units = 0): void {
    const budget = this.#budget(log);
    budget.spend(units);
    this.#give(log, budget);
  }

  /** Gives all that is pending of a log, whatever the budget. */
  giveRest(log: LogState): void {
    this.#give(log, UNLIMITED);
  }

  /** A fault of ours broke a log's record off: nothing of it is pending any more. */
  giveUp(log: LogState): void {
    log.emission.clear();
    this.#behind.delete(log);
  }

  #give(log: LogState, budget: Budget): void {
    this.#finalizer.give(log, budget);
    if (log.emission.isPending) this.#behind.add(log);
    else this.#behind.delete(log);
  }

  #budget({ kind }: LogState): Budget {
    return this.#budgets[kind] as Budget;
  }
}
