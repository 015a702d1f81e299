import { NEVER } from '../model/machine.ts';
import { type MonoMs, monoMs, type Now } from '../model/time.ts';
import type { Subscription } from './subscription.ts';

/**
 * What one step sends, about a millisecond: the subscriptions of many dashboards are due at once
 * when a frame changes what all of them watch. The last one may send more. Units: windows.
 */
const WINDOWS_PER_STEP = 2048;
/** What a flush costs besides its windows. Units: windows. */
const FLUSH_WINDOWS = 16;

/**
 * The subscriptions that only time keeps from a flush, longest since their last one first. What is
 * too much for one step is for the next one, at once. Bounds: the node's subscriptions.
 */
export class Agenda {
  readonly #planned = new Set<Subscription>();
  readonly #onFault: (subscription: Subscription, error: unknown) => void;
  #wakeAtMs: MonoMs = NEVER;

  /** `onFault`: a flush broke off; the subscription is not planned any more. */
  constructor(onFault: (subscription: Subscription, error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** When `run` is wanted; never later than the earliest flush that is due. */
  get wakeAtMs(): MonoMs {
    return this.#wakeAtMs;
  }

  /** The subscription may have become due, or may be due no more. */
  plan(subscription: Subscription): void {
    const { dueMs } = subscription;
    if (dueMs === NEVER) {
      this.#planned.delete(subscription);
    } else {
      this.#planned.add(subscription);
      this.#wakeAtMs = Math.min(this.#wakeAtMs, dueMs) as MonoMs;
    }
  }

  /** All may be due at another time than before. Costs O(planned). */
  replan(): void {
    this.#wakeAtMs = NEVER;
    for (const subscription of [...this.#planned]) this.plan(subscription);
  }

  remove(subscription: Subscription): void {
    this.#planned.delete(subscription);
  }

  /** Flushes what is due, as far as this step may. */
  run(now: Now): void {
    if (now.monoMs < this.#wakeAtMs) return;
    this.#wakeAtMs = NEVER;
    let sent = 0;
    for (const subscription of [...this.#planned]) {
      if (!this.#planned.has(subscription)) continue;
      if (subscription.dueMs > now.monoMs) this.plan(subscription);
      else if (sent < WINDOWS_PER_STEP) sent += this.#flush(subscription, now) + FLUSH_WINDOWS;
      else {
        this.#wakeAtMs = monoMs(Number.NEGATIVE_INFINITY);
        return;
      }
    }
  }

  /** Returns how many windows were sent. */
  #flush(subscription: Subscription, now: Now): number {
    // Behind all others from here on: else the first ones would be due again before the last.
    this.#planned.delete(subscription);
    try {
      subscription.flush(now);
      this.plan(subscription);
    } catch (error) {
      this.#planned.delete(subscription);
      this.#onFault(subscription, error);
    }
    return subscription.flushed;
  }
}
