import { STATUS } from '../model/window.ts';
import type { Budget } from './budget.ts';
import type { Changes } from './changes.ts';
import type { ClassState } from './class-state.ts';
import type { DueWindow, Emission } from './emission.ts';
import type { LogState } from './log-state.ts';
import { nextResult, unitsOf, unitsOfNext } from './result.ts';
import type { AggregationSink } from './sink.ts';
import { type Timing, windowStart } from './timing.ts';
import type { WindowStore } from './window-store.ts';

/**
 * Gives results away: first what a record corrected, in time order; then what became final, by
 * window start, device path and class.
 *
 * Guarantee: results and their order are the same whatever the budgets are. A result is cut off
 * from the next one, never in itself, and no record of the log is applied in between.
 */
export class Finalizer {
  readonly #sink: AggregationSink;
  readonly #changes: Changes;
  readonly #timing: Timing;

  constructor(sink: AggregationSink, changes: Changes, timing: Timing) {
    this.#sink = sink;
    this.#changes = changes;
    this.#timing = timing;
  }

  /** The final windows that this frame changed are to be given again. */
  correct(target: ClassState): void {
    const corrections = this.#changes.corrections();
    if (corrections.length === 0) return;
    const status = STATUS.corrected;
    target.log.emission.correct(corrections.map((one) => ({ ...one, target, status })));
  }

  /**
   * Gives what was corrected, then what the watermarks of this log have reached, as far as the
   * budget allows; the rest is pending.
   */
  give(log: LogState, budget: Budget): void {
    const { emission } = log;
    emission.isPending = true;
    for (;;) {
      emission.window ??= emission.nextCorrection() ?? this.#nextFinal(log);
      const { window } = emission;
      if (window === null) break;
      if (!budget.hasRoomFor(unitsOfNext(window.stores, emission.given))) return;
      budget.spend(this.#giveResult(log, emission, window));
    }
    emission.isPending = false;
  }

  /** Takes out the next window that the watermark of its class has reached. */
  #nextFinal({ capped, clockUs }: LogState): DueWindow | null {
    const target = capped.first;
    if (target === undefined || target.oldestEndUs > clockUs + this.#timing.aheadUs) return null;
    const oldest = target.open.shift();
    capped.update(target);
    return oldest === undefined ? null : { ...oldest, target, status: STATUS.final };
  }

  /** One result of this window. Returns what that took, in units of a budget. */
  #giveResult(log: LogState, emission: Emission, window: DueWindow): number {
    const { target, start, stores, status } = window;
    const { device, classId } = target;
    const from = emission.given;
    const head = { device: device.path, classId, start, lengthMs: this.#timing.windowMs, status };
    const { result, to } = nextResult(head, stores, from);
    const isFinal = status === STATUS.final;
    for (let k = from; isFinal && k < to; k += 1) this.#makeFinal(stores[k] as WindowStore, start);
    this.#sink.result(emission.cause(), result);
    const closedUs = this.#closedUs(log, window);
    for (let k = from; isFinal && k < to; k += 1) stores[k]?.makeRoom(closedUs);
    emission.given = to < stores.length ? to : 0;
    if (to >= stores.length) emission.window = null;
    return unitsOf(to - from);
  }

  #makeFinal(store: WindowStore, start: number): void {
    const i = store.find(start);
    store.setStatus(i, STATUS.final);
    this.#changes.note(store, i);
  }

  /** Windows that end by then are closed; but none goes that has not been given as final yet. */
  #closedUs({ clockUs }: LogState, { target, start }: DueWindow): number {
    const { windowUs, latenessUs } = this.#timing;
    const watermarkUs = target.watermarkAt(clockUs);
    return Math.min(windowStart(watermarkUs - latenessUs, windowUs), start + windowUs);
  }
}
